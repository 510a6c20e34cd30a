"""Hands messages out on one event loop: run to completion, one total order, no recursion.

A `Dispatcher` belongs to one broker and one event loop. A message goes to its subscriptions one
after the other, each callback running at once; what is published meanwhile waits in ``pending``
until the message being delivered has reached everyone. Other threads leave their messages in
``inbox``.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from cascade.common.messaging import bus
from cascade.interfaces.errors import QueueFullError
from cascade.runtime.bounded_queue import DEFAULT_LIMIT, BoundedQueue
from cascade.runtime.eager_task import enter_task, restore_task

if TYPE_CHECKING:
    from cascade.connectors.local.subscription import Subscription

__all__ = ["IDLE", "Delivery", "Dispatcher", "Message", "Route"]

Message: TypeAlias = tuple[str, Any]
"""Topic and payload."""

IDLE = object()
"""What a subscription answers when it has nothing to wait for."""

_INBOX_SLICE = 0.001  # seconds that messages from other threads may take of one turn of the loop


class Delivery(NamedTuple):
    """One message on its way to the subscriptions of this loop that it had when it was published."""

    message: Message
    subscriptions: Iterable[Subscription]


class Route(NamedTuple):
    """Where the messages of one topic go, seen from one event loop."""

    here: tuple[Subscription, ...]
    """Subscriptions of this loop, in the order they subscribed."""

    elsewhere: tuple[tuple[Dispatcher, tuple[Subscription, ...]], ...]
    """Those of other loops, by loop."""


class Dispatcher:
    """The delivery of one broker's messages on one event loop."""

    __slots__ = (
        "_scheduled",
        "crowded",
        "delivering",
        "inbox",
        "loop",
        "pending",
        "routes",
        "thread_id",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Serve the loop that runs now, in this thread."""
        self.loop = loop
        self.thread_id = threading.get_ident()
        self.routes: dict[str, Route] = {}
        self.delivering = False
        self.pending: deque[Delivery] = deque()
        self.inbox: BoundedQueue[Delivery] = BoundedQueue("(other threads)", DEFAULT_LIMIT, "wait")
        self.crowded: list[tuple[Subscription, Message]] = []
        self._scheduled = False

    def deliver(self, message: Message, subscriptions: Iterable[Subscription]) -> None:
        """Run the callbacks for a message, then for everything that they published, in order.

        Inside a delivery this only queues the message: nothing recurses.
        """
        if self.delivering:
            self.pending.append(Delivery(message, subscriptions))
            return
        loop = self.loop
        pending = self.pending
        publisher = asyncio.current_task(loop)
        self.delivering = True
        try:
            while True:
                for subscription in subscriptions:
                    enter_task(loop, subscription)
                    waits_for = subscription.run(subscription.send, message)
                    if waits_for is not IDLE:
                        subscription.suspend(waits_for)
                if not pending:
                    break
                message, subscriptions = pending.popleft()
        finally:
            self.delivering = False
            restore_task(loop, publisher)

    def post(self, delivery: Delivery) -> None:
        """Take a delivery from another thread or loop; called over there.

        Raises:
            RuntimeError: this dispatcher's loop is closed.
        """
        self.inbox.put(delivery)
        if not self._scheduled:
            self._scheduled = True
            self.loop.call_soon_threadsafe(self._empty_inbox)

    def _empty_inbox(self) -> None:
        self._scheduled = False  # first: what is posted from here on schedules anew
        inbox = self.inbox
        end = time.perf_counter() + _INBOX_SLICE
        while inbox:
            self.deliver(*inbox.take())
            if self.crowded:
                self._report_refused()
            if time.perf_counter() > end:
                break
        if inbox and not self._scheduled:
            self._scheduled = True
            self.loop.call_soon(self._empty_inbox)

    async def make_room(self, message: Message, *, may_wait: bool) -> None:
        """Settle what the last delivery left crowded: wait for room, warn, or refuse.

        Args:
            message: the publisher's own message.
            may_wait: False inside a callback, where waiting could close a circle.

        Raises:
            QueueFullError: a subscription with the policy ``error`` had no room for the message.
        """
        crowded, self.crowded = self.crowded, []
        refused = None
        for subscription, late in crowded:
            if subscription.overflow == "error":
                error = QueueFullError(late[0], subscription.topic_filter, subscription.limit)
                if late is message:
                    refused = error
                else:
                    bus.error("localbus.message_refused", topic=late[0], error=error)
            elif may_wait:
                await subscription.backlog().room()
            else:
                subscription.backlog().warn_of_growth()
        if refused is not None:
            raise refused

    def _report_refused(self) -> None:
        """Settle crowded subscriptions where the publisher is not here to be told or held."""
        crowded, self.crowded = self.crowded, []
        for subscription, late in crowded:
            if subscription.overflow == "error":
                error = QueueFullError(late[0], subscription.topic_filter, subscription.limit)
                bus.error("localbus.message_refused", topic=late[0], error=error)
