"""Asks the broker for what subscriptions want, and for what is retained, one subscription at a time."""

from __future__ import annotations

import asyncio

from cascade.connectors.mqtt.handover import Handover
from cascade.connectors.mqtt.inlet import Inlet
from cascade.connectors.mqtt.interest import Interest
from cascade.connectors.mqtt.keeper import Keeper
from cascade.connectors.mqtt.link import LinkLostError
from cascade.interfaces.topics import Filters

__all__ = ["Subscriber"]


class Subscriber:
    """Subscribes at the broker.

    One at a time, so that a retained message that comes meanwhile can only be for that one. The turn
    ends with the last retained message and not with the last callback, which may itself subscribe.
    """

    def __init__(self, keeper: Keeper, interest: Interest, inlet: Inlet, qos: int) -> None:
        """Ask over the keeper's link, for messages of at most that quality of service."""
        self._keeper = keeper
        self._interest = interest
        self._inlet = inlet
        self._turn = asyncio.Lock()
        # With QoS 2 a message is heard one round trip after it came, so one quiet round is no proof.
        self._quiet_rounds = 2 if qos == 2 else 1  # noqa: PLR2004 - a quality of service

    async def subscribe(self, handover: Handover) -> None:
        """Subscribe to the filters of a handover, and gather what is retained for them.

        Raises:
            BrokerRefusedError: the broker does not allow one of them.
            BrokerUnavailableError: there is no connection, for too long.
            NotConnectedError: somebody disconnected meanwhile.
        """
        async with self._turn:
            older = [o for each in handover.filters for o in self._interest.acquire(each)]
            try:
                while not await self._ask(handover, older):
                    pass
            except BaseException:
                if handover.subscription is None:  # else its end lets go of the filters
                    self.release(handover.filters)
                raise
            finally:
                self._inlet.handover = None

    async def _ask(self, handover: Handover, older: list[str]) -> bool:
        """Ask once; False means that the connection was lost."""
        await self._keeper.wait_until_up("subscribe")
        link, numbers = self._keeper.link, self._interest.numbers
        self._inlet.handover = handover

        def accept() -> None:
            handover.accept()
            self._inlet.claim(handover)

        asks = [link.subscribe(each, numbers[each], retained=False) for each in older]
        asks += [
            link.subscribe(each, numbers.get(each), on_accepted=accept) for each in handover.filters
        ]
        answers = await asyncio.gather(*asks, link.fence(), return_exceptions=True)
        failures = [each for each in answers if isinstance(each, BaseException)]
        try:
            if failures:
                raise failures[0]
            await self._gather(handover)
        except LinkLostError:
            return False
        return True

    async def _gather(self, handover: Handover) -> None:
        """Wait for the end of what is retained, which MQTT does not mark.

        The broker sends it behind its yes, and no more at once than it may send without receipts. So
        after a round trip on which nothing came there is nothing left.
        """
        quiet = 0 if handover.heard else 1
        while quiet < self._quiet_rounds:
            before = handover.heard
            await self._keeper.link.fence()
            quiet = quiet + 1 if handover.heard == before else 0

    def release(self, filters: Filters, *, at_broker: bool = True) -> None:
        """Let filters go; those that nobody else wants end at the broker too."""
        for topic_filter in filters:
            if self._interest.release(topic_filter) and at_broker:
                self._keeper.forget(topic_filter)
