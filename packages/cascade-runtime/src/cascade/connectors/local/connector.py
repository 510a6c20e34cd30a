"""`LocalBusConnector`: the Connector contract over a `LocalBroker`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Self

from cascade.connectors.local.broker import LocalBroker
from cascade.connectors.local.callback import checked_callback
from cascade.connectors.local.callback_task import CallbackTask
from cascade.connectors.local.dispatcher import Dispatcher, Publisher
from cascade.connectors.local.message import Message, RetainedMessage
from cascade.connectors.local.recipient import Delivery
from cascade.connectors.local.subscription import Subscription
from cascade.connectors.local.turn import Turn
from cascade.interfaces.errors import NotConnectedError
from cascade.interfaces.protocols import MessageCallback, OverflowPolicy, Payload, Receiver
from cascade.interfaces.topics import as_filters, validate_topic
from cascade.runtime.concurrency.bounded_queue import DEFAULT_LIMIT, check_bounds

__all__ = ["LocalBusConnector", "connector_from"]

# The one documented default: what connectors join unless told otherwise.
_default_broker = LocalBroker()


class LocalBusConnector(Publisher):
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
        self._dispatcher = None
        self._subscriptions: dict[Subscription, None] = {}
        self._on_close = self._forget  # bound once: each subscription keeps it

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

    async def __aenter__(self) -> Self:
        """Connect."""
        await self.connect()
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Disconnect."""
        await self.disconnect()

    # --- publishing: the fast path is `Publisher.publish`, in dispatcher.py -----------------------

    async def _publish_slow_path(
        self, topic: str, payload: Payload, qos: int, *, retain: bool
    ) -> None:
        """Publish where the fast path does not serve: retained, to other loops, or from another one.

        A message is handed to this loop and to the others, and only then its publisher waits, where
        one of them cannot keep up.
        """
        self._check_publish(topic, qos)
        dispatcher = self._dispatcher = self._broker.dispatcher()
        if retain:
            payload, route = self._broker.retain(topic, payload, dispatcher)
        else:
            route = self._broker.route(topic, dispatcher)
        local, remote = route
        message: Message = (topic, payload)
        if retain:
            message = RetainedMessage(message)
        may_wait = not isinstance(asyncio.current_task(), CallbackTask)
        turns = [
            _post(self._broker, target, (message, recipients), may_wait=may_wait)
            for target, recipients in remote
        ]
        if local:
            dispatcher.deliver(message, local)
            if dispatcher.delivering:
                if may_wait and dispatcher.is_behind():
                    await dispatcher.catch_up(message)
            elif dispatcher.over_capacity:
                await dispatcher.apply_back_pressure(message, may_wait=may_wait)
        for turn in turns:
            if turn is not None:
                await turn.wait()

    def _check_publish(self, topic: str, qos: int) -> None:
        if not self._connected:
            raise NotConnectedError("publish")
        if qos not in (0, 1, 2):
            raise ValueError(f"qos is 0, 1 or 2, not {qos!r}")
        if type(topic) is not str:  # what cannot even be looked up
            validate_topic(topic)

    # --- subscribing --------------------------------------------------------------------------

    async def subscribe(
        self, topic: str | Sequence[str], callback: MessageCallback
    ) -> Subscription:
        """Call a callback for every message that matches; see the Connector contract.

        Returns once the callback is done with every retained match.

        Raises:
            TypeError: the callback is no async function.
        """
        return await self._subscribe(topic, checked_callback(callback))

    async def subscribe_receiver(
        self, topic: str | Sequence[str], receiver: Receiver
    ) -> Subscription:
        """Have a receiver take every message that matches, inside its delivery; it keeps its own bounds."""
        return await self._subscribe(topic, receiver, is_direct=True)

    async def _subscribe(
        self,
        topic: str | Sequence[str],
        callback: MessageCallback | Receiver,
        *,
        is_direct: bool = False,
    ) -> Subscription:
        if not self._connected:
            raise NotConnectedError("subscribe")
        subscription = self._broker.add(
            as_filters(topic),
            callback,
            limit=self._max_queued,
            overflow=self._overflow,
            on_close=self._on_close,
            is_direct=is_direct,
        )
        self._subscriptions[subscription] = None
        if subscription.task is not None:  # made already, for retained messages
            try:
                await subscription.replay()
            except asyncio.CancelledError:
                await subscription.unsubscribe()
                raise
        return subscription

    def _forget(self, subscription: Subscription) -> None:
        """Take an ended subscription off the books, here and at the broker."""
        self._subscriptions.pop(subscription, None)
        self._broker.remove(subscription)

    @classmethod
    def _reset_broker_state(cls) -> None:
        """Empty the default broker; for tests."""
        _default_broker.reset()


def _post(
    broker: LocalBroker, target: Dispatcher, delivery: Delivery, *, may_wait: bool
) -> Turn | None:
    """Leave a message at another loop; return its turn there, if the publisher has to wait for that."""
    message, recipients = delivery
    inbox = target.inbox
    before, turn = len(inbox), None
    if may_wait and (
        before >= inbox.limit or any(each.may_refuse_or_hold(before) for each in recipients)
    ):
        turn = target.turn_behind(message)
        recipients = (*recipients, turn)
    broker.post(target, (message, recipients))
    if not may_wait:
        inbox.report_growth()
    return turn


def connector_from(url: str) -> LocalBusConnector:
    """Return a connector to this process's default broker, by the URL ``local://``.

    Raises:
        ValueError: the URL says more than that.

    Examples:
        >>> connector_from("local://").connected
        False
    """
    if url != "local://":
        raise ValueError(f"the in-memory bus is 'local://', and has nothing named as in {url!r}")
    return LocalBusConnector()
