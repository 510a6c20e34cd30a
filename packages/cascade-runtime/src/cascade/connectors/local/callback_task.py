"""The task that a subscription's callback runs in, and where a message for it goes just now.

Inside the task a generator, the pump, takes a message, runs the callback, and yields `IDLE`; so a
callback that does not wait costs one ``send``. When a callback waits, the pump stands mid-flight and
goes on with the event loop, while later messages gather in a queue. ``send`` points where the next
message goes::

                    callback waits, or retained messages come first
              ┌──────────────────────────────────────────────────────┐
              │                                                      ▼
    made ──▶ idle: the pump's own ``send``          occupied: `_enqueue`, to the queue
              │  ▲                                                   │  │
              │  └───────────────── queue drained ───────────────────┘  │
              └─── unsubscribed or cancelled ──▶ closed: `_discard` ◀───┘

Back-pressure: where `_enqueue` finds the queue full, it enters it in the list ``over_capacity``, and
whoever published looks there before it goes on.

Cancellation: `stop` cancels the callback in flight and awaits it. A callback that swallows the
request keeps the subscription (`EagerTask.uncancel` counts); one that ends by it ends the
subscription too, since asyncio's rule is that a cancelled task is over.
"""

from __future__ import annotations

import asyncio
import types
from asyncio import tasks as asyncio_tasks
from collections import deque
from collections.abc import Callable, Collection, Generator, Sized
from contextvars import Context
from typing import Any

from cascade.common.messaging import bus
from cascade.connectors.local.callback import comes_from_outside
from cascade.connectors.local.message import DRAIN, IDLE, Message
from cascade.connectors.local.recipient import LoopDelivery
from cascade.interfaces.protocols import MessageCallback, OverflowPolicy
from cascade.interfaces.topics import Filters
from cascade.runtime.concurrency.bounded_queue import BoundedQueue
from cascade.runtime.concurrency.eager_task import EagerTask
from cascade.runtime.concurrency.futures import release

__all__ = ["CallbackTask"]

_NOTHING_RETAINED: deque[Message] = deque(maxlen=0)
_DRAIN_SLICE = 2048  # queued messages that the callback gets before the loop has a turn


def _run_directly(function: Callable[[Message], Any], message: Message) -> Any:
    """Call without entering the callback's context, which may be entered already."""
    return function(message)


def _discard(_message: Message) -> object:
    return IDLE


class CallbackTask(EagerTask[None]):
    """Runs a callback for one message after the other, as long as its subscription lives.

    Attributes:
        queue: messages that wait for the callback; None before the first one has to.
        run: with ``send``, how to hand over a message.
        send: see the states above.
    """

    __slots__ = (
        "_caught_up",
        "_close_subscription",
        "_closed",
        "_delivery",
        "_filters",
        "_in_flight",
        "_is_behind",
        "_limit",
        "_overflow",
        "_pump",
        "_retained",
        "queue",
        "run",
        "send",
    )

    def __init__(  # noqa: PLR0917 - by name they cost a third of making a task
        self,
        callback: MessageCallback,
        context: Context,
        filters: Filters,
        limit: int,
        overflow: OverflowPolicy,
        delivery: LoopDelivery,
        close_subscription: Callable[[], None],
    ) -> None:
        """Prepare to run the callback; ``close_subscription`` hears when it ends by itself."""
        self._pump: Any = self._run_callbacks(
            callback
        )  # not every `Generator` tells ``gi_running``
        next(self._pump)  # to its first yield
        super().__init__(self._pump, delivery.loop, context)
        self._filters = filters
        self._limit = limit
        self._overflow: OverflowPolicy = overflow
        self._delivery = delivery
        self._close_subscription = close_subscription
        self.queue: BoundedQueue[Message] | None = None
        self._retained = _NOTHING_RETAINED
        self._is_behind = False  # whether there are retained messages that the callback has not had
        self._caught_up: asyncio.Future[None] | None = None
        self._in_flight = False
        self._closed = False
        self.run: Callable[..., Any] = context.run
        self.send: Callable[[Message], Any] = self._pump.send

    @types.coroutine
    def _run_callbacks(self, callback: MessageCallback) -> Generator[Any, Message, None]:
        try:
            topic, payload = yield IDLE
            while True:
                try:
                    yield from callback(topic, payload)
                except Exception as error:  # noqa: BLE001 - the edge: the subscription outlives its callback's errors
                    self._report(topic, error)
                except asyncio.CancelledError as error:
                    if not self._cancel_requests:  # nobody asked it to stop: what it awaited was
                        self._report(topic, error)
                except GeneratorExit as error:
                    if comes_from_outside(error):
                        raise
                    self._report(topic, error)
                topic, payload = yield IDLE
        except GeneratorExit:
            raise
        except BaseException:  # an interrupt: on to whoever runs the loop; it ends this as any task
            self._close_subscription()
            raise

    def _report(self, topic: str, error: BaseException) -> None:
        kind = "retained_callback_error" if self._is_behind else "callback_error"
        bus.error(f"localbus.{kind}", topic=topic, error=error)

    # --- states -------------------------------------------------------------------------------

    def _become_occupied(self) -> None:
        self.run = _run_directly
        self.send = self._enqueue

    def _enqueue(self, message: Message) -> Any:
        if message is DRAIN:
            return self._context.run(self._drain)
        if self.queue is None:
            self.queue = BoundedQueue(self._filters, self._limit, self._overflow)
        if not self.queue.put_nowait(message):
            self._delivery.over_capacity.append((self.queue, message))
        return IDLE

    def applies_back_pressure(self) -> bool:
        """Return whether its publishers have to wait until the queue has capacity again."""
        queue = self.queue
        return queue is not None and queue.policy == "wait" and queue.over_capacity()

    def may_refuse_or_hold(self, before: int) -> bool:
        """Return whether the publisher of a message, behind so many, has to hear what becomes of it."""
        if self._overflow == "wait":
            return before + len(self.queue or ()) >= self._limit
        return self._overflow == "error"

    def backlog(self) -> int:
        """Return how many messages lie before the next one, with the one that the callback has."""
        return self._in_flight + len(self.queue or ())

    # --- from message to message --------------------------------------------------------------

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
            self._close_subscription()
        if self._closed:
            self._finish()
            return
        waits_for = self._drain()
        if waits_for is not IDLE:
            self.suspend(waits_for)

    def _drain(self) -> Any:
        """Run the callback for what waits, retained messages first; inside its context.

        Returns what the callback waits for, or `IDLE`.
        """
        waits_for = self._process_backlog(self._retained, self._retained.popleft)
        if waits_for is IDLE and not self._retained:
            self._catch_up()
            if self.queue:
                waits_for = self._process_backlog(self.queue, self.queue.get_nowait)
        if waits_for is not IDLE or self._closed:
            return waits_for
        if self._retained or self.queue:  # the loop has a turn before the rest
            self.get_loop().call_soon(self._delivery.schedule_drain, self)
        else:
            self.run = self._context.run
            self.send = self._pump.send
        return IDLE

    def _process_backlog(self, waiting: Sized, get: Callable[[], Message]) -> Any:
        send = self._pump.send
        for _ in range(_DRAIN_SLICE):
            if not waiting:  # closing empties it, too
                break
            waits_for = send(get())
            if waits_for is not IDLE:
                return waits_for
        return IDLE

    # --- retained messages --------------------------------------------------------------------

    def hold_retained(self, messages: list[Message]) -> None:
        """Put retained messages ahead of everything live; the limit does not count them."""
        self._retained = deque(messages)
        self._is_behind = True
        self._become_occupied()

    def _catch_up(self) -> None:
        self._is_behind = False
        if self._caught_up is not None:
            release(self._caught_up)

    async def caught_up(self) -> None:
        """Wait until the callback is done with every retained message, or the subscription ends."""
        if self._is_behind and not self._closed:
            self._caught_up = self.get_loop().create_future()
            await self._caught_up

    # --- the end ------------------------------------------------------------------------------

    def close(self) -> Collection[Message]:
        """Take no more messages, and end as soon as no callback runs; return what waited."""
        if self._closed:
            return ()
        self._closed = True
        self.run = _run_directly
        self.send = _discard
        left = () if self.queue is None else self.queue.drain()
        self._retained.clear()
        if self._caught_up is not None:
            release(self._caught_up)
        if not self._is_running():
            self._pump.close()  # the pump holds this object: without it, both go at once
            self._finish()
        return left

    def _is_running(self) -> bool:
        return bool(self._in_flight or self._pump.gi_running)

    async def stop(self) -> None:
        """Cancel and await a callback in flight, unless that is the caller."""
        if self._is_running():
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
        if not self._pump.gi_running:
            self._close_subscription()
            return False
        # It has not waited yet, and may take the request back or end before it is carried out.
        self.get_loop().call_soon(self._end_if_cancelled)
        return super().cancel(msg)

    def _end_if_cancelled(self) -> None:
        if not self._in_flight and (self._cancel_requests or self._closed):
            self._close_subscription()
            self._finish()

    def _finish(self) -> None:
        if not self.done():
            self.set_result(None)
