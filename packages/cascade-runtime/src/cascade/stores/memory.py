"""`MemoryStore`: durable agents for as long as the process lasts, for simulations and tests."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from cascade.interfaces.errors import (
    AgentExistsError,
    LeaseLostError,
    StateNotKeptError,
    StoreError,
)
from cascade.interfaces.store import (
    ENDED,
    AgentStatus,
    Arrivals,
    Checkpoint,
    DurableAgent,
    Letter,
    PastState,
    StoredSignal,
    Swept,
)
from cascade.stores.memory_mailboxes import Mailboxes

__all__ = ["MemoryStore"]


class MemoryStore:
    """Keeps everything in dicts; what lies there is there again when it is opened again.

    Examples:
        >>> import asyncio
        >>> from cascade.interfaces.store import DurableAgent
        >>> async def main():
        ...     store = MemoryStore()
        ...     await store.create([DurableAgent("monday", start=b"{}", call=b"{}")])
        ...     (claimed,) = await store.claim("worker", now=0, until=30)
        ...     return claimed.name, claimed.epoch
        >>> asyncio.run(main())
        ('monday', 1)
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._agents: dict[str, DurableAgent] = {}
        self._free_since: dict[str, float] = {}
        """Of the ready ones that are awake and that nobody holds."""

        self._leases: dict[str, float] = {}
        """When those of each owner end."""

        self._history: dict[str, list[PastState]] = {}
        self._mailboxes = Mailboxes()

    async def open(self) -> None:
        """Do nothing: there is nothing to open."""

    async def aclose(self) -> None:
        """Do nothing: what lies there stays."""

    def twin(self) -> None:
        """Return None: it belongs to one event loop."""

    async def create(self, agents: Sequence[DurableAgent]) -> list[DurableAgent]:
        """Enter agents, and hand them the dead letters that wait for their names."""
        for agent in agents:
            if agent.name not in self._agents:
                self._enter(agent, agent.created_at)
                self._mailboxes.hand_dead_letters(agent.name)
        return [self._shown(self._agents[agent.name]) for agent in agents]

    def _enter(self, agent: DurableAgent, at: float) -> None:
        self._mailboxes.open(agent.name)
        self._put(agent, at)
        if agent.owner is not None:
            self._prolong(agent.owner, agent.lease_until or 0.0)

    def _put(self, agent: DurableAgent, at: float) -> None:
        """Put an agent in the place of what lies under its name, and have the rest agree with it."""
        if agent.status != "ready":
            agent = replace(agent, owner=None)
        if agent.status != "ready" or agent.owner is not None or not agent.asleep:
            agent = replace(agent, asleep=False, wake_at=None)
        self._agents[agent.name] = replace(agent, lease_until=None)
        takes_letters = agent.status not in ENDED
        self._mailboxes.listen(agent.name, agent.filters, takes_letters=takes_letters)
        if agent.status != "ready" or agent.owner is not None or agent.asleep:
            self._free_since.pop(agent.name, None)
        elif agent.name not in self._free_since:
            self._free_since[agent.name] = at

    def _shown(self, agent: DurableAgent) -> DurableAgent:
        until = None if agent.owner is None else self._leases.get(agent.owner)
        return replace(agent, lease_until=until, journal=dict(agent.journal))

    async def load(self, name: str) -> DurableAgent | None:
        """Return an agent, or None."""
        agent = self._agents.get(name)
        return None if agent is None else self._shown(agent)

    async def signals(self, name: str, after: int = 0) -> list[StoredSignal]:
        """Return what lies in a mailbox with a number above ``after``, in order."""
        return self._mailboxes.signals(name, after)

    async def arrived(self, owner: str, after: int = 0) -> Arrivals:
        """Return which agents of an owner have signals above a number, whoever sent them."""
        held = [agent.name for agent in self._agents.values() if agent.owner == owner]
        names = {name for name in held if self._mailboxes.signals(name, after)}
        hours = [agent.wake_at for agent in self._agents.values() if agent.wake_at is not None]
        return Arrivals(self._mailboxes.number, names, min(hours, default=None))

    async def others_wrote(self) -> None:
        """Wait for ever: there are no others."""
        await asyncio.get_running_loop().create_future()

    async def claim(
        self,
        owner: str,
        now: float,
        until: float,
        *,
        limit: int = 100,
        names: Collection[str] | None = None,
        labels: Collection[str] | None = None,
    ) -> list[DurableAgent]:
        """Take agents that are ready, that nobody holds, and that are awake or due."""
        ended = {each: end for each, end in self._leases.items() if end < now}
        places = {name: place for place, name in enumerate(self._agents)}
        free = dict(self._free_since)
        for agent in self._agents.values():
            if agent.owner is not None and agent.owner in ended:
                free[agent.name] = ended[agent.owner]
            elif agent.wake_at is not None and agent.wake_at <= now:
                free[agent.name] = agent.wake_at
        wanted = [
            name
            for name in sorted(free, key=lambda name: (free[name], places[name]))
            if (names is None or name in names)
            and (labels is None or self._agents[name].label in labels)
        ]
        if wanted[:limit]:
            self._prolong(owner, until)
        return [self._take(name, owner) for name in wanted[:limit]]

    def _take(self, name: str, owner: str) -> DurableAgent:
        agent = self._agents[name]
        taken = replace(agent, owner=owner, epoch=agent.epoch + 1, attempts=agent.attempts + 1)
        self._put(taken, 0)
        return self._shown(self._agents[name])

    def _prolong(self, owner: str, until: float) -> None:
        self._leases[owner] = max(until, self._leases.get(owner, until))

    async def renew(self, owner: str, until: float) -> set[str]:
        """Prolong all leases of an owner; return the names of what it holds."""
        self._prolong(owner, until)
        return {name for name, agent in self._agents.items() if agent.owner == owner}

    async def commit(self, checkpoint: Checkpoint) -> set[str]:
        """Commit a checkpoint; return the names of the agents whose mailboxes got a letter.

        Raises:
            LeaseLostError: the epoch is not the agent's, or it is not ready: nothing was changed.
        """
        agent = self._agents.get(checkpoint.name)
        if agent is None or agent.epoch != checkpoint.epoch or agent.status != "ready":
            raise LeaseLostError(checkpoint.name, checkpoint.epoch)
        if checkpoint.call is not None:
            if checkpoint.history:
                past = PastState(agent.step, agent.call, checkpoint.at)
                kept = [*self._history.get(agent.name, ()), past]
                self._history[agent.name] = kept[-checkpoint.history :]
            agent = replace(
                agent, call=checkpoint.call, step=agent.step + 1, attempts=0, journal={}
            )
        if checkpoint.waits:
            agent = replace(agent, attempts=0)
        if checkpoint.releases:
            agent = replace(agent, owner=None, attempts=max(agent.attempts - 1, 0))
        if checkpoint.filters is not None:
            agent = replace(agent, filters=checkpoint.filters)
        agent = replace(
            agent,
            status=checkpoint.status,
            journal={**agent.journal, **checkpoint.journal},
            result=checkpoint.result,
            error=checkpoint.error,
            changed_at=checkpoint.at,
        )
        sleep = checkpoint.falls_asleep
        if sleep is not None and not self._mailboxes.signals(agent.name, sleep.seen):
            agent = replace(agent, asleep=True, wake_at=sleep.until)
        self._put(agent, checkpoint.at)
        self._mailboxes.take_out(agent.name, checkpoint.consumed)
        return self._post(checkpoint.letters, checkpoint.at)

    async def deliver(self, letters: Sequence[Letter], at: float) -> set[str]:
        """Put letters of others into mailboxes; return as `commit` does."""
        return self._post(letters, at)

    def _post(self, letters: Iterable[Letter], at: float) -> set[str]:
        reached = self._mailboxes.post(letters, at)
        for name in reached:
            if self._agents[name].asleep:
                self._put(replace(self._agents[name], asleep=False), at)
        return reached

    async def decide(
        self, name: str, status: AgentStatus, at: float, *, reason: str | None = None
    ) -> DurableAgent | None:
        """Set an agent's status from outside, and fence its owner; ``ready`` also empties its attempts."""
        before = self._agents.get(name)
        if before is None:
            return None
        agent = replace(
            before,
            status=status,
            asleep=False,
            epoch=before.epoch + 1,
            attempts=0 if status == "ready" else before.attempts,
            owner=None,
            error=reason,
            changed_at=at,
        )
        self._put(agent, at)
        if before.status in ENDED and status not in ENDED:
            self._mailboxes.hand_dead_letters(name)
        return self._shown(self._agents[name])

    async def history(self, name: str) -> list[PastState]:
        """Return the earlier states of an agent that are kept, the oldest first."""
        return [*self._history.get(name, ())]

    async def fork(
        self, name: str, new_name: str, at: float, *, step: int | None = None
    ) -> DurableAgent:
        """Copy an agent's state, filters and unread signals under a new name, which nobody holds.

        Raises:
            AgentExistsError: there is one of the new name.
            StateNotKeptError: there is no such state.
            StoreError: there is none of that name.
        """
        agent = self._agents.get(name)
        if agent is None:
            raise StoreError(f"there is no agent {name!r} to fork")
        if new_name in self._agents:
            raise AgentExistsError(new_name)
        if step not in (None, agent.step):
            past = {each.step: each for each in self._history.get(name, ())}
            if step not in past:
                raise StateNotKeptError(name, step, [*past, agent.step])
            agent = replace(agent, step=step, call=past[step].call, journal={})
        copy = replace(agent, name=new_name, status="ready", epoch=0, attempts=0, owner=None)
        copy = replace(copy, asleep=False, result=None, error=None, created_at=at, changed_at=at)
        self._enter(copy, at)
        for signal in self._mailboxes.signals(name):
            self._mailboxes.receive(new_name, Letter(signal.topic, signal.payload, id=signal.id))
        self._mailboxes.hand_dead_letters(new_name)
        return self._shown(copy)

    async def list(
        self,
        *,
        statuses: Collection[AgentStatus] | None = None,
        prefix: str = "",
        after: str = "",
        limit: int = 1000,
    ) -> list[DurableAgent]:
        """Return agents by name, in order of their names, those behind ``after``."""
        names = sorted(
            name
            for name, agent in self._agents.items()
            if name > after
            and name.startswith(prefix)
            and (statuses is None or agent.status in statuses)
        )
        return [self._shown(self._agents[name]) for name in names[:limit]]

    async def sweep(self, ended_before: float, letters_before: float) -> Swept:
        """Remove agents that ended, and dead letters that came, before these times."""
        ended = [
            name
            for name, agent in self._agents.items()
            if agent.status in ENDED and agent.changed_at < ended_before
        ]
        for name in ended:
            del self._agents[name]
            self._history.pop(name, None)
            self._mailboxes.close(name)
        holding = {agent.owner for agent in self._agents.values()}
        self._leases = {each: end for each, end in self._leases.items() if each in holding}
        return Swept(len(ended), self._mailboxes.sweep(letters_before))
