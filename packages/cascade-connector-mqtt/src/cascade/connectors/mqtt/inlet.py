"""What arrives: decoded, handed to the callbacks, and answered so that a slow one holds the broker back.

An in-memory broker of its own carries the messages from here to the callbacks, and with that come
order, one callback at a time, queues and their policies, exactly as they are in memory.
"""

from __future__ import annotations

import asyncio
from collections import deque

from paho.mqtt.client import MQTTMessage

from cascade.common.messaging import bus
from cascade.connectors.local import LocalBroker
from cascade.connectors.local.dispatcher import Recipient, Recipients
from cascade.connectors.mqtt.codec import Codec, UnreadablePayloadError
from cascade.connectors.mqtt.handover import Handover
from cascade.connectors.mqtt.interest import Interest
from cascade.connectors.mqtt.link import Link
from cascade.connectors.mqtt.user_properties import carried
from cascade.interfaces.errors import InvalidTopicError
from cascade.interfaces.protocols import Payload
from cascade.runtime.bounded_queue import BoundedQueue

__all__ = ["Inlet"]

Held = tuple[MQTTMessage, Recipients]
"""A message that is not acknowledged yet, and whose queues it waits for."""


class Inlet:
    """The way from the link to the callbacks of one connector.

    Attributes:
        handover: the subscription that is on its way, if any.
        link: acknowledges; to be set before anything arrives.
    """

    link: Link

    def __init__(self, hub: LocalBroker, interest: Interest, codec: Codec) -> None:
        """Serve the subscriptions of ``hub``."""
        self._hub = hub
        self._dispatcher = hub.dispatcher()
        self._interest = interest
        self._codec = codec
        self._held: deque[Held] = deque()
        self._answering: asyncio.Task[None] | None = None
        self._unclaimed: BoundedQueue[tuple[str, Payload]] | None = None
        self.handover: Handover | None = None

    def take(self, message: MQTTMessage) -> None:
        """Hand a message to whom it concerns."""
        recipients: Recipients = ()
        try:
            topic = message.topic
            if not self._is_extra(topic, message):
                recipients = self._hand_out(topic, message)
        except UnicodeDecodeError as error:
            bus.warning("mqtt.message_unreadable", topic="?", reason=error)
        except (UnreadablePayloadError, InvalidTopicError) as error:
            bus.warning("mqtt.message_unreadable", topic=message.topic, reason=error)
        if message.qos:
            self._acknowledge(message, recipients)

    def _is_extra(self, topic: str, message: MQTTMessage) -> bool:
        """Tell whether this is a copy for another filter of a message that comes once more."""
        if not self._interest.numbers:
            return False
        numbers = getattr(message.properties, "SubscriptionIdentifier", None)
        if message.retain and self.handover is not None:
            return False  # a handover counts what is retained once by itself
        return numbers is not None and self._interest.is_extra(topic, numbers)

    def _hand_out(self, topic: str, message: MQTTMessage) -> Recipients:
        payload = carried(self._codec.decode(message.payload), message)
        handover = self.handover
        if message.retain and handover is not None and handover.wants(topic):
            handover.keep(topic, payload)
            return ()
        dispatcher = self._dispatcher
        recipients = dispatcher.routes.get(topic)
        if recipients is None:
            recipients, _ = self._hub.route(topic, dispatcher)
        if recipients:
            dispatcher.deliver((topic, payload), recipients)
            if dispatcher.crowded:
                dispatcher.settle_crowded()
        elif self._unclaimed is not None:
            self._unclaimed.put((topic, payload))
        return recipients

    # --- what nobody has asked for yet --------------------------------------------------------

    def expect_unclaimed(self, limit: int) -> None:
        """Keep what an older session brings until somebody subscribes to it; at most ``limit``."""
        self._unclaimed = BoundedQueue("(older session)", limit, "drop_oldest")

    def claim(self, handover: Handover) -> None:
        """Give a new subscription what came for its filters before it was there."""
        subscription = handover.subscription
        if not self._unclaimed or subscription is None:
            return
        backlog = subscription.recipient().backlog()
        for topic, payload in self._unclaimed.take_all():
            (backlog if handover.wants(topic) else self._unclaimed).put((topic, payload))

    # --- answers ------------------------------------------------------------------------------

    def _acknowledge(self, message: MQTTMessage, recipients: Recipients) -> None:
        """Acknowledge at once, unless somebody who asks for that is behind.

        The broker sends no more than so many messages without an answer (MQTT 5.0 §4.9), so holding
        one back is how a network has its publishers wait. Answers go in the order of the messages
        (§4.6), so one that is held holds those after it.
        """
        behind = [each for each in recipients if _is_behind(each)]
        if not behind and not self._held:
            self.link.acknowledge(message)
            return
        self._held.append((message, tuple(behind)))
        if self._answering is None:
            self._answering = asyncio.create_task(self._answer_in_order())

    async def _answer_in_order(self) -> None:
        try:
            while self._held:
                message, behind = self._held[0]
                for recipient in behind:
                    if _is_behind(recipient):
                        await recipient.backlog().room()
                self._held.popleft()
                self.link.acknowledge(message)
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
            count, (topic, _) = len(self._unclaimed), self._unclaimed.take()
            bus.warning("mqtt.unclaimed", count=count, topic=topic)


def _is_behind(recipient: Recipient) -> bool:
    queue = recipient.queue
    waits = recipient.subscription.overflow == "wait"
    return queue is not None and waits and not queue.has_room()
