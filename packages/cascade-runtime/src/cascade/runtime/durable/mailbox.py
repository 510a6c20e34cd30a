"""The mailbox of a durable agent: its signals are rows of the store, in the order they were committed.

What arrives by a subscription goes to the store first; then it is fetched from there, as what other
durable agents have committed is. A signal that a step took stays a row until the step commits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cascade.common.messaging import bus
from cascade.interfaces.topics import Filters, inbox_of
from cascade.runtime.concurrency.bounded_queue import BoundedQueue
from cascade.runtime.durable.hearing import Hearing, Moved, StoredSource, topic_of
from cascade.runtime.durable.outgoing import SILENCE
from cascade.runtime.durable.telling import tell
from cascade.runtime.durable.values import read_payload
from cascade.runtime.signals.source import Signal, Source, split
from cascade.runtime.signals.waiter import Waiter

if TYPE_CHECKING:
    from cascade.runtime.durable.agent import StoredAgent

__all__ = ["StoredMailbox"]

_ANYTHING: Filters = ("#",)
_UNBOUNDED = 2**62  # signals: what a store holds is not held in memory to be dropped


class StoredMailbox(Hearing):
    """Keeps what arrives in the store, and tells the agent which signals its step has taken.

    Attributes:
        last: the number of the last signal that was fetched.
    """

    __slots__ = (
        "_agent",
        "_fetching",
        "_inbox",
        "_kept",
        "_of_step",
        "_wanted",
        "last",
    )

    def __init__(self, agent: StoredAgent) -> None:
        """Make the mailbox of an agent; `fetch_soon` brings what lies in the store."""
        run = agent.run
        connector = run.services.connector or SILENCE
        super().__init__(agent.name, agent.said, connector, run.loop, _UNBOUNDED, "wait")
        self._agent = agent
        self._inbox = inbox_of(agent.name)
        self._kept = Source(self, _ANYTHING, BoundedQueue(_ANYTHING, _UNBOUNDED, "wait"))
        self._kept.keeps = self._kept.is_opening = False
        self._sources.append(self._kept)
        self.last = 0
        self._of_step: list[Source] = []
        self._fetching: asyncio.Task[None] | None = None
        self._wanted = False

    def awaited(self) -> Iterator[str]:
        """Return the filters of all that wait just now, beside the agent's own inbox."""
        for waiter in self._waiters:
            if not waiter.done():
                yield from self._without_inbox(waiter.filters)

    @property
    def waiting(self) -> int:
        """How many calls wait for signals."""
        return sum(not waiter.done() for waiter in self._waiters)

    @property
    def deadlines(self) -> Iterator[float]:
        """When, by the loop's time, what waits for signals gives up."""
        for waiter in self._waiters:
            if waiter.deadline is not None and not waiter.done():
                yield waiter.deadline

    @property
    def is_busy(self) -> bool:
        """Whether signals are on their way into the store, or out of it."""
        return bool(self.arriving or self.looking) or self._fetching is not None

    async def park(self, _waiter: Waiter) -> None:
        """Commit what a step has so far, before it waits."""
        agent = self._agent
        await agent.park(waits=True)
        tell(agent.run.services, agent.name, "parked")

    # --- listening ----------------------------------------------------------------------------

    def _without_inbox(self, filters: Filters) -> Filters:
        """Leave out the agent's own inbox: what is sent to its name reaches it without a filter."""
        if self._inbox not in filters:
            return filters
        return tuple([each for each in filters if each != self._inbox])

    def listens_to(self, filters: Filters) -> bool:
        """Return whether everything that these filters match is kept in any case."""
        filters = self._without_inbox(filters)
        return not filters or super().listens_to(filters)

    async def listen(self, filters: Filters) -> None:
        """Listen on these filters from now on, also in another process."""
        filters = self._without_inbox(filters)
        self._agent.hear(filters)
        for each in split(filters):
            source = StoredSource(self, each, None)
            source.keeps = True
            await self._open(source)

    async def listen_for_this_step(self, filters: Filters) -> None:
        """Listen on these filters until the step ends."""
        for each in split(filters):
            self._of_step.append(StoredSource(self, each, None))
            await self._open(self._of_step[-1])

    async def end_step(self) -> None:
        """End what was listened to for the step."""
        sources, self._of_step = self._of_step, []
        for source in sources:
            self._drop(source)
            await source.close()

    @property
    def is_deaf(self) -> bool:
        """Whether it has heard, and hears, nothing but what comes by the store."""
        return len(self._sources) == 1 and self._heard is None

    @property
    def hears_all(self) -> bool:
        """Whether it is subscribed to all that is waited for."""
        return self.hears((*self.awaited(),))

    def move_out(self) -> Moved:
        """Give up its subscriptions, which go on; those remain that bring what others bring as well."""
        moved = [each for each in self._sources if each.keeps or each in self._of_step]
        for waiter in self._waiters:
            known = {each for source in moved for each in source.filters}
            moved += [each for each in waiter.own if not known.issuperset(each.filters)]
            waiter.own = [each for each in waiter.own if each not in moved]
        self._sources, self._of_step = [self._kept], []
        return Moved(moved, self._heard, self._muted)

    def take_over(self, moved: Moved) -> None:
        """Go on hearing what the agent's ear heard, until the step ends, or for good."""
        super().take_over(moved)
        self._of_step = [each for each in moved.sources if not each.keeps]

    # --- arriving -----------------------------------------------------------------------------

    def store_soon(self) -> asyncio.Task[None]:
        """Bring what arrived into the store, and from there here."""
        return self.fetch_soon()

    def fetch_soon(self) -> asyncio.Task[None]:
        """Bring what arrived into the store, and what lies there here; one task at a time does so."""
        self._wanted = True
        if self._fetching is None:
            self._fetching = self._loop.create_task(self._fetch_all())
        return self._fetching

    async def _fetch_all(self) -> None:
        try:
            while self._wanted:
                self._wanted = False
                await self._fetch()
        except Exception as error:  # noqa: BLE001 - nobody awaits this; the agent's own commit will fail too
            bus.error("durable.store_failed", agent=self._agent.name, error=error)
        finally:
            self._fetching = None

    async def _fetch(self) -> None:
        """Store what arrived, and take what lies in the store and is not here yet."""
        store = self._agent.store
        await self.put_into(store)
        for row in await store.signals(self._agent.name, self.last):
            self.last = row.number
            share, topic = topic_of(row.topic)
            source = self._share(share) if share else self._kept
            signal = Signal(row.number, topic, read_payload(row.payload), source)
            if not self._deliver(signal) and self._kept.queue is not None:
                self._kept.queue.put_nowait(signal)

    def _share(self, share: str) -> Source:
        """Return what says of a signal that it came by a share."""
        source = Source(self, (share,), self._kept.queue)
        source.keeps = source.is_opening = False
        return source

    def _drop(self, source: Source) -> None:
        if source is not self._kept:  # which is empty at times, and stays
            super()._drop(source)

    # --- taking -------------------------------------------------------------------------------

    def _deliver(self, signal: Signal) -> bool:
        delivered = super()._deliver(signal)
        if delivered:
            self._agent.journal.touch()
            self._agent.consumed.add(signal.number)
        return delivered

    def take(self, filters: Filters) -> Signal | None:
        """Do as every mailbox, and remember what was taken."""
        signal = super().take(filters)
        if signal is not None:
            self._agent.consumed.add(signal.number)
        return signal

    def drain(self, filters: Filters) -> list[Signal]:
        """Do as every mailbox, and remember what was taken."""
        signals = super().drain(filters)
        self._agent.consumed.update(signal.number for signal in signals)
        return signals

    def wait(self, filters: Filters, timeout: float | None, *, many: bool = False) -> Waiter:
        """Do as every mailbox; time that passed before the step was taken up again counts."""
        left = None if timeout is None else self._agent.journal.time_left(timeout)
        return super().wait(filters, left, many=many)

    def requeue(self, signals: Sequence[Signal]) -> None:
        """Do as every mailbox, and forget that they were taken."""
        self._agent.consumed.difference_update(signal.number for signal in signals)
        super().requeue(signals)

    async def close(self) -> int:
        """End all subscriptions; what came, and was not taken, stays in the store."""
        sources, self._sources = self._sources, []
        for source in sources:
            await source.close()
        if self._fetching is not None:
            await asyncio.wait([self._fetching])
        return 0
