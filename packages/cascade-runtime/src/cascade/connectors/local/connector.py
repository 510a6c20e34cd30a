"""`LocalBusConnector`: the Connector contract over a `LocalBroker`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from threading import get_ident
from typing import Any

from cascade.connectors.local.broker import LocalBroker
from cascade.connectors.local.callback_task import inside_callback
from cascade.connectors.local.dispatcher import IDLE, Dispatcher, Recipients
from cascade.connectors.local.subscription import Subscription
from cascade.interfaces.errors import NotConnectedError
from cascade.interfaces.protocols import MessageCallback, OverflowPolicy, Payload
from cascade.interfaces.topics import as_filters
from cascade.runtime.bounded_queue import DEFAULT_LIMIT, BoundedQueue, check_bounds
from cascade.runtime.current_task import current_tasks

__all__ = ["LocalBusConnector"]

_LOOK_EVERY = 1.0  # seconds between two looks whether the loop that a publisher waits for has ended

# The one documented default: what connectors join unless told otherwise.
_default_broker = LocalBroker()


class LocalBusConnector:
    """A connector in memory: no broker to install, no socket, and the same order every time.

    It keeps the whole contract of `cascade.interfaces.protocols.Connector`. Payloads are passed by
    reference: treat them as frozen.

    Examples:
        >>> async def main():
        ...     heard = []
        ...     async def hear(topic, payload):
        ...         heard.append((topic, payload))
        ...     connector = LocalBusConnector(broker=LocalBroker())
        ...     await connector.connect()
        ...     await connector.subscribe("home/+/light", hear)
        ...     await connector.publish("home/kitchen/light", "on")
        ...     await connector.disconnect()
        ...     return heard
        >>> asyncio.run(main())
        [('home/kitchen/light', 'on')]
    """

    def __init__(
        self,
        broker: LocalBroker | None = None,
        *,
        max_queued: int = DEFAULT_LIMIT,
        overflow: OverflowPolicy = "wait",
    ) -> None:
        """Join a broker.

        Args:
            broker: the broker to join; the process-wide default one if left out.
            max_queued: messages that each of this connector's subscriptions holds while its
                callback is busy.
            overflow: what happens to one message more: ``wait`` holds the publisher back,
                ``drop_oldest`` and ``drop_newest`` drop, count and report, ``error`` raises
                `QueueFullError` at the publisher.

        Raises:
            ValueError: max_queued is below 1, or the policy is none of these.
        """
        check_bounds(max_queued, overflow)
        self._broker = _default_broker if broker is None else broker
        self._max_queued = max_queued
        self._overflow: OverflowPolicy = overflow
        self._connected = False
        self._dispatcher: Dispatcher | None = (
            None  # of the loop that published last; None: look again
        )
        self._subscriptions: dict[Subscription, None] = {}

    @property
    def connected(self) -> bool:
        """Whether `connect` was called and `disconnect` was not called since."""
        return self._connected

    @property
    def broker(self) -> LocalBroker:
        """The broker that this connector joined."""
        return self._broker

    async def connect(self) -> None:
        """Open the connection; nothing to wait for in memory."""
        self._dispatcher = self._broker.dispatcher()
        self._connected = True

    async def disconnect(self) -> None:
        """End all subscriptions made through this connector, then the connection; idempotent."""
        self._connected = False
        self._dispatcher = None
        subscriptions = list(self._subscriptions)
        for subscription in subscriptions:
            subscription.close()
        for subscription in subscriptions:
            await subscription.unsubscribe()

    async def publish(  # noqa: C901 - the one hot path: a call for each part would cost more than the part
        self, topic: str, payload: Payload, qos: int = 0, retain: bool = False
    ) -> None:
        """Hand a message to everyone whose filter matches; see the Connector contract."""
        dispatcher = self._dispatcher
        if dispatcher is None or dispatcher.thread_id != get_ident() or retain or qos != 0:
            await self._publish_with_care(topic, payload, qos, retain=retain)
            return
        here = dispatcher.routes.get(topic)
        if here is None:
            here, elsewhere = self._broker.route(topic, dispatcher)
            if elsewhere:
                await self._publish_with_care(topic, payload, qos, retain=retain)
                return
        loop = dispatcher.loop
        try:
            publisher = current_tasks[loop]
        except KeyError:  # another loop runs in this thread, or no task
            await self._publish_with_care(topic, payload, qos, retain=retain)
            return
        message = (topic, payload)
        if dispatcher.delivering:
            dispatcher.pending.append((message, here))
            return
        # What `Dispatcher.hand_out` does, for this one message: the call alone would cost a fifth more.
        recipient = None
        dispatcher.delivering = True
        try:
            for recipient in here:
                current_tasks[loop] = recipient
                waits_for = recipient.run(recipient.send, message)
                if waits_for is not IDLE:
                    recipient.suspend(waits_for)
        except BaseException:
            dispatcher.break_off(message, here, recipient)
            current_tasks[loop] = publisher
            raise
        dispatcher.delivering = False
        current_tasks[loop] = publisher
        if dispatcher.pending:
            dispatcher.hand_out()
        if dispatcher.crowded:
            await dispatcher.make_room(message, may_wait=not inside_callback.get())

    async def _publish_with_care(
        self, topic: str, payload: Payload, qos: int, *, retain: bool
    ) -> None:
        """Publish where the short way does not serve: retained, to other loops, or from another one.

        A message is handed to this loop and to the others, and only then its publisher waits, where
        one of them cannot keep up.
        """
        if not self._connected:
            raise NotConnectedError("publish")
        if qos not in (0, 1, 2):
            raise ValueError(f"qos is 0, 1 or 2, not {qos!r}")
        dispatcher = self._dispatcher = self._broker.dispatcher()
        if retain:
            payload, route = self._broker.retain(topic, payload, dispatcher)
        else:
            route = self._broker.route(topic, dispatcher)
        here, elsewhere = route
        message = (topic, payload)
        may_wait = not (inside_callback.get() or dispatcher.delivering)
        for target, recipients in elsewhere:
            self._broker.post(target, (message, recipients))
        if here:
            dispatcher.deliver(message, here)
            if dispatcher.crowded and not dispatcher.delivering:
                await dispatcher.make_room(message, may_wait=may_wait)
        for target, recipients in elsewhere:
            if may_wait:
                await _room_at(target, recipients)
            else:
                target.inbox.warn_of_growth()

    async def subscribe(
        self, topic: str | Sequence[str], callback: MessageCallback
    ) -> Subscription:
        """Have a callback called for every message that matches; see the Connector contract.

        Returns once the callback is done with every retained match.

        Raises:
            TypeError: the callback is not callable.
        """
        dispatcher = self._dispatcher
        if not self._connected:
            raise NotConnectedError("subscribe")
        if not callable(callback):
            raise TypeError(
                f"a callback is an async function of (topic, payload), not {callback!r}"
            )
        if dispatcher is None or not dispatcher.runs_here():
            dispatcher = self._broker.dispatcher()
        subscription = self._broker.add(
            as_filters(topic),
            callback,
            dispatcher,
            owner=self,
            limit=self._max_queued,
            overflow=self._overflow,
        )
        self._subscriptions[subscription] = None
        task = subscription.task
        if task is not None:  # made already, for retained messages
            dispatcher.nudge(task)
            try:
                await task.caught_up()
            except asyncio.CancelledError:
                await subscription.unsubscribe()
                raise
        return subscription

    def forget(self, subscription: Subscription) -> None:
        """Take an ended subscription off the books, here and at the broker."""
        self._subscriptions.pop(subscription, None)
        self._broker.remove(subscription)

    @classmethod
    def _reset_broker_state(cls) -> None:
        """Empty the default broker; for tests."""
        _default_broker.reset()


async def _room_at(target: Dispatcher, recipients: Recipients) -> None:
    """Wait until another loop, and those on it who ask for that, can take more."""
    if not target.inbox.has_room():
        await _room(target.inbox, target.loop)
    for recipient in recipients:
        queue = recipient.queue
        if queue is not None and recipient.subscription.overflow == "wait" and not queue.has_room():
            await _room(queue, target.loop)


async def _room(queue: BoundedQueue[Any], loop: asyncio.AbstractEventLoop) -> None:
    """Wait for room; a loop that ends says nothing, so look now and then whether it is there."""
    while not (queue.has_room() or loop.is_closed()):
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_EVERY):
                await queue.room()
