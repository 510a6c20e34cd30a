"""A run's mailbox: signals that came while the run was not looking."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine
from contextvars import Context
from typing import Any, TypeAlias

from cascade.common.messaging import bus
from cascade.interfaces.errors import QueueFullError
from cascade.interfaces.properties import Carried, received
from cascade.interfaces.protocols import (
    Connector,
    MessageCallback,
    OverflowPolicy,
    SubscriptionHandle,
)
from cascade.interfaces.topics import Filters
from cascade.runtime.concurrency.bounded_queue import BoundedQueue

__all__ = ["Mailbox", "Signal", "next_signal"]

Signal: TypeAlias = tuple[str, Any]
"""Topic and payload; where something came beside it, the payload is a `Carried`."""


class Mailbox:
    """Keeps what arrives on some filters, in order, until it is taken.

    Attributes:
        filters: the filters.
        carries: whether a payload may be a `Carried`.
    """

    __slots__ = (
        "_getters",
        "_handle",
        "_limit",
        "_muted_on",
        "_muted_until",
        "_overflow",
        "_signals",
        "_timers_context",
        "carries",
        "filters",
    )

    def __init__(self, filters: Filters, limit: int, overflow: OverflowPolicy) -> None:
        """Make an empty mailbox; `open` lets signals in."""
        self.filters = filters
        self.carries = False
        self._limit = limit
        self._overflow: OverflowPolicy = overflow
        self._signals: BoundedQueue[Signal] = BoundedQueue(filters, limit, overflow)
        self._muted_on: asyncio.AbstractEventLoop | None = None
        self._muted_until = 0.0
        self._timers_context: Context | None = None  # one for all: each would make its own
        self._getters: list[asyncio.Future[Signal | None]] = []  # a deque would take 700 bytes
        self._handle: SubscriptionHandle | None = None

    async def open(self, connector: Connector) -> None:
        """Subscribe to the filters."""
        self.carries = getattr(connector, "carries_properties", False)
        receive = self._receive_carried if self.carries else self._receive
        self._handle = await _subscribe(connector, self.filters, receive)

    async def close(self) -> None:
        """End the subscription; what was not taken is forgotten."""
        handle, self._handle = self._handle, None
        if handle is not None:
            await handle.unsubscribe()

    async def _receive(self, topic: str, payload: Any) -> None:
        if self._muted_on is not None:
            if self._muted_on.time() < self._muted_until:
                return
            self._muted_on = None
        signal = (topic, payload)
        while self._getters:
            getter = self._getters.pop(0)
            if not getter.done():
                getter.set_result(signal)
                return
        if not self._signals.put_nowait(signal):
            if self._overflow == "error":
                error = QueueFullError(topic, ", ".join(self.filters), self._limit)
                bus.error("mailbox.message_refused", topic=topic, error=error)
            else:
                await self._signals.wait_for_capacity()

    def _receive_carried(self, topic: str, payload: Any) -> Coroutine[Any, Any, None]:
        return self._receive(topic, _with_properties(payload))

    def get_nowait(self) -> Signal | None:
        """Remove and return the oldest signal; None if there is none."""
        return self._signals.get_nowait() if self._signals.items else None

    def mute(self, seconds: float, loop: asyncio.AbstractEventLoop) -> None:
        """Discard what is here, and what comes within so many seconds of the loop's clock.

        Raises:
            ValueError: the number is negative.
        """
        _check(seconds)
        self._signals.clear()
        self._muted_on = loop
        self._muted_until = loop.time() + seconds

    def drain(self) -> Collection[Signal]:
        """Remove and return every signal that is here, the oldest first."""
        return self._signals.drain() if self._signals.items else ()

    def wait_next(
        self, timeout: float | None, loop: asyncio.AbstractEventLoop
    ) -> tuple[asyncio.Future[Signal | None], asyncio.TimerHandle | None]:
        """Wait for the next signal, at an empty mailbox.

        Returns:
            A future that gets the signal, or None after ``timeout`` seconds, and the timer for that, to
            be cancelled. Who is cancelled while awaiting the future has to call `requeue`.
        """
        getter: asyncio.Future[Signal | None] = loop.create_future()
        self._getters.append(getter)
        if timeout is None:
            return getter, None
        context = self._timers_context
        if context is None:
            context = self._timers_context = Context()
        return getter, loop.call_at(loop.time() + timeout, _give_up, getter, context=context)

    def requeue(self, getter: asyncio.Future[Signal | None]) -> None:
        """Put the signal back that came in the very moment in which its getter was cancelled."""
        signal = getter.result() if getter.done() and not getter.cancelled() else None
        if signal is not None:
            self._signals.requeue(signal)


async def next_signal(
    connector: Connector, filters: Filters, timeout: float | None, holdoff: float = 0.0
) -> Signal | None:
    """Subscribe, wait for one signal, and leave nothing behind; None if it did not come in time.

    Args:
        connector: a connected connector.
        filters: what to listen to.
        timeout: seconds on the event loop's clock; None waits for ever.
        holdoff: seconds of the same until it listens at all; the timeout counts from the call.

    Raises:
        ValueError: the holdoff is negative.
    """
    loop = asyncio.get_running_loop()
    if holdoff:
        _check(holdoff)
        await asyncio.sleep(holdoff if timeout is None else min(holdoff, timeout))
        timeout = None if timeout is None else max(0.0, timeout - holdoff)
    arrived: asyncio.Future[Signal | None] = loop.create_future()

    carries = getattr(connector, "carries_properties", False)

    async def receive(topic: str, payload: Any) -> None:
        if not arrived.done():
            arrived.set_result((topic, _with_properties(payload) if carries else payload))

    handle = await _subscribe(connector, filters, receive)
    timer = None
    try:
        if timeout is not None:
            timer = loop.call_later(timeout, _give_up, arrived)
        return await arrived
    finally:
        if timer is not None:
            timer.cancel()
        await handle.unsubscribe()


async def _subscribe(
    connector: Connector, filters: Filters, callback: MessageCallback
) -> SubscriptionHandle:
    """Subscribe to filters; one alone goes as plain text, which any connector takes."""
    return await connector.subscribe(filters[0] if len(filters) == 1 else filters, callback)


def _with_properties(payload: Any) -> Any:
    """Return a payload with what came beside it, inside the callback that it came to."""
    beside = received.get()
    return Carried(payload, beside[-1]) if beside else payload


def _check(holdoff: float) -> None:
    if holdoff < 0:
        raise ValueError(f"a holdoff is a number of seconds of 0 or more, not {holdoff}")


def _give_up(getter: asyncio.Future[Signal | None]) -> None:
    """Let whoever waits for a signal go on without one: the time is over."""
    if not getter.done():
        getter.set_result(None)
