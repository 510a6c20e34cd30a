"""What arrives: decoded, handed to the callbacks, and acknowledged.

An in-memory broker of its own carries the messages from here to the callbacks, and with that come
order, one callback at a time, queues and their policies, exactly as they are in memory.

Back-pressure: a message of a lasting session is not acknowledged before it is done with, and the broker
sends only so many without an answer; so nothing is dropped there. All else a full queue whose policy is
``wait`` drops, counts and reports, since nobody would keep it meanwhile without delaying others.
"""

from __future__ import annotations

import asyncio

from paho.mqtt.client import MQTTMessage

from cascade.common.messaging import bus
from cascade.connectors.local import AnyRecipient, LocalBroker, Recipients, Subscription
from cascade.connectors.mqtt.acknowledgements import Acknowledgement, Acknowledgements
from cascade.connectors.mqtt.arrival import Arrival, Receiver
from cascade.connectors.mqtt.codec import Codec, UnreadablePayloadError
from cascade.connectors.mqtt.connection import Connection
from cascade.connectors.mqtt.pending_subscription import PendingSubscription
from cascade.connectors.mqtt.subscription_table import SubscriptionTable
from cascade.interfaces.errors import InvalidTopicError
from cascade.runtime.concurrency.bounded_queue import BoundedQueue

__all__ = ["Inbound"]

_NOBODY_YET = object()
_UNCLAIMED_WAIT = (
    10.0  # seconds that the acknowledgement of a message waits for somebody to ask for it
)


class Inbound:
    """The way from the connection to the callbacks of one connector.

    Attributes:
        pending: the subscription that is on its way, if any.
        connection: acknowledges; to be set before anything arrives.
    """

    connection: Connection

    def __init__(
        self, local_broker: LocalBroker, table: SubscriptionTable, codec: Codec, *, lasts: bool
    ) -> None:
        """Serve the subscriptions of ``local_broker``; ``lasts`` says whether the session does."""
        self._local_broker = local_broker
        self._table = table
        self._codec = codec
        self._lasts = lasts
        self._acknowledgements = Acknowledgements(self._acknowledge)
        self._receivers: dict[object, Receiver] = {}
        self._unclaimed: BoundedQueue[Arrival] | None = None
        self.pending: PendingSubscription | None = None

    def take(self, message: MQTTMessage) -> None:
        """Hand a message to whom it concerns."""
        acknowledgement = None
        if message.qos and self._lasts:
            acknowledgement = self._acknowledgements.owe(message)
            acknowledgement.wait_for(self)  # until everybody has it who is to
        elif message.qos:
            self._acknowledge(message)
        try:
            self._dispatch(message.topic, message, acknowledgement)
        except UnicodeDecodeError as error:
            bus.warning("mqtt.message_unreadable", topic="?", reason=error)
        except (UnreadablePayloadError, InvalidTopicError) as error:
            bus.warning("mqtt.message_unreadable", topic=message.topic, reason=error)
        if acknowledgement is not None:
            acknowledgement.settle(self)

    def _acknowledge(self, message: MQTTMessage) -> None:
        self.connection.acknowledge(message)

    def _dispatch(
        self, topic: str, message: MQTTMessage, acknowledgement: Acknowledgement | None
    ) -> None:
        pending = self.pending
        if message.retain and pending is not None and pending.wants(topic):
            pending.keep(topic, Arrival(self._codec.decode(message.payload), message, None))
            return
        numbers = self._numbers(message)
        if numbers:
            apart = self._table.apart(numbers)
            for topic_filter, members in apart.values():
                self._deliver(topic, message, acknowledgement, self._chosen(topic_filter, members))
            numbers = [each for each in numbers if each not in apart]
            if not numbers or self._table.is_extra(topic, bytes(message.payload), numbers):
                return
        recipients = self._local_broker.recipients(topic)
        if recipients:
            self._deliver(topic, message, acknowledgement, recipients)
        elif self._unclaimed is not None:
            arrival = Arrival(self._codec.decode(message.payload), message, acknowledgement)
            self._keep_unclaimed(arrival, self._unclaimed)

    def _numbers(self, message: MQTTMessage) -> list[int]:
        if not self._table.has_numbers or message.properties is None:
            return []
        return list(vars(message.properties).get("SubscriptionIdentifier", ()))

    def _chosen(self, topic_filter: str, members: list[Subscription]) -> Recipients:
        """Return who gets a copy of a filter that stands apart: of those who share it, the least busy one."""
        if topic_filter.startswith("$share/"):
            backlogs = [(each.backlog(), place) for place, each in enumerate(members)]
            free = [(backlog, place) for backlog, place in backlogs if backlog is not None]
            members = [members[min(free)[1]]] if free else []
            for chosen in members:  # to the end, so that equals take turns
                self._table.leave(topic_filter, chosen)
                self._table.join(topic_filter, chosen)
        return tuple([each.recipient() for each in members])

    def _deliver(
        self,
        topic: str,
        message: MQTTMessage,
        acknowledgement: Acknowledgement | None,
        recipients: Recipients,
    ) -> None:
        arrival = Arrival(self._codec.decode(message.payload), message, acknowledgement)
        takers = tuple([each for each in recipients if self._may_take(each, acknowledgement)])
        self._local_broker.deliver_to(topic, arrival, takers)

    def _may_take(self, recipient: AnyRecipient, acknowledgement: Acknowledgement | None) -> bool:
        """Return whether a recipient is to have a message, and have the acknowledgement wait for it."""
        queue = recipient.queue
        is_full = queue is not None and len(queue) >= queue.limit
        if acknowledgement is None:
            if is_full and queue is not None and queue.policy == "wait":
                queue.count_drop()
                return False
            return True
        receiver = self._receivers[recipient]
        if queue is None or not is_full or queue.policy == "wait":
            acknowledgement.wait_for(receiver)
        elif queue.policy == "drop_oldest":
            acknowledgement.wait_for(receiver)
            _, dropped = queue.items[0] if queue.items else ("", None)
            if dropped is not None and dropped.acknowledgement is not None:
                dropped.acknowledgement.settle(receiver)
        return True  # with the other policies it is refused there, and reported

    # --- who receives -------------------------------------------------------------------------

    def admit(self, subscription: Subscription, receiver: Receiver) -> None:
        """Take in a subscription and what its messages go to."""
        self._receivers[subscription.recipient()] = self._receivers[subscription] = receiver

    def dismiss(self, subscription: Subscription) -> None:
        """Forget a subscription that ended; what it was not done with is done now."""
        receiver = self._receivers.pop(subscription)
        for task in [task for task, whose in self._receivers.items() if whose is receiver]:
            del self._receivers[task]
        self._acknowledgements.release(receiver)

    # --- what nobody has asked for yet --------------------------------------------------------

    def expect_unclaimed(self, limit: int) -> None:
        """Keep what an older session brings until somebody subscribes to it.

        Of what the broker keeps no longer, at most ``limit`` messages. All else is kept however much it
        is: Mosquitto 2.0 sends at once what waits for a session that is taken up, and to drop it would
        be to lose it.
        """
        self._unclaimed = BoundedQueue("(older session)", limit, "wait")

    def _keep_unclaimed(self, arrival: Arrival, unclaimed: BoundedQueue[Arrival]) -> None:
        acknowledgement = arrival.acknowledgement
        if acknowledgement is not None:
            acknowledgement.wait_for(_NOBODY_YET)
            loop = (
                asyncio.get_running_loop()
            )  # else what nobody wants would hold all that others want
            loop.call_later(_UNCLAIMED_WAIT, acknowledgement.settle, _NOBODY_YET)
        elif len(unclaimed) >= unclaimed.limit:
            unclaimed.count_drop()
            return
        unclaimed.put_nowait(arrival)

    def claim(self, pending: PendingSubscription, subscription: Subscription) -> None:
        """Deliver to a new subscription what came for its filters before it was there."""
        if not self._unclaimed:
            return
        for arrival in self._unclaimed.drain():
            topic, acknowledgement = arrival.message.topic, arrival.acknowledgement
            if not pending.wants(topic):
                self._unclaimed.put_nowait(arrival)
                continue
            if acknowledgement is not None:
                acknowledgement.wait_for(self._receivers[subscription])
                acknowledgement.settle(_NOBODY_YET)
            self._local_broker.deliver_to(topic, arrival, (subscription.recipient(),))

    # --- from connection to connection --------------------------------------------------------

    def resume(self, *, session_present: bool) -> None:
        """Drop what waits for callbacks, and comes again from a broker that knows the session."""
        lost = self._acknowledgements.take_lost()
        if not session_present or not lost:
            return
        queues = {id(task.queue): task.queue for task in self._tasks() if task.queue is not None}
        for queue in queues.values():
            for topic, arrival in queue.drain():
                if arrival.acknowledgement not in lost:
                    queue.put_nowait((topic, arrival))

    def _tasks(self) -> list[AnyRecipient]:
        return [each.recipient() for each in self._receivers if isinstance(each, Subscription)]

    # --- the end ------------------------------------------------------------------------------

    def forget_held(self) -> None:
        """Owe no more: the connection is gone, and the broker will send those messages again."""
        self._acknowledgements.forget()

    def close(self) -> None:
        """Report what nobody has claimed."""
        self.forget_held()
        if self._unclaimed:
            count, oldest = len(self._unclaimed), self._unclaimed.get_nowait()
            bus.warning("mqtt.unclaimed", count=count, topic=oldest.message.topic)
