"""The handle of one subscription: what it listens to, and how it ends.

No message passes through here. A subscription costs no task while it hears nothing: the
`CallbackTask` that its callback runs in is made when a message is first on its way to it, and a
receiver costs none at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from contextvars import Context, copy_context
from typing import cast

from cascade.connectors.local.callback_task import CallbackTask
from cascade.connectors.local.direct import DirectRecipient
from cascade.connectors.local.dispatcher import Dispatcher
from cascade.connectors.local.message import Message
from cascade.interfaces.protocols import MessageCallback, OverflowPolicy, Receiver
from cascade.interfaces.topics import Filters

__all__ = ["Subscription"]


class Subscription:
    """Filters and a callback, on one event loop.

    Attributes:
        filters: what it listens to.
        dispatcher: delivers its messages, on the loop that subscribed.
        number: place in the order of all subscriptions of the broker.
        task: the task that the callback runs in, or what hands messages to a receiver; None before
            the first message.
        pass_on: gives messages that were left unread to others who share them, and returns how many
            found one; None where it shares none.
        closed: whether it takes no more messages.

    Examples:
        >>> import asyncio
        >>> import cascade as cs
        >>> async def main():
        ...     async def hear(topic, payload):
        ...         pass
        ...     async with cs.LocalBusConnector(cs.LocalBroker()) as connector:
        ...         subscription = await connector.subscribe("door/+", hear)
        ...         await subscription.unsubscribe()
        ...         return subscription.filters, subscription.closed
        >>> asyncio.run(main())
        (('door/+',), True)
    """

    __slots__ = (
        "_callback",
        "_context",
        "_limit",
        "_on_close",
        "_overflow",
        "closed",
        "dispatcher",
        "filters",
        "number",
        "pass_on",
        "task",
    )

    def __init__(
        self,
        filters: Filters,
        callback: MessageCallback | Receiver,
        dispatcher: Dispatcher,
        *,
        number: int,
        limit: int,
        overflow: OverflowPolicy,
        on_close: Callable[[Subscription], None],
        is_direct: bool = False,
    ) -> None:
        """Keep what `LocalBroker.add` was given; a callback runs in a copy of this context."""
        self.filters = filters
        self._callback = callback
        self.dispatcher = dispatcher
        self.number = number
        self.pass_on: Callable[[Collection[Message]], int] | None = None
        self._limit = limit
        self._overflow: OverflowPolicy = overflow
        self._on_close = on_close
        self._context: Context | None = None if is_direct else copy_context()
        self.task: CallbackTask | DirectRecipient | None = None
        self.closed = False

    @property
    def dropped(self) -> int:
        """How many messages its full queue has dropped."""
        queue = None if self.task is None else self.task.queue
        return 0 if queue is None else queue.dropped

    def recipient(self) -> CallbackTask | DirectRecipient:
        """Return what takes its messages; to be asked under the broker's lock."""
        if self.task is not None:
            return self.task
        context = self._context
        if context is None:
            self.task = DirectRecipient(cast("Receiver", self._callback), self.dispatcher.delivery)
        else:
            self.task = CallbackTask(
                cast("MessageCallback", self._callback),
                context,
                self.filters,
                self._limit,
                self._overflow,
                self.dispatcher.delivery,
                self.close,
            )
        return self.task

    async def replay(self, retained: list[Message] | None = None) -> None:
        """Hand over retained messages, ahead of all that waits; return once the callback is done with them.

        Args:
            retained: what to hand over; what the broker found when it added the subscription if left
                out. Give them to a subscription that was added with ``hold=True``.
        """
        task = self.task
        if task is None or self.closed:
            return
        if retained is not None:
            task.hold_retained(retained)
        self.dispatcher.schedule_drain(task)
        await task.caught_up()

    def backlog(self) -> int | None:
        """Return how many messages lie before the next one; None where it takes none just now.

        A callback that keeps messages itself says so by a method ``backlog`` of its own.
        """
        if self.closed:
            return None
        queued = 0 if self.task is None else self.task.backlog()
        kept = getattr(self._callback, "backlog", None)
        if kept is None:
            return queued
        more: int | None = kept()
        return None if more is None else queued + more

    def close(self) -> None:
        """Take no more messages; a callback in flight goes on. From any thread, any number of times."""
        self._on_close(self)
        if self.dispatcher.runs_elsewhere():  # it may be delivering a message right now
            self.dispatcher.loop.call_soon_threadsafe(self._close)
        else:
            self._close()

    def _close(self) -> None:
        self.closed = True
        if self.task is not None:
            left = self.task.close()
            if left and self.pass_on is not None:
                self.pass_on(left)
            if self.task.done():
                self.task = None  # each held the other: so both go at once

    async def unsubscribe(self) -> None:
        """End the subscription, and cancel and await a callback in flight, unless that is the caller."""
        self.close()
        dispatcher = self.dispatcher
        if dispatcher.runs_here():
            if self.task is not None:
                await self._stop()
        elif dispatcher.runs_elsewhere():
            stopping = asyncio.run_coroutine_threadsafe(self._stop(), dispatcher.loop)
            await asyncio.wrap_future(stopping)
        else:  # it stands still: what it left behind ends when it goes on
            self.abandon()

    async def _stop(self) -> None:
        if self.task is not None:
            await self.task.stop()

    def abandon(self) -> None:
        """Cancel a callback in flight on its own loop, and await nothing. From any thread."""
        loop = self.dispatcher.loop
        if self.task is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self.task.abandon)
