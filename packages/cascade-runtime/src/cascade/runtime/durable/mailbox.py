"""The mailbox of a durable agent: its signals are rows of the store, in the order they were committed.

What arrives by a subscription goes to the store first; then it is fetched from there, as what other
durable agents have committed is. A signal that a step took stays a row until the step commits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cascade.common.messaging import bus
from cascade.interfaces.acknowledgement import hold
from cascade.interfaces.errors import EncodeError
from cascade.interfaces.store import Letter
from cascade.interfaces.topics import Filters, inbox_of
from cascade.runtime.concurrency.bounded_queue import BoundedQueue
from cascade.runtime.concurrency.clock import unix_time
from cascade.runtime.durable.outgoing import SILENCE
from cascade.runtime.durable.telling import tell
from cascade.runtime.durable.values import read_payload, write_payload
from cascade.runtime.signals.mailbox import Mailbox
from cascade.runtime.signals.source import Signal, Source, split
from cascade.runtime.signals.waiter import Waiter

if TYPE_CHECKING:
    from cascade.runtime.durable.agent import StoredAgent

__all__ = ["StoredMailbox"]

_ANYTHING: Filters = ("#",)
_UNBOUNDED = 2**62  # signals: what a store holds is not held in memory to be dropped


class StoredMailbox(Mailbox):
    """Keeps what arrives in the store, and tells the agent which signals its step has taken.

    Attributes:
        last: the number of the last signal that was fetched.
    """

    __slots__ = (
        "_agent",
        "_arriving",
        "_fetching",
        "_inbox",
        "_kept",
        "_of_step",
        "_releases",
        "_wanted",
        "last",
    )

    def __init__(self, agent: StoredAgent) -> None:
        """Make the mailbox of an agent; `fetch_soon` brings what lies in the store."""
        run = agent.run
        super().__init__(run.services.connector or SILENCE, run.loop, _UNBOUNDED, "wait")
        self.is_direct = False  # a signal goes to the store first
        self._agent = agent
        self._inbox = inbox_of(agent.name)
        self._kept = Source(self, _ANYTHING, BoundedQueue(_ANYTHING, _UNBOUNDED, "wait"))
        self._kept.keeps = self._kept.is_opening = False
        self._sources.append(self._kept)
        self.last = 0
        self._of_step: list[Source] = []
        self._arriving: list[Letter] = []
        self._releases: list[Any] = []
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
        return bool(self._arriving) or self._fetching is not None

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
            source = Source(self, each, None)
            source.keeps = True
            await self._open(source)

    async def listen_for_this_step(self, filters: Filters) -> None:
        """Listen on these filters until the step ends."""
        for each in split(filters):
            self._of_step.append(Source(self, each, None))
            await self._open(self._of_step[-1])

    async def end_step(self) -> None:
        """End what was listened to for the step."""
        sources, self._of_step = self._of_step, []
        for source in sources:
            self._drop(source)
            await source.close()

    # --- arriving -----------------------------------------------------------------------------

    async def receive(self, source: Source, topic: str, payload: Any) -> None:
        """Take a message that a source brought, unless a durable agent of this store said it."""
        if await self._agent.said.has(topic, payload):
            return  # it comes by the store
        if self._refuses(source, topic, payload):
            return
        if self._muted is not None and self._is_muted(source.filters, topic):
            return
        try:
            data = write_payload(topic, payload)
        except EncodeError as error:
            bus.error("durable.signal_refused", agent=self._agent.name, topic=topic, error=error)
            return
        self._arriving.append(Letter(topic, data, to=self._agent.name))
        if (held := hold.get()) is not None:
            self._releases.append(held())
        self.fetch_soon()

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
        letters, releases = [*self._arriving], [*self._releases]
        if letters:
            await store.deliver(letters, unix_time())
            del self._arriving[: len(letters)]
        for release in releases:
            release()
        del self._releases[: len(releases)]
        for row in await store.signals(self._agent.name, self.last):
            self.last = row.number
            signal = Signal(row.number, row.topic, read_payload(row.payload), self._kept)
            if not self._deliver(signal) and self._kept.queue is not None:
                self._kept.queue.put_nowait(signal)

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
