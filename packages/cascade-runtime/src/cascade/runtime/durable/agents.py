"""The durable agents of an engine: started, taken up where others left them, driven, and looked at.

How one of them stands::

    start ──▶ ready ──▶ claimed by an engine, which drives it ──▶ finished | failed
                ▲             │ shut down, or its lease is lost
                └─────────────┘            cancel ──▶ cancelled     too many attempts ──▶ stuck
                                           its code is not found ──▶ blocked; retry ──▶ ready
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from cascade.interfaces.errors import AgentExistsError, AgentFailedError
from cascade.interfaces.store import AgentStatus, DurableAgent, Letter, PastState, Store, Swept
from cascade.interfaces.topics import INBOXES, Filters, name_of_inbox
from cascade.runtime.concurrency.clock import unix_time
from cascade.runtime.durable.driving import Evaluate
from cascade.runtime.durable.ownership import Ownership
from cascade.runtime.durable.settings import DurableSettings
from cascade.runtime.durable.starting import is_same_start, records_of
from cascade.runtime.durable.telling import reported, tell
from cascade.runtime.durable.values import read_value, write_payload
from cascade.runtime.state.services import EngineServices
from cascade.spec.codec import decode

__all__ = ["DurableAgents"]

_POLL = 0.5  # seconds between two looks at an agent that is not driven here, but waited for
_KEEP = 7 * 24 * 3600.0  # seconds that ended agents and dead letters stay
_SWEEP = 600.0  # seconds between two looks for those


class DurableAgents:
    """What ``engine.agents`` is, where the engine has a store.

    Attributes:
        settings: how the engine holds them; a change holds from the next look on.
    """

    def __init__(
        self, store: Store, services: EngineServices, name: str, evaluate: Evaluate
    ) -> None:
        """Drive agents of a store for an engine of that name; ``open`` comes first."""
        self.settings = DurableSettings()
        self._store = store
        self._services = services
        owner = f"{name}-{secrets.token_hex(4)}"
        self._ownership = Ownership(store, services, evaluate, owner, self.settings)
        self._sweeping: asyncio.Task[None] | None = None
        self._inboxes: Any = None

    # --- for users ----------------------------------------------------------------------------

    async def start(
        self, agents: Mapping[str, Any], params: Mapping[str, Any] | None = None, *, label: str = ""
    ) -> list[DurableAgent]:
        """Start agents by name, and return as soon as they are in the store.

        One that is there already is left as it is.

        Args:
            agents: the call that each begins with, by its name.
            params: what `cascade.param` gives in them.
            label: which engines may drive them: those with this one among their ``settings.labels``, and
                those without any.

        Raises:
            InvalidTaskError: one of the calls is no plain call of a task.
            EncodeError: one of the calls cannot be written.
        """
        return await self._enter(
            [replace(each, label=label) for each in records_of(agents, params)]
        )

    async def _enter(self, records: Sequence[DurableAgent]) -> list[DurableAgent]:
        found = await self._store.create(records)
        for record, there in zip(records, found, strict=True):
            if record == there:  # and no other one of that name
                tell(self._services, record.name, "started")
        self._ownership.look_soon()
        return found

    async def run(
        self,
        name: str | None,
        call: Any,
        params: Mapping[str, Any],
        *,
        listen: Sequence[Filters] = (),
        attach: bool = False,
    ) -> Any:
        """Start an agent, or take it up, and return the value that it comes to.

        Raises:
            AgentExistsError: an agent of that name began with another call.
            AgentFailedError: it ended otherwise than with a value.
            InvalidTaskError: the call is no plain call of a task.
            EncodeError: the call cannot be written.
            ValueError: it has no name.
        """
        if name is None:
            raise ValueError(
                "a durable agent has a name: engine.run(call, name='monday', durable=True)"
            )
        filters = tuple(each for together in listen for each in together)
        (begun,) = records_of({name: call}, params, filters)
        (record,) = await self._enter([begun])
        if not attach and not is_same_start(record.start, begun.start):
            raise AgentExistsError(name)
        while record.status == "ready":
            driven = self._ownership.driven
            if name not in driven:
                await self._ownership.take_up([name])
            task = driven.get(name)
            if task is None:  # it sleeps, or another engine drives it
                self._say_who_drives(record)
                await asyncio.sleep(_POLL)
            else:
                await asyncio.wait([task])
            record = await self._store.load(name) or record
        if record.status != "finished" or record.result is None:
            raise AgentFailedError(name, record.status, record.error or "it has no value")
        return read_value(decode(record.call).task, record.result)

    def _say_who_drives(self, record: DurableAgent) -> None:
        """Say once that an agent is waited for which another engine drives, or has died with."""
        if record.owner not in {None, self._ownership.owner}:
            about = (record.name, record.owner)
            self._services.warn_once(
                about, "durable.held_elsewhere", agent=record.name, owner=record.owner
            )

    async def list(
        self,
        *,
        statuses: Sequence[AgentStatus] | None = None,
        prefix: str = "",
        after: str = "",
        limit: int = 1000,
    ) -> list[DurableAgent]:
        """Return agents as they lie in the store, by name."""
        return await self._store.list(statuses=statuses, prefix=prefix, after=after, limit=limit)

    async def load(self, name: str) -> DurableAgent | None:
        """Return one agent as it lies in the store, or None."""
        return await self._store.load(name)

    async def cancel(self, name: str, reason: str = "cancelled") -> DurableAgent | None:
        """End an agent for good, wherever it is driven; None: there is none of that name."""
        record = await self._store.decide(name, "cancelled", unix_time(), reason=reason)
        if record is not None:
            tell(self._services, name, "cancelled", reason)
        await self._ownership.end(name)
        return record

    async def retry(self, name: str) -> DurableAgent | None:
        """Let an agent that failed, is stuck or blocked go on from its last commit."""
        record = await self._store.decide(name, "ready", unix_time())
        if record is not None:
            tell(self._services, name, "retried")
        self._ownership.look_soon()
        return record

    async def history(self, name: str) -> Sequence[PastState]:
        """Return the earlier states of an agent that are kept, the oldest first.

        The engines that drive it keep as many as their ``settings.history`` says.
        """
        return await self._store.history(name)

    async def fork(self, name: str, new_name: str, *, step: int | None = None) -> DurableAgent:
        """Begin a copy of an agent, with its state and the signals that it has not taken.

        Args:
            name: the agent.
            new_name: the name of the copy.
            step: the number of an earlier state, which the copy begins with; see `history`.

        Raises:
            AgentExistsError: there is one of the new name.
            StateNotKeptError: no state of that step is kept.
            StoreError: there is no such agent.
        """
        record = await self._store.fork(name, new_name, unix_time(), step=step)
        tell(self._services, new_name, "started", f"a fork of {name!r}")
        self._ownership.look_soon()
        return record

    async def recover(self) -> int:
        """Take up what is ready and nobody drives, now; return how many agents that were."""
        return await self._ownership.take_up_all()

    async def drain(self, seconds: float | None = None) -> int:
        """Take up no more agents, and leave those that are driven here to others; the engine closes next.

        An agent that waits is left where it is; one at work when its step has come to its commit, so that
        nothing is done again.

        Args:
            seconds: how long that may take; if left out, the engine's ``shutdown_timeout``.

        Returns:
            How many steps were not at their end in time; when the engine closes they are cancelled, and
            begin again elsewhere.
        """
        limit = self._services.shutdown_timeout if seconds is None else seconds
        return await self._ownership.drain(limit)

    async def prune(self, older_than: float = 0.0) -> Swept:
        """Remove agents that ended, and dead letters that came, more than so many seconds ago."""
        before = unix_time() - older_than
        return await self._store.sweep(before, before)

    # --- opening and closing ------------------------------------------------------------------

    async def open(self) -> None:
        """Open the store, and begin to take up what nobody drives."""
        await self._store.open()
        connector = self._services.connector
        if connector is not None:
            share = f"$share/cascade-store/{INBOXES}"
            self._inboxes = await connector.subscribe(share, self._take_letter)
        self._ownership.open()
        self._sweeping = asyncio.get_running_loop().create_task(self._sweep())
        self._services.drives_durable_agents(drives=True)

    async def close(self) -> None:
        """Leave all agents where they are, for others to take up, and close the store."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.wait([self._sweeping])
            self._sweeping = None
        await self._ownership.close()
        if self._inboxes is not None:
            await self._inboxes.unsubscribe()
            self._inboxes = None
        self._services.drives_durable_agents(drives=False)
        await self._store.aclose()

    async def _take_letter(self, topic: str, payload: Any) -> None:
        """Put into a mailbox, or among the dead letters, what somebody sent to a name."""
        if await self._ownership.driving.said.has(topic, payload):
            return
        letter = Letter(topic, write_payload(topic, payload), to=name_of_inbox(topic))
        self._ownership.wake(await self._store.deliver([letter], unix_time()))

    async def _sweep(self) -> None:
        while True:
            with reported("remove what ended"):
                await self.prune(_KEEP)
            await asyncio.sleep(_SWEEP)
