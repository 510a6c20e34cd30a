"""An agent's mailbox: one queue of signals, from which ``recv`` takes the oldest that matches.

Signals have numbers, so the oldest of all sources is found. A ``recv`` that waits goes on inside the
delivery of its signal, where the connector serves receivers, and else in the loop's next turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from itertools import count
from typing import Any

from cascade.common.messaging import bus
from cascade.interfaces.acknowledgement import Hold, hold
from cascade.interfaces.errors import MailboxFullError, QueueFullError
from cascade.interfaces.properties import Carried, received
from cascade.interfaces.protocols import Connector, OverflowPolicy
from cascade.interfaces.topics import Filters
from cascade.runtime.concurrency.bounded_queue import BoundedQueue
from cascade.runtime.signals.holds import Holds
from cascade.runtime.signals.listening import Listening
from cascade.runtime.signals.muting import Muted
from cascade.runtime.signals.source import (
    Signal,
    Source,
    by_number,
    is_asked_for,
    oldest_in,
)
from cascade.runtime.signals.waiter import Waiter

__all__ = ["Mailbox"]

_make = tuple.__new__  # a named tuple takes three times as long by its name


class Mailbox(Listening):
    """Keeps what arrives on the filters it listens to, in order, until it is taken.

    Attributes:
        park: to be awaited with a `Waiter` before a ``recv`` waits, where there is such a thing.
    """

    park: Callable[[Waiter], Coroutine[Any, Any, None]] | None = None

    __slots__ = ("_context", "_holds", "_loop", "_muted", "_next_number", "_waiters")

    def __init__(
        self,
        connector: Connector,
        loop: asyncio.AbstractEventLoop,
        limit: int,
        overflow: OverflowPolicy,
        is_own: Callable[[], bool] | None = None,
    ) -> None:
        """Make an empty mailbox that listens to nothing yet, used on a loop; see `Listening`."""
        super().__init__(connector, limit, overflow, is_own)
        self._next_number = count().__next__
        self._loop = loop
        self._waiters: list[Waiter] = []  # a deque would take 700 bytes
        self._muted: Muted | None = None
        self._holds: Holds | None = None
        self._context: Context | None = None  # of all timers: each would make its own

    # --- arriving -----------------------------------------------------------------------------

    def accept(self, source: Source, message: tuple[str, Any], is_over: Callable[[], bool]) -> bool:
        """Take a message that a source brought, inside its delivery; who waits for it goes on at once.

        Returns:
            Whether there is room for more; where there is none the publisher has to wait.
        """
        if source.had is message:
            source.had = None
            return True
        signal = self._signal_of(source, *message)
        if signal is None:
            return True
        waiter = self._find_waiter(signal)
        if waiter is None:
            return self._has_kept(signal)
        if waiter.many or is_over():
            waiter.set_result(signal)  # with all of this delivery, or in a turn of its own
            return True
        if len(self._sources) > 1:  # the agent may have ended this one when the others get it
            self._mark_had(source, message)
        waiter.resume(signal)
        return True

    async def receive(self, source: Source, topic: str, payload: Any) -> None:
        """Take a message that a source brought; where the share is full, its publisher may have to wait."""
        signal = self._signal_of(source, topic, payload)
        if signal is None or self._deliver(signal):
            return
        queue = signal.source.queue
        if not self._has_kept(signal, hold.get()) and queue is not None:
            await queue.wait_for_capacity()

    def _signal_of(self, source: Source, topic: str, payload: Any) -> Signal | None:
        """Return a message as a signal, by the source that keeps it; None where it is not for this mailbox."""
        if (len(self._sources) > 1 or not source.keeps) and self._refuses(source, topic, payload):
            return None
        if self._muted is not None and self._is_muted(source.filters, topic):
            return None
        if self.carries and (beside := received.get()):
            payload = Carried(payload, beside[-1])
        kept_by = source if source.queue is not None else self._kept_by(source, topic)
        return _make(Signal, (self._next_number(), topic, payload, kept_by or source))

    def _find_waiter(self, signal: Signal) -> Waiter | None:
        """Return who has waited longest for such a signal; a deadline of this instant comes first."""
        for waiter in self._waiters:
            if waiter.done() or not is_asked_for(signal, waiter.filters):
                continue
            if waiter.deadline is not None and self._loop.time() >= waiter.deadline:
                waiter.set_result(None)
                continue
            for source in waiter.own:
                source.is_spent = True  # though messages come by it until it is dropped
            return waiter
        return None

    def _deliver(self, signal: Signal) -> bool:
        """Give a signal to whoever waits for it, if anybody does."""
        waiter = self._find_waiter(signal)
        if waiter is None:
            return False
        waiter.set_result(signal)
        return True

    def _has_kept(self, signal: Signal, held: Hold | None = None) -> bool:
        """Keep a signal as the queue's policy says; False where its publisher has to wait."""
        queue = signal.source.queue
        if queue is None:
            return True
        if held is not None:
            self._holds = (self._holds or Holds()).keep(signal, queue, held)
        if queue.put_nowait(signal):
            return True
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(self._full(queue))
                break
        else:
            if queue.policy == "error":
                error = QueueFullError(signal.topic, queue.name, queue.limit)
                bus.error("mailbox.message_refused", topic=signal.topic, error=error)
        return queue.policy != "wait"

    def backlog(self, source: Source) -> int | None:
        """Return how many signals lie before the next one of a source, and one more where nobody waits."""
        waits = any(not each.done() and source.filters[0] in each.filters for each in self._waiters)
        if source.queue is None:
            return 0 if waits else None
        return len(source.queue) + (not waits)

    def _full(self, full: BoundedQueue[Signal]) -> MailboxFullError:
        kept = [source for source in self._sources if source.queue is not None]
        counts = {", ".join(each.filters): len(each.queue or ()) for each in kept}
        return MailboxFullError(full.name, full.limit, counts)

    def mute(self, filters: Filters, seconds: float) -> None:
        """Discard what is here on these filters, and what comes on them within so many seconds."""
        self.drain(filters)
        self._muted = self._muted or Muted()
        self._muted.add(filters, self._loop.time() + seconds)

    def _is_muted(self, arrived_by: Filters, topic: str) -> bool:
        now = self._loop.time()
        if self._muted is None or not self._muted.lasts(now):
            self._muted = None
            return False
        return self._muted.covers(arrived_by, topic, now)

    # --- taking -------------------------------------------------------------------------------

    def take(self, filters: Filters) -> Signal | None:
        """Remove and return the oldest signal that matches; None if there is none."""
        oldest: Signal | None = None
        for source in self._sources:
            if source.queue is not None and source.queue.items:
                found = oldest_in(source, source.queue.items, filters)
                if found is not None and (oldest is None or found < oldest):
                    oldest = found
        if oldest is not None and (queue := oldest.source.queue) is not None:
            queue.remove(oldest)
            if self._holds is not None:
                self._holds.release([oldest])
            if not (queue or oldest.source.brings_more):
                self._drop(oldest.source)
        return oldest

    def drain(self, filters: Filters) -> list[Signal]:
        """Remove and return every signal that matches, the oldest first."""
        found: list[Signal] = []
        for source in self._sources:
            queue = source.queue
            if queue is None or not queue.items:
                continue
            if source.filters is filters or source.filters == filters:
                found += queue.drain()
                continue
            for each in [each for each in queue.items if is_asked_for(each, filters)]:
                queue.remove(each)
                found.append(each)
        if self._holds is not None:
            self._holds.release(found)
        return found if len(self._sources) == 1 else sorted(found, key=by_number)

    def wait(self, filters: Filters, timeout: float | None, *, many: bool = False) -> Waiter:
        """Wait for the next signal that matches, where there is none; `stop_waiting` must follow.

        One who wants many goes on when the delivery under way has ended, with all that came in it.

        Raises:
            MailboxFullError: publishers are held already, by signals that nobody waits for.
        """
        for source in self._sources:
            queue = source.queue
            if queue is not None and queue.items and queue.over_capacity():
                raise self._full(queue)
        waiter = Waiter(loop=self._loop)
        waiter._go_on = None  # noqa: SLF001 - set here, since a constructor costs half as much again
        waiter.filters, waiter.deadline, waiter.timer, waiter.own = filters, None, None, ()
        waiter.many = many
        self._waiters.append(waiter)
        if timeout is not None:
            waiter.deadline = self._loop.time() + timeout
            self._context = context = self._context or Context()
            waiter.timer = self._loop.call_at(waiter.deadline, waiter.give_up, context=context)
        return waiter

    def stop_waiting(self, waiter: Waiter) -> None:
        """End a wait; a subscription that was made for it is still to be closed."""
        self._waiters.remove(waiter)
        if waiter.timer is not None:
            waiter.timer.cancel()
        for source in waiter.own:
            self._drop(source)

    def requeue(self, signals: Sequence[Signal]) -> None:
        """Put signals back in their places, or to whoever waits for one by now."""
        for signal in sorted(signals, key=by_number):
            queue = signal.source.queue
            if self._deliver(signal):
                continue
            if queue is None:  # it was taken by a `recv` of its own: it lies until another asks
                filters = signal.source.filters
                queue = self._queue(filters)
                left = Source(self, filters, queue)
                left.is_opening = left.keeps = False
                left.pass_on = signal.source.pass_on
                self._sources += [left]
                signal = signal._replace(source=left)  # noqa: PLW2901 - the same, at another place
            queue.insert(signal, by_number)
