"""Hands messages out on one event loop: run to completion, one total order, no recursion.

A `Dispatcher` belongs to one broker and one event loop. A message goes to its recipients one
after the other, each callback running at once; what is published meanwhile waits in ``pending``
until the message being delivered has reached everyone. Other threads leave their messages in
``inbox``.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from cascade.common.messaging import bus
from cascade.interfaces.errors import QueueFullError
from cascade.interfaces.protocols import OverflowPolicy
from cascade.runtime.bounded_queue import DEFAULT_LIMIT, BoundedQueue
from cascade.runtime.current_task import current_tasks, restore_task

__all__ = [
    "CATCH_UP",
    "IDLE",
    "Delivery",
    "Dispatcher",
    "Message",
    "Recipient",
    "Recipients",
    "Route",
]

Message: TypeAlias = tuple[str, Any]
"""Topic and payload."""

CATCH_UP: Message = ("", None)
"""Not a message but a nudge: begin with what the queue holds."""

IDLE = object()
"""What a recipient answers when it has nothing to wait for."""

_INBOX_SLICE = 0.001  # seconds that messages from other threads may take of one turn of the loop


class Bounded(Protocol):
    """What the dispatcher asks of a subscription: how much may wait for it, and what its name is."""

    limit: int
    overflow: OverflowPolicy

    @property
    def name(self) -> str:
        """What reports call it."""


class Recipient(Protocol):
    """What the dispatcher hands messages to: the task of a callback, which stands on this module."""

    @property
    def subscription(self) -> Bounded:
        """Whose callback it is."""

    run: Callable[..., Any]
    send: Callable[[Message], Any]
    """``run(send, message)`` gives `IDLE`, or what the callback waits for."""
    queue: BoundedQueue[Message] | None

    def suspend(self, waits_for: Any) -> None:
        """Go on with the event loop: the callback waits for something."""

    def backlog(self) -> BoundedQueue[Message]:
        """Return the queue of messages that wait for the callback."""


Recipients: TypeAlias = tuple[Recipient, ...]
"""Those of one event loop that a message goes to, in the order they subscribed."""

Route: TypeAlias = tuple[Recipients, tuple[tuple["Dispatcher", Recipients], ...]]
"""Where the messages of one topic go, seen from one loop: who is on it, and who is on others."""

Delivery: TypeAlias = tuple[Message, Recipients]
"""One message on its way to those of this loop who subscribed before it was published."""


class Dispatcher:
    """The delivery of one broker's messages on one event loop."""

    __slots__ = (
        "_scheduled",
        "crowded",
        "delivering",
        "inbox",
        "loop",
        "mixed_routes",
        "pending",
        "routes",
        "thread_id",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Serve the loop that runs now, in this thread."""
        self.loop = loop
        self.thread_id = threading.get_ident()
        self.routes: dict[str, Recipients] = {}
        """Topics that are heard on this loop alone: the short way."""
        self.mixed_routes: dict[str, Route] = {}
        """Topics that are heard on other loops too."""
        self.delivering = False
        self.pending: deque[Delivery] = deque()
        self.inbox: BoundedQueue[Delivery] = BoundedQueue("(other threads)", DEFAULT_LIMIT, "wait")
        self.crowded: list[tuple[Recipient, Message]] = []
        self._scheduled = False

    def deliver(self, message: Message, recipients: Recipients) -> None:
        """Hand a message out; inside a delivery, after the one being delivered: nothing recurses."""
        self.pending.append((message, recipients))
        if not self.delivering:
            self.hand_out()

    def hand_out(self) -> None:
        """Run the callbacks for everything that is pending, and for what they publish, in order.

        An interrupt such as `KeyboardInterrupt` goes up at once; the next turn of the loop hands
        out the rest, and until then everything queues behind it.
        """
        loop = self.loop
        pending = self.pending
        publisher = current_tasks.get(loop)
        self.delivering = True
        while pending:
            message, recipients = pending.popleft()
            recipient = None
            try:
                for recipient in recipients:
                    current_tasks[loop] = recipient
                    waits_for = recipient.run(recipient.send, message)
                    if waits_for is not IDLE:
                        recipient.suspend(waits_for)
            except BaseException:
                self.break_off(message, recipients, recipient)
                restore_task(loop, publisher)
                raise
        self.delivering = False
        restore_task(loop, publisher)

    def break_off(self, message: Message, recipients: Recipients, last: Recipient | None) -> None:
        """Keep what an interrupt broke off: those after ``last`` have not had the message."""
        done = recipients.index(last) + 1 if last in recipients else 0
        self.pending.appendleft((message, recipients[done:]))
        self.loop.call_soon(self._resume)

    def _resume(self) -> None:
        """Hand out what an interrupt left behind."""
        self.hand_out()
        self.settle_crowded()

    def nudge(self, recipient: Recipient) -> None:
        """Have somebody begin with what waits for it."""
        self.deliver(CATCH_UP, (recipient,))
        if not self.delivering:
            self.settle_crowded()

    def runs_here(self) -> bool:
        """Tell whether the loop runs in this thread, and a task of it right now."""
        return self.thread_id == threading.get_ident() and self.loop in current_tasks

    def runs_elsewhere(self) -> bool:
        """Tell whether the loop runs in another thread than this one."""
        return self.thread_id != threading.get_ident() and self.loop.is_running()

    def post(self, delivery: Delivery) -> None:
        """Take a delivery from another thread or loop; called over there.

        Raises:
            RuntimeError: this dispatcher's loop is closed.
        """
        if self.loop.is_closed():  # though something may be scheduled there still
            raise RuntimeError("the event loop of this dispatcher is closed")
        self.inbox.put(delivery)
        if not self._scheduled:
            self._scheduled = True
            self.loop.call_soon_threadsafe(self._empty_inbox)

    def _empty_inbox(self) -> None:
        self._scheduled = False  # first: what is posted from here on schedules anew
        inbox = self.inbox
        end = time.perf_counter() + _INBOX_SLICE
        try:
            while inbox:
                self.deliver(*inbox.take())
                if time.perf_counter() > end:
                    break
        finally:  # an interrupt leaves messages too
            if inbox and not self._scheduled:
                self._scheduled = True
                self.loop.call_soon(self._empty_inbox)
        self.settle_crowded()

    async def make_room(self, message: Message, *, may_wait: bool) -> None:
        """Settle what the last delivery left crowded: refuse, warn, or wait for room.

        Args:
            message: the publisher's own message.
            may_wait: False inside a callback, where waiting could close a circle.

        Raises:
            QueueFullError: a recipient with the policy ``error`` had no room for the message.
        """
        crowded, refused = self.settle_crowded(message, may_wait=may_wait)
        if may_wait:
            for recipient in crowded:
                await recipient.backlog().room()
        if refused is not None:
            raise refused

    def settle_crowded(
        self, message: Message | None = None, *, may_wait: bool = False
    ) -> tuple[list[Recipient], QueueFullError | None]:
        """Refuse or warn where there was no room; what callbacks published cannot wait.

        Returns:
            Those that are worth waiting for, and the refusal of ``message`` if any.
        """
        crowded, self.crowded = self.crowded, []
        refused = None
        waiting = []
        for recipient, late in crowded:
            subscription = recipient.subscription
            if subscription.overflow != "error":
                waiting.append(recipient)
                if not (may_wait and late is message):
                    recipient.backlog().warn_of_growth()
                continue
            error = QueueFullError(late[0], subscription.name, subscription.limit)
            if late is message:
                refused = error
            else:
                bus.error("localbus.message_refused", topic=late[0], error=error)
        return waiting, refused
