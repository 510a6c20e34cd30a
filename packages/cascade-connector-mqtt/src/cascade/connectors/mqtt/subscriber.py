"""Asks the broker for what subscriptions want, and for what is retained, one subscription at a time."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import NamedTuple

from cascade.connectors.local import LocalBroker, Subscription
from cascade.connectors.mqtt.arrival import Receiver
from cascade.connectors.mqtt.closings import Closings
from cascade.connectors.mqtt.inbound import Inbound
from cascade.connectors.mqtt.pending_subscription import PendingSubscription
from cascade.connectors.mqtt.requests import ConnectionLostError
from cascade.connectors.mqtt.session import Session
from cascade.connectors.mqtt.settings import MqttSettings
from cascade.connectors.mqtt.subscription_table import FilterOptions, SubscriptionTable
from cascade.interfaces.errors import NotConnectedError
from cascade.interfaces.protocols import OverflowPolicy
from cascade.interfaces.topics import Filters

__all__ = ["QueueOptions", "Subscriber"]


class QueueOptions(NamedTuple):
    """The queue of each subscription."""

    limit: int
    overflow: OverflowPolicy


class Subscriber:
    """Begins and ends the subscriptions of one connector, here and at the broker.

    One at a time, so that a retained message that comes meanwhile can only be for that one. The turn
    ends with the last retained message and not with the last callback, which may itself subscribe.

    Attributes:
        subscriptions: those that the broker agreed to, and that have not ended.
    """

    def __init__(  # noqa: PLR0917 - the parts of one connector, put together in one place
        self,
        settings: MqttSettings,
        session: Session,
        table: SubscriptionTable,
        inbound: Inbound,
        local_broker: LocalBroker,
        queues: QueueOptions,
    ) -> None:
        """Ask over the session's connection, and have ``local_broker`` deliver."""
        self._settings = settings
        self._session = session
        self._table = table
        self._inbound = inbound
        self._local_broker = local_broker
        self._queues = queues
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Lock()
        self._is_open = True
        self._on_close = self._forget  # bound once: each subscription keeps it
        self.subscriptions: dict[Subscription, None] = {}

    async def subscribe(
        self, filters: Filters, options: FilterOptions, receiver: Receiver
    ) -> Subscription:
        """Subscribe, and return once the receiver is done with all that is retained.

        Raises:
            BrokerRefusedError: the broker does not allow one of them, or closes the connection at it.
            BrokerUnavailableError: there is no connection, for too long.
            NotConnectedError: somebody disconnected meanwhile.
            ValueError: one of them is subscribed to already, with other options.
        """
        pending = PendingSubscription(
            filters, options, lambda: self._admit(filters, options, receiver)
        )
        try:
            await self._begin(pending)
            return await pending.finish()
        except BaseException:
            if pending.subscription is not None:
                await pending.subscription.unsubscribe()
            raise

    # --- at the broker ------------------------------------------------------------------------

    async def _begin(self, pending: PendingSubscription) -> None:
        """Subscribe to the filters of a pending subscription, and gather what is retained for them."""
        async with self._turn:
            action = f"subscribe to {', '.join(map(repr, pending.filters))}"
            closings, done = Closings(), False
            try:
                while not done:
                    await self._session.gate.enter("subscribe")
                    done = await self._ask(pending)
                    refusal = None if done else closings.add(action)
                    if refusal is not None:
                        raise refusal
                if not self._is_open:  # with the answer came the end
                    raise NotConnectedError("subscribe")
            finally:
                self._inbound.pending = None

    async def _ask(self, pending: PendingSubscription) -> bool:
        """Ask once; False means that the connection was lost."""
        older: list[str] = []
        if pending.subscription is None:
            self._table.check(pending.filters, pending.options)
            for each in pending.filters:
                older += self._table.acquire(each, pending.options)
        try:
            await self._ask_for_all(pending, older)
        except ConnectionLostError:
            return False
        finally:
            if pending.subscription is None:  # else its end lets go of the filters
                self._release(pending.filters)
        return True

    async def _ask_for_all(self, pending: PendingSubscription, older: list[str]) -> None:
        requests, table = self._session.connection.requests, self._table
        self._inbound.pending = pending

        def accept() -> None:
            self._inbound.claim(pending, pending.accept())

        asks = [
            requests.subscribe(each, table.options(each), table.number(each), retained=False)
            for each in older
        ]
        asks += [
            requests.subscribe(each, pending.options, table.number(each), on_accepted=accept)
            for each in pending.filters
        ]
        answers = await asyncio.gather(*asks, requests.round_trip_barrier(), return_exceptions=True)
        failures = [each for each in answers if isinstance(each, BaseException)]
        if failures:
            raise failures[0]
        await self._gather(pending)

    async def _gather(self, pending: PendingSubscription) -> None:
        """Wait for the end of what is retained, which MQTT does not mark.

        The broker sends it behind its yes, and no more at once than it may send unacknowledged. So
        after a round trip on which nothing came there is nothing left.
        """
        # With QoS 2 a message is heard one round trip after it came, so one quiet round is no proof.
        quiet_rounds = 2 if pending.options.qos == 2 else 1  # noqa: PLR2004 - a quality of service
        quiet = 0 if pending.heard else 1
        while quiet < quiet_rounds:
            before = pending.heard
            await self._session.connection.requests.round_trip_barrier()
            quiet = quiet + 1 if pending.heard == before else 0

    def _release(self, filters: Filters, *, at_broker: bool = True) -> None:
        """Let filters go; those that nobody else wants end at the broker too."""
        for topic_filter in filters:
            if self._table.release(topic_filter) and at_broker:
                self._session.forget(topic_filter)

    # --- here ---------------------------------------------------------------------------------

    def _admit(self, filters: Filters, options: FilterOptions, receiver: Receiver) -> Subscription:
        """Make a subscription that the broker agreed to."""
        apart = options.stands_apart and self._table.may_number
        subscription = self._local_broker.add(
            filters,
            receiver,
            limit=self._queues.limit,
            overflow=self._queues.overflow,
            on_close=self._on_close,
            hold=True,
            routed=not apart,
        )
        for topic_filter in filters if apart else ():
            self._table.join(topic_filter, subscription)
        self._inbound.admit(subscription, receiver)
        self.subscriptions[subscription] = None
        return subscription

    def _forget(self, subscription: Subscription) -> None:
        """Take an ended subscription off the books, here and at the broker; from any thread."""
        if self.subscriptions.pop(subscription, self) is self:
            return
        self._local_broker.remove(subscription)
        end = partial(self._end, subscription, is_open=self._is_open)
        if subscription.dispatcher.runs_here():
            end()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(end)

    def _end(self, subscription: Subscription, *, is_open: bool) -> None:
        """End a subscription's filters at the broker.

        What a lasting session is subscribed to stays so when its client goes away, and what its
        callbacks have not handled comes again.
        """
        if is_open:
            self._inbound.dismiss(subscription)
        for topic_filter in subscription.filters:
            self._table.leave(topic_filter, subscription)
        at_broker = is_open or not self._settings.session_expiry
        self._release(subscription.filters, at_broker=at_broker)

    # --- the end ------------------------------------------------------------------------------

    async def close(self) -> None:
        """End all subscriptions; who is cancelled meanwhile cancels their callbacks and awaits none."""
        self._is_open = False
        self._inbound.forget_held()
        subscriptions = list(self.subscriptions)
        try:
            for subscription in subscriptions:
                subscription.close()
            for subscription in subscriptions:
                await subscription.unsubscribe()
        except BaseException:
            for subscription in subscriptions:
                subscription.abandon()
            raise

    def abandon(self) -> None:
        """End the subscriptions whose answer came while the others ended."""
        for late in list(self.subscriptions):
            late.close()
            late.abandon()
