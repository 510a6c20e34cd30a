"""Delivers messages on one event loop: run to completion, one total order, no recursion.

A `Dispatcher` belongs to one broker and one event loop. A message goes to its recipients one after
the other, each callback running at once; what is published meanwhile waits in ``pending`` until the
message being delivered has reached everyone. Other threads leave their messages in ``inbox``.

The delivery loop stands here twice: in `Publisher.publish`, for a message that is alone, and in
`Dispatcher.dispatch`, for all others: a call would cost a fifth of a publish
(``docs/decisions/0002-run-callbacks-to-completion.md``).
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import count
from threading import get_ident
from typing import TypeAlias

from cascade.connectors.local.callback_task import CallbackTask
from cascade.connectors.local.message import DRAIN, IDLE, Message
from cascade.connectors.local.over_capacity import OverCapacity
from cascade.connectors.local.recipient import AnyRecipient, Delivery, LoopDelivery, Recipients
from cascade.connectors.local.turn import Turn
from cascade.interfaces.protocols import Payload
from cascade.runtime.concurrency.bounded_queue import DEFAULT_LIMIT, BoundedQueue
from cascade.runtime.concurrency.clock import is_simulated
from cascade.runtime.concurrency.current_task import current_tasks, restore_task
from cascade.runtime.concurrency.fairness import DeliverySlice

__all__ = ["Dispatcher", "Publisher", "Route"]

Route: TypeAlias = tuple[Recipients, tuple[tuple["Dispatcher", Recipients], ...]]
"""Where the messages of one topic go, seen from one loop: the local recipients, and the remote ones."""

_SLICE = 0.001  # seconds that deliveries may take of one turn of the loop, beyond the first
_MANY = 100_000  # messages; the same on a simulated loop, where nobody is kept waiting meanwhile


class Publisher(ABC):
    """The publishing half of a connector; `LocalBusConnector` is the whole."""

    _dispatcher: Dispatcher | None  # of the loop that published last; None: look again

    async def publish(  # noqa: C901 - the one hot path: a call for each part would cost more than the part
        self, topic: str, payload: Payload, qos: int = 0, retain: bool = False
    ) -> None:
        """Deliver a message to everyone whose filter matches; see the Connector contract."""
        dispatcher = self._dispatcher
        if dispatcher is None or dispatcher.thread_id != get_ident() or retain or qos != 0:
            await self._publish_slow_path(topic, payload, qos, retain=retain)
            return
        loop = dispatcher.loop
        try:
            local, publisher = dispatcher.routes.get(topic), current_tasks[loop]
        except (KeyError, TypeError):  # another loop runs in this thread, or no task; or no text
            await self._publish_slow_path(topic, payload, qos, retain=retain)
            return
        if local is None:
            local, remote = dispatcher.find_route(topic, dispatcher)
            if remote:
                await self._publish_slow_path(topic, payload, qos, retain=retain)
                return
        message = (topic, payload)
        if dispatcher.delivering:
            dispatcher.pending.append((message, local))
            if dispatcher.is_behind() and not isinstance(publisher, CallbackTask):
                await dispatcher.catch_up(message)
            return
        recipient = None
        dispatcher.delivering = True
        dispatcher.delivery.time.begin()
        try:
            for recipient in local:
                current_tasks[loop] = recipient
                waits_for = recipient.run(recipient.send, message)
                if waits_for is not IDLE:
                    recipient.suspend(waits_for)
        except BaseException:
            dispatcher.requeue_undelivered(message, local, recipient)
            current_tasks[loop] = publisher
            raise
        dispatcher.delivering = False
        current_tasks[loop] = publisher
        if dispatcher.pending:
            dispatcher.dispatch()
        if dispatcher.over_capacity:
            may_wait = not isinstance(publisher, CallbackTask)
            await dispatcher.apply_back_pressure(message, may_wait=may_wait)

    @abstractmethod
    async def _publish_slow_path(
        self, topic: str, payload: Payload, qos: int, *, retain: bool
    ) -> None:
        """Publish where the fast path does not serve: retained, to other loops, or from another one."""


class Dispatcher:
    """The delivery of one broker's messages on one event loop.

    While it is ``delivering``, what is published queues in ``pending``; while it is ``paused``, until
    the loop has had a turn.
    """

    __slots__ = (
        "_is_simulated",
        "_scheduled",
        "delivering",
        "delivery",
        "find_route",
        "inbox",
        "loop",
        "mixed_routes",
        "over_capacity",
        "paused",
        "pending",
        "routes",
        "thread_id",
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, find_route: Callable[[str, Dispatcher], Route]
    ) -> None:
        """Serve the loop that runs now, in this thread; ``find_route`` fills ``routes``."""
        self.loop = loop
        self.thread_id = get_ident()
        self.find_route = find_route
        self.routes: dict[str, Recipients] = {}  # to this loop alone: the fast path
        self.mixed_routes: dict[str, Route] = {}  # to other loops as well
        self.delivering = False
        self.paused = False
        self.pending: deque[Delivery] = deque()
        self.inbox: BoundedQueue[Delivery] = BoundedQueue("(other threads)", DEFAULT_LIMIT, "wait")
        self.over_capacity = OverCapacity()
        self._is_simulated = is_simulated(loop)
        time_slice = DeliverySlice(is_simulated=self._is_simulated)
        self.delivery = LoopDelivery(loop, self.over_capacity, self.schedule_drain, time_slice)
        self._scheduled = False

    def dispatch(self) -> None:
        """Run the callbacks for everything that is pending, and for what they publish, in order.

        Callbacks may answer each other for ever, so after a time slice the rest waits for the next
        turn of the loop, and so does everything that is published until then. An interrupt such as
        `KeyboardInterrupt` goes up at once, and has the same effect.
        """
        loop = self.loop
        pending = self.pending
        publisher = current_tasks.get(loop)
        self.delivering = True
        self.paused = False
        self.delivery.time.begin()
        ends_at = _MANY if self._is_simulated else time.perf_counter() + _SLICE
        for number in count():
            message, recipients = pending.popleft()
            recipient = None
            try:
                for recipient in recipients:
                    current_tasks[loop] = recipient
                    waits_for = recipient.run(recipient.send, message)
                    if waits_for is not IDLE:
                        recipient.suspend(waits_for)
            except BaseException:
                self.requeue_undelivered(message, recipients, recipient)
                restore_task(loop, publisher)
                raise
            if not pending:
                self.delivering = False
                break
            if (number if self._is_simulated else time.perf_counter()) > ends_at:
                self._pause()
                break
        restore_task(loop, publisher)

    def deliver(self, message: Message, recipients: Recipients) -> None:
        """Deliver a message; inside a delivery, after the one being delivered: nothing recurses."""
        self.pending.append((message, recipients))
        if not self.delivering:
            self.dispatch()

    def requeue_undelivered(
        self, message: Message, recipients: Recipients, last: AnyRecipient | None
    ) -> None:
        """Keep what an interrupt broke off: those after ``last`` have not had the message."""
        done = recipients.index(last) + 1 if last in recipients else 0
        self.pending.appendleft((message, recipients[done:]))
        self._pause()

    def _pause(self) -> None:
        """Leave what is pending to the next turn of the loop."""
        self.paused = True
        self.loop.call_soon(self._resume)

    def _resume(self) -> None:
        self.dispatch()
        self.over_capacity.report()

    def schedule_drain(self, recipient: AnyRecipient) -> None:
        """Let a recipient process its backlog, in its turn among the messages."""
        self.deliver(DRAIN, (recipient,))
        if not self.delivering:
            self.over_capacity.report()

    # --- other loops and threads --------------------------------------------------------------

    def runs_here(self) -> bool:
        """Return whether the loop runs in this thread, and a task of it right now."""
        return self.thread_id == get_ident() and self.loop in current_tasks

    def runs_elsewhere(self) -> bool:
        """Return whether the loop runs in another thread."""
        return self.thread_id != get_ident() and self.loop.is_running()

    def post(self, delivery: Delivery) -> None:
        """Take a delivery from another thread or loop; called over there.

        Raises:
            RuntimeError: this dispatcher's loop is closed.
        """
        if self.loop.is_closed():  # though something may be scheduled there still
            raise RuntimeError("the event loop of this dispatcher is closed")
        self.inbox.put_nowait(delivery)
        if not self._scheduled:
            self._scheduled = True
            self.loop.call_soon_threadsafe(self._empty_inbox)

    def _empty_inbox(self) -> None:
        self._scheduled = False  # first: what is posted from here on schedules anew
        inbox = self.inbox
        end = time.perf_counter() + _SLICE
        try:
            while inbox and not self.paused:
                self.deliver(*inbox.get_nowait())
                if time.perf_counter() > end:
                    break
        finally:  # an interrupt leaves messages too
            if inbox and not self._scheduled:
                self._scheduled = True
                self.loop.call_soon(self._empty_inbox)
        self.over_capacity.report()

    # --- back-pressure ------------------------------------------------------------------------

    def turn_behind(self, message: Message) -> Turn:
        """Return what to deliver behind a message whose publisher waits for it."""
        return Turn(self.loop, partial(self.over_capacity.report, message, may_wait=True))

    def is_behind(self) -> bool:
        """Return whether who publishes inside a delivery, and is no callback, has to wait."""
        return self.paused or bool(self.over_capacity) or len(self.pending) > DEFAULT_LIMIT

    async def catch_up(self, message: Message) -> None:
        """Wait until a message that is pending has been delivered, and for capacity then."""
        turn = self.turn_behind(message)
        self.pending.append((message, (turn,)))
        await turn.wait()

    async def apply_back_pressure(self, message: Message, *, may_wait: bool) -> None:
        """Deal with the full queues that the last delivery met: refuse, warn, or wait for capacity.

        It is the publisher's own ``message``, which ``may_wait`` where it is no callback itself.

        Raises:
            QueueFullError: a recipient with the policy ``error`` refused the message.
        """
        waiting, refused = self.over_capacity.report(message, may_wait=may_wait)
        if may_wait:
            for queue in waiting:
                await queue.hold_producer()
        if refused is not None:
            raise refused
