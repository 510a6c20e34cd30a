"""Asks the broker for what subscriptions want, and for what is retained, one subscription at a time."""

from __future__ import annotations

import asyncio

from cascade.connectors.mqtt.closings import Closings
from cascade.connectors.mqtt.inbound import Inbound
from cascade.connectors.mqtt.pending_subscription import PendingSubscription
from cascade.connectors.mqtt.requests import ConnectionLostError
from cascade.connectors.mqtt.session import Session
from cascade.connectors.mqtt.subscription_table import SubscriptionTable
from cascade.interfaces.topics import Filters

__all__ = ["Subscriber"]


class Subscriber:
    """Subscribes at the broker.

    One at a time, so that a retained message that comes meanwhile can only be for that one. The turn
    ends with the last retained message and not with the last callback, which may itself subscribe.
    """

    def __init__(
        self, session: Session, table: SubscriptionTable, inbound: Inbound, qos: int
    ) -> None:
        """Ask over the session's connection, for messages of at most that quality of service."""
        self._session = session
        self._table = table
        self._inbound = inbound
        self._turn = asyncio.Lock()
        # With QoS 2 a message is heard one round trip after it came, so one quiet round is no proof.
        self._quiet_rounds = 2 if qos == 2 else 1  # noqa: PLR2004 - a quality of service

    async def subscribe(self, pending: PendingSubscription) -> None:
        """Subscribe to the filters of a pending subscription, and gather what is retained for them.

        Raises:
            BrokerRefusedError: the broker does not allow one of them, or closes the connection at it.
            BrokerUnavailableError: there is no connection, for too long.
            NotConnectedError: somebody disconnected meanwhile.
        """
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
            finally:
                self._inbound.pending = None

    async def _ask(self, pending: PendingSubscription) -> bool:
        """Ask once; False means that the connection was lost."""
        older = []
        if pending.subscription is None:
            older = [o for each in pending.filters for o in self._table.acquire(each)]
        try:
            await self._ask_for_all(pending, older)
        except ConnectionLostError:
            return False
        finally:
            if pending.subscription is None:  # else its end lets go of the filters
                self.release(pending.filters)
        return True

    async def _ask_for_all(self, pending: PendingSubscription, older: list[str]) -> None:
        connection, numbers = self._session.connection, self._table.numbers
        self._inbound.pending = pending

        def accept() -> None:
            pending.accept()
            self._inbound.claim(pending)

        asks = [
            connection.requests.subscribe(each, numbers[each], retained=False) for each in older
        ]
        asks += [
            connection.requests.subscribe(each, numbers.get(each), on_accepted=accept)
            for each in pending.filters
        ]
        answers = await asyncio.gather(
            *asks, connection.requests.round_trip_barrier(), return_exceptions=True
        )
        failures = [each for each in answers if isinstance(each, BaseException)]
        if failures:
            raise failures[0]
        await self._gather(pending)

    async def _gather(self, pending: PendingSubscription) -> None:
        """Wait for the end of what is retained, which MQTT does not mark.

        The broker sends it behind its yes, and no more at once than it may send unacknowledged. So
        after a round trip on which nothing came there is nothing left.
        """
        quiet = 0 if pending.heard else 1
        while quiet < self._quiet_rounds:
            before = pending.heard
            await self._session.connection.requests.round_trip_barrier()
            quiet = quiet + 1 if pending.heard == before else 0

    def release(self, filters: Filters, *, at_broker: bool = True) -> None:
        """Let filters go; those that nobody else wants end at the broker too."""
        for topic_filter in filters:
            if self._table.release(topic_filter) and at_broker:
                self._session.forget(topic_filter)
