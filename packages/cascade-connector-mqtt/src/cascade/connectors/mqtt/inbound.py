"""What arrives: decoded, handed to the callbacks, and answered so that a slow one holds the broker back.

An in-memory broker of its own carries the messages from here to the callbacks, and with that come
order, one callback at a time, queues and their policies, exactly as they are in memory.
"""

from __future__ import annotations

import asyncio
from collections import deque

from paho.mqtt.client import MQTTMessage

from cascade.common.messaging import bus
from cascade.connectors.local import LocalBroker, Recipients
from cascade.connectors.mqtt.codec import Codec, UnreadablePayloadError
from cascade.connectors.mqtt.connection import Connection
from cascade.connectors.mqtt.pending_subscription import PendingSubscription
from cascade.connectors.mqtt.subscription_table import SubscriptionTable
from cascade.connectors.mqtt.user_properties import carried
from cascade.interfaces.errors import InvalidTopicError
from cascade.interfaces.protocols import Payload
from cascade.runtime.concurrency.bounded_queue import BoundedQueue

__all__ = ["Inbound"]

Held = tuple[MQTTMessage, Recipients]
"""A message that is not acknowledged yet, and whose queues it waits for."""


class Inbound:
    """The way from the connection to the callbacks of one connector.

    Attributes:
        pending: the subscription that is on its way, if any.
        connection: acknowledges; to be set before anything arrives.
    """

    connection: Connection

    def __init__(self, local_broker: LocalBroker, table: SubscriptionTable, codec: Codec) -> None:
        """Serve the subscriptions of ``local_broker``."""
        self._local_broker = local_broker
        self._table = table
        self._codec = codec
        self._held: deque[Held] = deque()
        self._answering: asyncio.Task[None] | None = None
        self._unclaimed: BoundedQueue[tuple[str, Payload]] | None = None
        self.pending: PendingSubscription | None = None

    def take(self, message: MQTTMessage) -> None:
        """Hand a message to whom it concerns."""
        recipients: Recipients = ()
        try:
            topic = message.topic
            if not self._is_extra(topic, message):
                recipients = self._dispatch(topic, message)
        except UnicodeDecodeError as error:
            bus.warning("mqtt.message_unreadable", topic="?", reason=error)
        except (UnreadablePayloadError, InvalidTopicError) as error:
            bus.warning("mqtt.message_unreadable", topic=message.topic, reason=error)
        if message.qos:
            self._acknowledge(message, recipients)

    def _is_extra(self, topic: str, message: MQTTMessage) -> bool:
        """Return whether this is a copy for another filter of a message that comes once more."""
        if not self._table.numbers:
            return False
        numbers = getattr(message.properties, "SubscriptionIdentifier", None)
        if message.retain and self.pending is not None:
            return False  # a pending subscription counts what is retained once by itself
        return numbers is not None and self._table.is_extra(topic, numbers)

    def _dispatch(self, topic: str, message: MQTTMessage) -> Recipients:
        payload = carried(self._codec.decode(message.payload), message)
        pending = self.pending
        if message.retain and pending is not None and pending.wants(topic):
            pending.keep(topic, payload)
            return ()
        recipients = self._local_broker.deliver(topic, payload)
        if not recipients and self._unclaimed is not None:
            self._unclaimed.put_nowait((topic, payload))
        return recipients

    # --- what nobody has asked for yet --------------------------------------------------------

    def expect_unclaimed(self, limit: int) -> None:
        """Keep what an older session brings until somebody subscribes to it; at most ``limit``."""
        self._unclaimed = BoundedQueue("(older session)", limit, "drop_oldest")

    def claim(self, pending: PendingSubscription) -> None:
        """Deliver to a new subscription what came for its filters before it was there."""
        if not self._unclaimed:
            return
        for topic, payload in self._unclaimed.drain():
            if pending.wants(topic):  # and nobody else did, so it is the only recipient
                self._local_broker.deliver(topic, payload)
            else:
                self._unclaimed.put_nowait((topic, payload))

    # --- answers ------------------------------------------------------------------------------

    def _acknowledge(self, message: MQTTMessage, recipients: Recipients) -> None:
        """Acknowledge at once, unless a recipient applies back-pressure.

        The broker sends no more than so many messages without an answer (MQTT 5.0 §4.9), so holding
        one back is how a network has its publishers wait. Answers go in the order of the messages
        (§4.6), so one that is held holds those after it.
        """
        behind = [each for each in recipients if each.applies_back_pressure()]
        if not behind and not self._held:
            self.connection.acknowledge(message)
            return
        self._held.append((message, tuple(behind)))
        if self._answering is None:
            self._answering = asyncio.create_task(self._answer_in_order())

    async def _answer_in_order(self) -> None:
        try:
            while self._held:
                message, behind = self._held[0]
                for recipient in behind:
                    if recipient.queue is not None and recipient.applies_back_pressure():
                        await recipient.queue.wait_for_capacity()
                self._held.popleft()
                self.connection.acknowledge(message)
        finally:
            if self._answering is asyncio.current_task():
                self._answering = None

    def forget_held(self) -> None:
        """Owe no more answers: their connection is gone, and the broker will send those messages again."""
        self._held.clear()
        if self._answering is not None:
            self._answering.cancel()
            self._answering = None

    def close(self) -> None:
        """Report what nobody has claimed."""
        self.forget_held()
        if self._unclaimed:
            count, (topic, _) = len(self._unclaimed), self._unclaimed.get_nowait()
            bus.warning("mqtt.unclaimed", count=count, topic=topic)
