"""One subscription: what it listens to, and the handle that ends it.

It costs no task while it hears nothing: the `CallbackTask` that its callback runs in is made when a
message is first on its way to it.
"""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from typing import Protocol

from cascade.connectors.local.callback_task import CallbackTask
from cascade.connectors.local.dispatcher import Dispatcher
from cascade.interfaces.protocols import MessageCallback, OverflowPolicy
from cascade.interfaces.topics import Filters

__all__ = ["Subscription", "SubscriptionOwner"]


class SubscriptionOwner(Protocol):
    """Whoever keeps books of subscriptions."""

    def forget(self, subscription: Subscription, /) -> None:
        """Take an ended subscription off the books; from any thread, and more than once."""


class Subscription:
    """Filters and a callback, on one event loop.

    Attributes:
        filters: what it listens to.
        callback: what it runs for each message.
        dispatcher: hands the messages out, on the loop that subscribed.
        number: place in the order of all subscriptions of the broker.
        limit: messages that wait at most.
        overflow: what happens to one more.
        context: where the callback runs: a copy of the subscriber's.
        task: the task that the callback runs in; None before the first message.
        closed: whether it takes no more messages.
    """

    __slots__ = (
        "_owner",
        "callback",
        "closed",
        "context",
        "dispatcher",
        "filters",
        "limit",
        "number",
        "overflow",
        "task",
    )

    def __init__(
        self,
        filters: Filters,
        callback: MessageCallback,
        dispatcher: Dispatcher,
        *,
        number: int,
        limit: int,
        overflow: OverflowPolicy,
        owner: SubscriptionOwner,
    ) -> None:
        """Be ready; the owner is told when the subscription has ended, and the rest is as above."""
        self.filters = filters
        self.callback = callback
        self.dispatcher = dispatcher
        self.number = number
        self.limit = limit
        self.overflow: OverflowPolicy = overflow
        self._owner = owner
        self.context = copy_context()
        self.task: CallbackTask | None = None
        self.closed = False

    @property
    def name(self) -> str:
        """What reports call it: its filters."""
        return ", ".join(self.filters)

    @property
    def dropped(self) -> int:
        """How many messages its full queue has dropped."""
        queue = None if self.task is None else self.task.queue
        return 0 if queue is None else queue.dropped

    def recipient(self) -> CallbackTask:
        """Return the task that takes its messages; to be asked under the broker's lock."""
        if self.task is None:
            self.task = CallbackTask(self)
        return self.task

    def close(self) -> None:
        """Take no more messages; a callback in flight goes on. From any thread."""
        self._owner.forget(self)
        if self.dispatcher.runs_elsewhere():  # it may be handing a message over right now
            self.dispatcher.loop.call_soon_threadsafe(self._close)
        else:
            self._close()

    def _close(self) -> None:
        self.closed = True
        if self.task is not None:
            self.task.close()
            if self.task.done():
                self.task = None  # each held the other: so both go at once

    async def unsubscribe(self) -> None:
        """End the subscription, and cancel and await a callback in flight, unless that is the caller."""
        self.close()
        dispatcher = self.dispatcher
        if dispatcher.runs_here():
            if self.task is not None:
                await self.task.stop()
        elif dispatcher.runs_elsewhere():
            stopping = asyncio.run_coroutine_threadsafe(self._stop(), dispatcher.loop)
            await asyncio.wrap_future(stopping)
        else:  # it stands still: what it left behind ends when it goes on
            self.abandon()

    async def _stop(self) -> None:
        if self.task is not None:
            await self.task.stop()

    def abandon(self) -> None:
        """Have the loop cancel a callback in flight, and await nothing. From any thread."""
        loop = self.dispatcher.loop
        if self.task is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self.task.abandon)
