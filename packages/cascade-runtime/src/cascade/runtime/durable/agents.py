"""The durable agents of an engine: started, taken up where others left them, driven, and looked at.

How one of them stands::

    start ──▶ ready ──▶ claimed by an engine, which drives it ──▶ finished | failed
                ▲             │ shut down, or its lease is lost
                └─────────────┘            cancel ──▶ cancelled     too many attempts ──▶ stuck
                                           its code is not found ──▶ blocked; retry ──▶ ready
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from cascade.common.messaging import bus
from cascade.interfaces.errors import AgentExistsError, AgentFailedError
from cascade.interfaces.store import AgentStatus, Checkpoint, DurableAgent, Letter, Store, Swept
from cascade.interfaces.topics import INBOXES, name_of_inbox
from cascade.runtime.concurrency.clock import unix_time
from cascade.runtime.durable.driving import Driving, Evaluate, drive, reported
from cascade.runtime.durable.starting import records_of
from cascade.runtime.durable.telling import tell
from cascade.runtime.durable.values import read_value, write_payload
from cascade.runtime.state.services import EngineServices
from cascade.spec.codec import decode

__all__ = ["DurableAgents"]

_POLL = 1.0  # seconds between two looks for what nobody drives, and for letters from elsewhere
_BATCH = 100  # agents that are taken up at once
_KEEP = 7 * 24 * 3600.0  # seconds that ended agents and dead letters stay
_SWEEP = 600.0  # seconds between two looks for those


class DurableAgents:
    """What ``engine.agents`` is, where the engine has a store.

    Attributes:
        lease: seconds after which others take up the agents of an engine that has died.
    """

    def __init__(
        self, store: Store, services: EngineServices, name: str, evaluate: Evaluate
    ) -> None:
        """Drive agents of a store for an engine of that name; ``open`` comes first."""
        self.lease = 15.0
        self._store = store
        self._services = services
        self._owner = f"{name}-{secrets.token_hex(4)}"
        self._driven: dict[str, asyncio.Task[None]] = {}
        self._driving = Driving(store, services, evaluate, self._wake)
        self._loops: list[asyncio.Task[None]] = []
        self._inboxes: Any = None
        self._look = asyncio.Event()

    # --- for users ----------------------------------------------------------------------------

    async def start(
        self, agents: Mapping[str, Any], params: Mapping[str, Any] | None = None
    ) -> list[DurableAgent]:
        """Start agents by name, and return as soon as they are in the store.

        One that is there already is left as it is.

        Args:
            agents: the call that each begins with, by its name.
            params: what `cascade.param` gives in them.

        Raises:
            InvalidTaskError: one of the calls is no plain call of a task.
            EncodeError: one of the calls cannot be written.
        """
        return await self._enter(records_of(agents, params))

    async def _enter(self, records: Sequence[DurableAgent]) -> list[DurableAgent]:
        found = await self._store.create(records)
        for record, there in zip(records, found, strict=True):
            if record == there:  # and no other one of that name
                tell(self._services, record.name, "started")
        self._look.set()
        return found

    async def run(
        self, name: str, call: Any, params: Mapping[str, Any], *, attach: bool = False
    ) -> Any:
        """Start an agent, or take it up, and return the value that it comes to.

        Raises:
            AgentExistsError: an agent of that name began with another call.
            AgentFailedError: it ended otherwise than with a value.
            InvalidTaskError: the call is no plain call of a task.
            EncodeError: the call cannot be written.
        """
        (begun,) = records_of({name: call}, params)
        (record,) = await self._enter([begun])
        if not attach and record.start != begun.start:
            raise AgentExistsError(name)
        while record.status == "ready":
            task = self._driven.get(name)
            if task is None:
                await self._take_up([name])
                task = self._driven.get(name)
            if task is None:  # another engine drives it
                await asyncio.sleep(_POLL / 2)
            else:
                await asyncio.wait([task])
            record = await self._store.load(name) or record
        if record.status != "finished" or record.result is None:
            raise AgentFailedError(name, record.status, record.error or "it has no value")
        return read_value(decode(record.call).task, record.result)

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
        self._stop_driving(name)
        return record

    async def retry(self, name: str) -> DurableAgent | None:
        """Let an agent that failed, is stuck or blocked go on from its last commit."""
        record = await self._store.decide(name, "ready", unix_time())
        if record is not None:
            tell(self._services, name, "retried")
        self._look.set()
        return record

    async def fork(self, name: str, new_name: str) -> DurableAgent:
        """Begin a copy of an agent, with its state and the signals that it has not taken."""
        record = await self._store.fork(name, new_name, unix_time())
        tell(self._services, new_name, "started", f"a fork of {name!r}")
        self._look.set()
        return record

    async def recover(self) -> int:
        """Take up what is ready and nobody drives, now; return how many agents that were."""
        taken = 0
        while found := await self._take_up():
            taken += found
        return taken

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
        create = asyncio.get_running_loop().create_task
        self._loops = [create(self._renew()), create(self._recover()), create(self._sweep())]
        self._services.drives_durable_agents(drives=True)

    async def close(self) -> None:
        """Leave all agents at their last commits, for others to take up, and close the store."""
        for task in (*self._loops, *self._driven.values()):
            task.cancel()
        if self._loops:
            await asyncio.wait([*self._loops, *self._driven.values()])
        self._loops = []
        if self._inboxes is not None:
            await self._inboxes.unsubscribe()
            self._inboxes = None
        self._services.drives_durable_agents(drives=False)
        with reported("give leases back"):
            await self._release_all()
        await self._store.aclose()

    async def _release_all(self) -> None:
        """Give back what is still held, such as what was being claimed when this was closed."""
        now = unix_time()
        for record in await self._owned(await self._store.renew(self._owner, now)):
            await self._store.commit(Checkpoint(record.name, record.epoch, now, releases=True))

    async def _owned(self, names: Iterable[str]) -> Sequence[DurableAgent]:
        """Return those of some agents that this engine holds, as they lie in the store."""
        records = [await self._store.load(name) for name in names]
        return [each for each in records if each is not None and each.owner == self._owner]

    async def _take_letter(self, topic: str, payload: Any) -> None:
        """Put into a mailbox, or among the dead letters, what somebody sent to a name."""
        if await self._driving.said.has(topic, payload):
            return
        letter = Letter(topic, write_payload(topic, payload), to=name_of_inbox(topic))
        self._wake(await self._store.deliver([letter], unix_time()))

    # --- loops --------------------------------------------------------------------------------

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self.lease / 3)
            with reported("renew leases"):
                held = await self._store.renew(self._owner, unix_time() + self.lease)
                for name in self._driving.awake.keys() - held:
                    bus.warning("durable.lease_lost", agent=name)
                    tell(self._services, name, "lost")
                    self._stop_driving(name)
                for record in await self._owned(held - self._driven.keys()):
                    self._begin(record)  # the store failed while it was driven

    async def _recover(self) -> None:
        while True:
            with reported("take up agents"):
                await self.recover()
                self._wake(set(self._driving.awake))  # for what other engines have committed
            try:
                async with asyncio.timeout(_POLL * random.uniform(0.8, 1.2)):
                    await self._look.wait()
            except TimeoutError:
                continue
            self._look.clear()

    async def _sweep(self) -> None:
        while True:
            with reported("remove what ended"):
                await self.prune(_KEEP)
            await asyncio.sleep(_SWEEP)

    # --- driving ------------------------------------------------------------------------------

    async def _take_up(self, names: Sequence[str] | None = None) -> int:
        """Claim agents and begin to drive them; return how many."""
        now = unix_time()
        records = await self._store.claim(
            self._owner, now, now + self.lease, limit=_BATCH, names=names
        )
        for record in records:
            self._begin(record)
        return len(records)

    def _begin(self, record: DurableAgent) -> None:
        task = asyncio.get_running_loop().create_task(
            drive(record, self._driving), name=f"durable agent {record.name!r}"
        )
        self._driven[record.name] = task
        task.add_done_callback(partial(self._note_end, record.name))

    def _note_end(self, name: str, task: asyncio.Task[None]) -> None:
        if self._driven.get(name) is task:
            del self._driven[name]
        if not task.cancelled() and (error := task.exception()) is not None:
            bus.error("durable.background_failed", what=f"drive {name!r}", error=error)

    def _stop_driving(self, name: str) -> None:
        if name in self._driven:
            self._driven[name].cancel()

    def _wake(self, names: set[str]) -> None:
        """Have agents that are driven here take what came into their mailboxes."""
        for name in names & self._driving.awake.keys():
            self._driving.awake[name].mailbox.fetch_soon()
