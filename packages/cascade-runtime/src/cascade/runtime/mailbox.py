"""A run's mailbox: signals that came while the run was not looking."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, TypeAlias

from cascade.common.messaging import bus
from cascade.interfaces.errors import QueueFullError
from cascade.interfaces.protocols import (
    Connector,
    MessageCallback,
    OverflowPolicy,
    SubscriptionHandle,
)
from cascade.interfaces.topics import has_wildcard, matches
from cascade.runtime.bounded_queue import BoundedQueue

__all__ = ["Filters", "Mailbox", "Signal", "as_filters", "give_up"]

Signal: TypeAlias = tuple[str, Any]
"""Topic and payload."""

Filters: TypeAlias = tuple[str, ...]


def as_filters(topic: str | Sequence[str]) -> Filters:
    """Return one filter or several as a tuple.

    Raises:
        ValueError: the sequence is empty.
    """
    filters = (topic,) if isinstance(topic, str) else tuple(topic)
    if not filters:
        raise ValueError("recv needs at least one topic filter")
    return filters


class Mailbox:
    """Keeps what arrives on some filters, in order, until it is taken."""

    __slots__ = ("_filters", "_handles", "_limit", "_overflow", "_signals", "_takers")

    def __init__(self, filters: Filters, limit: int, overflow: OverflowPolicy) -> None:
        """Make an empty mailbox; `open` lets signals in."""
        self._filters = filters
        self._limit = limit
        self._overflow: OverflowPolicy = overflow
        self._signals: BoundedQueue[Signal] = BoundedQueue(", ".join(filters), limit, overflow)
        self._takers: deque[asyncio.Future[Signal | None]] = deque()
        self._handles: list[SubscriptionHandle] = []

    async def open(self, connector: Connector) -> None:
        """Subscribe to every filter."""
        for position, topic_filter in enumerate(self._filters):
            earlier = [
                each for each in self._filters[:position] if _may_overlap(each, topic_filter)
            ]
            callback = self._callback(earlier)
            self._handles.append(await connector.subscribe(topic_filter, callback))

    async def close(self) -> None:
        """End the subscriptions; what was not taken is forgotten."""
        while self._handles:
            await self._handles.pop().unsubscribe()

    def _callback(self, earlier: Sequence[str]) -> MessageCallback:
        """Return what takes a signal in, once: the first filter that matches has it."""

        async def take_in(topic: str, payload: Any) -> None:
            for topic_filter in earlier:
                if matches(topic_filter, topic):
                    return
            signal = (topic, payload)
            while self._takers:
                taker = self._takers.popleft()
                if not taker.done():
                    taker.set_result(signal)
                    return
            if not self._signals.put(signal):
                if self._overflow == "error":
                    error = QueueFullError(topic, ", ".join(self._filters), self._limit)
                    bus.error("localbus.message_refused", topic=topic, error=error)
                else:
                    await self._signals.room()

        return take_in

    def __len__(self) -> int:
        """Return how many signals lie here."""
        return len(self._signals)

    async def take(self, timeout: float | None) -> Signal | None:
        """Take the oldest signal, waiting for one up to ``timeout`` seconds; None if none came."""
        if self._signals:
            return self._signals.take()
        loop = asyncio.get_running_loop()
        taker: asyncio.Future[Signal | None] = loop.create_future()
        self._takers.append(taker)
        timer = None if timeout is None else loop.call_later(timeout, give_up, taker)
        try:
            return await taker
        except asyncio.CancelledError:
            if taker.done() and not taker.cancelled():
                signal = taker.result()
                if signal is not None:  # it came in the very moment of the cancellation
                    self._signals.put_back(signal)
            raise
        finally:
            if timer is not None:
                timer.cancel()


def _may_overlap(one: str, other: str) -> bool:
    """Tell whether some topic may match both filters; a yes may be wrong, a no is not."""
    return one == other or has_wildcard(one) or has_wildcard(other)


def give_up(taker: asyncio.Future[Signal | None]) -> None:
    """Tell whoever waits for a signal that the time is over."""
    if not taker.done():
        taker.set_result(None)
