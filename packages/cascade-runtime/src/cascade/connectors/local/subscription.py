"""One subscription: its callback, and the task that the callback runs in.

A subscription is its own `EagerTask`, for as long as it lives. Inside the task a generator, the
pump, takes a message, runs the callback, and yields `IDLE`; so a callback that does not wait costs
one ``send``. When a callback waits, the pump stands mid-flight and goes on with the event loop,
while later messages gather in the queue. Four states, told by where ``send`` points:

    unused    → `_start_pump`: a subscription that hears nothing has no pump
    idle      → the pump's own ``send``: the callback runs at once
    occupied  → `_enqueue`: a callback waits, or retained messages come first
    closed    → `_discard`
"""

from __future__ import annotations

import asyncio
import types
from asyncio import tasks as asyncio_tasks
from collections.abc import Callable, Generator
from contextvars import ContextVar, copy_context
from typing import Any, Protocol

from cascade.common.messaging import bus
from cascade.connectors.local.dispatcher import CATCH_UP, IDLE, Dispatcher, Message
from cascade.interfaces.protocols import MessageCallback, OverflowPolicy
from cascade.runtime.bounded_queue import BoundedQueue
from cascade.runtime.eager_task import EagerTask

__all__ = ["Subscription", "inside_callback"]

inside_callback: ContextVar[bool] = ContextVar("inside_callback", default=False)
"""True in every callback, and in what it starts: there a publish never waits."""

_DRAIN_SLICE = 2048  # messages taken from the queue before the loop gets a turn


def _nothing() -> Generator[Any, Any, None]:
    yield


_UNUSED = _nothing()  # stands for the pump until there is one


def _run_directly(function: Callable[[Message], Any], message: Message) -> Any:
    """Call without entering the callback's context, which may be entered already."""
    return function(message)


def _discard(_message: Message) -> object:
    return IDLE


class SubscriptionOwner(Protocol):
    """Whoever keeps books of subscriptions."""

    def forget(self, subscription: Subscription, /) -> None:
        """Take an ended subscription off the books; from any thread, and more than once."""


class Subscription(EagerTask[None]):
    """A filter, a callback, the context and task it runs in, and the messages that wait for it."""

    __slots__ = (
        "_caught_up",
        "_closed",
        "_in_flight",
        "callback",
        "dispatcher",
        "limit",
        "number",
        "overflow",
        "owner",
        "queue",
        "retained",
        "run",
        "send",
        "topic_filter",
    )

    def __init__(
        self,
        topic_filter: str,
        callback: MessageCallback,
        dispatcher: Dispatcher,
        *,
        number: int,
        limit: int,
        overflow: OverflowPolicy,
        owner: SubscriptionOwner,
    ) -> None:
        """Be ready for messages on the dispatcher's loop.

        Args:
            topic_filter: what it listens to.
            callback: what it runs for each message.
            dispatcher: hands the messages out.
            number: place in the order of all subscriptions of the broker.
            limit: messages that wait at most.
            overflow: what happens to one more.
            owner: is told when the subscription has ended.
        """
        context = copy_context()
        context.run(inside_callback.set, True)
        super().__init__(_UNUSED, dispatcher.loop, context)
        self.topic_filter = topic_filter
        self.callback = callback
        self.dispatcher = dispatcher
        self.number = number
        self.limit = limit
        self.overflow: OverflowPolicy = overflow
        self.queue: BoundedQueue[Message] | None = None  # made at first need, by `backlog`
        self.owner = owner
        self._closed = False
        self._in_flight = False
        self.retained: list[Message] = []  # still to be handed over, the oldest at the end
        self._caught_up: asyncio.Future[None] | None = None
        self.run: Callable[..., Any] = _run_directly
        self.send: Callable[[Message], Any] = self._start_pump

    @types.coroutine
    def _pump(self) -> Generator[Any, Message, None]:
        try:
            topic, payload = yield IDLE
            while True:
                try:
                    yield from self.callback(topic, payload)
                except Exception as error:  # noqa: BLE001 - the edge: the subscription outlives its callback's errors
                    self._report(topic, error)
                except asyncio.CancelledError as error:
                    if (
                        not self._cancel_requests
                    ):  # nobody asked it to stop: something it awaited was
                        self._report(topic, error)
                topic, payload = yield IDLE
        except GeneratorExit:
            raise
        except (
            BaseException
        ):  # an interrupt goes to whoever runs the loop, and ends this as any task
            self.close()
            raise

    def _report(self, topic: str, error: BaseException) -> None:
        bus.error(
            "localbus.retained_callback_error" if self.retained else "localbus.callback_error",
            topic=topic,
            error=error,
        )

    # --- states -------------------------------------------------------------------------------

    def _start_pump(self, message: Message) -> Any:
        self._make_pump()
        self._become_idle()
        return self.run(self.send, message)

    def _make_pump(self) -> None:
        self._coro = self._pump()
        next(self._coro)  # to its first yield

    def _become_idle(self) -> None:
        self.run = self._context.run
        self.send = self._coro.send

    def _become_occupied(self) -> None:
        self.run = _run_directly
        self.send = self._enqueue

    def backlog(self) -> BoundedQueue[Message]:
        """Return the queue of messages that wait for the callback."""
        if self.queue is None:
            self.queue = BoundedQueue(self.topic_filter, self.limit, self.overflow)
        return self.queue

    def _enqueue(self, message: Message) -> Any:
        if message is CATCH_UP:
            return self._context.run(self._drain)
        if not self.backlog().put(message):
            self.dispatcher.crowded.append((self, message))
        return IDLE

    # --- the life of a message ----------------------------------------------------------------

    def suspend(self, waits_for: Any) -> None:
        """Go on with the event loop: the callback waits for something."""
        self._in_flight = True
        if not self._closed:
            self._become_occupied()
        asyncio_tasks._register_task(self)  # type: ignore[arg-type]  # noqa: SLF001 - the documented hook
        super()._park(waits_for)

    def _park(self, yielded: Any) -> None:
        """Take what the pump yields after it was woken: a new wait, or the end of a callback."""
        if yielded is not IDLE:
            super()._park(yielded)
            return
        self._in_flight = False
        asyncio_tasks._unregister_task(self)  # type: ignore[arg-type]  # noqa: SLF001 - the documented hook
        if self._cancel_requests:
            self.close()
        if self._closed:
            self._finish()
            return
        self._count_retained()
        waits_for = self._drain()
        if waits_for is not IDLE:
            self.suspend(waits_for)

    def _drain(self) -> Any:
        """Run the callback for what waits in the queue; inside the callback's context."""
        send = self._coro.send
        for _ in range(_DRAIN_SLICE):
            if self._closed:
                return IDLE
            if self.retained:
                waits_for = send(
                    self.retained[-1]
                )  # stays there until the callback is done with it
                if waits_for is IDLE:
                    self._count_retained()
            elif self.queue:
                waits_for = send(self.queue.take())
            else:
                self._become_idle()
                return IDLE
            if waits_for is not IDLE:
                return waits_for
        self.get_loop().call_soon(self.dispatcher.nudge, self)
        return IDLE

    # --- retained messages --------------------------------------------------------------------

    def hold_retained(self, messages: list[Message]) -> None:
        """Put retained messages ahead of everything live; limit and policy do not touch them."""
        self._make_pump()
        self._become_occupied()
        self.retained = messages[::-1]

    def _count_retained(self) -> None:
        if self.retained:
            self.retained.pop()
            if not self.retained and self._caught_up is not None:
                _settle(self._caught_up)

    async def caught_up(self) -> None:
        """Wait until the callback is done with every retained message."""
        if self.retained:
            self._caught_up = self.get_loop().create_future()
            await self._caught_up

    # --- the end ------------------------------------------------------------------------------

    def close(self) -> None:
        """Take no more messages; a callback in flight goes on. From any thread."""
        self.owner.forget(self)
        if self.dispatcher.runs_elsewhere():  # it may be handing a message over right now
            self.get_loop().call_soon_threadsafe(self._close)
        else:
            self._close()

    def _close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self.run = _run_directly
        self.send = _discard
        if self.queue is not None:
            self.queue.clear()
        self.retained.clear()
        if self._caught_up is not None:
            _settle(self._caught_up)
        if not (self._in_flight or self._pump_runs()):
            self._coro.close()  # the pump holds this object: without it, both go at once
            self._finish()

    def _pump_runs(self) -> bool:
        pump: Any = self._coro
        return bool(pump.gi_running)

    async def unsubscribe(self) -> None:
        """End the subscription, and cancel and await a callback in flight, unless that is the caller."""
        self.close()
        loop = self.get_loop()
        if self.dispatcher.runs_here():
            await self._end_callback()
        elif self.dispatcher.runs_elsewhere():
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._end_callback(), loop))
        elif not loop.is_closed():  # it stands still: what it left behind ends when it goes on
            loop.call_soon_threadsafe(self.abandon)

    async def _end_callback(self) -> None:
        # A callback that runs and is not the caller stands further down in this very stack: it
        # published, and the caller runs for that message.
        if self._in_flight or self._pump_runs():
            caller: object = asyncio.current_task()
            if caller is not self:
                self.cancel()
                await asyncio.wait([self])

    def abandon(self) -> None:
        """Cancel a callback in flight and await nothing; called on the subscription's loop."""
        if self._in_flight:
            self.cancel()

    def cancel(self, msg: Any = None) -> bool:
        """Ask the callback to stop, as `asyncio.Task.cancel` does; that ends the subscription."""
        if self._in_flight:
            return super().cancel(msg)
        if not self._pump_runs():
            self.close()
            return False
        # It has not waited yet, and may take the request back or end before it is carried out.
        self.get_loop().call_soon(self._end_if_cancelled)
        return super().cancel(msg)

    def _end_if_cancelled(self) -> None:
        if not self._in_flight and (self._cancel_requests or self._closed):
            self.close()
            self._finish()

    def _finish(self) -> None:
        if not self.done():
            self.set_result(None)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
