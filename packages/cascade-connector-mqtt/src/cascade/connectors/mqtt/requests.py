"""What the broker is asked for and answers: to begin and end subscriptions, and whether it is still there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple
from uuid import uuid4

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from cascade.connectors.mqtt.packets import is_5, subscribe_options, subscribe_properties
from cascade.connectors.mqtt.paho_adapter import PahoAdapter
from cascade.connectors.mqtt.settings import MqttSettings
from cascade.connectors.mqtt.subscription_table import FilterOptions
from cascade.interfaces.errors import BrokerRefusedError

__all__ = ["ConnectionLostError", "Requests"]

Answer = list[ReasonCode]


class ConnectionLostError(Exception):
    """The connection is gone; whoever keeps the connection decides what that means."""


class _Request(NamedTuple):
    """What the broker was asked for."""

    answer: asyncio.Future[Answer] | None
    on_yes: Callable[[], object] | None


class Requests:
    """Requests over one connection after the other; each ends with its connection at the latest."""

    def __init__(self, client: Client, adapter: PahoAdapter, settings: MqttSettings) -> None:
        """Ask through that client."""
        self._client = client
        self._adapter = adapter
        self._settings = settings
        self._requests: dict[int, _Request] = {}
        self._is_open = False
        # A filter that is never subscribed to.
        self._nobody = f"cascade/round_trip_barrier/{uuid4().hex}"
        client.on_subscribe = self._on_answer
        client.on_unsubscribe = self._on_answer

    def begin(self) -> None:
        """Ask on the connection that was just made."""
        self._is_open = True

    async def subscribe(
        self,
        topic_filter: str,
        options: FilterOptions,
        number: int | None = None,
        *,
        retained: bool = True,
        on_accepted: Callable[[], object] | None = None,
    ) -> None:
        """Subscribe to a filter; to one that is subscribed to already, anew.

        What is retained is asked for with QoS 0, and then the filter with its own: brokers queue only
        so many messages of higher ones for a client (Mosquitto a thousand), and drop the rest
        without a word. MQTT 3.1.1 cannot ask for the one without the other, and a lasting session may
        not: what comes between the two would go past what waits for it at the broker.

        Args:
            topic_filter: a valid filter.
            options: how to subscribe to it.
            number: its subscription identifier.
            retained: whether to send what is retained for it.
            on_accepted: called between the broker's yes and the next message that it sends.

        Raises:
            BrokerRefusedError: the broker said no.
            ConnectionLostError: the connection is gone.
        """
        may = is_5(self._settings) and not self._settings.session_expiry
        apart = may and retained and options.qos > 0
        ways = (
            [(options._replace(qos=0), True), (options, False)] if apart else [(options, retained)]
        )
        asks: list[Coroutine[Any, Any, Answer]] = []
        for each, with_retained in ways:
            sent = self._client.subscribe(
                topic_filter,
                each.qos if not is_5(self._settings) else 0,
                subscribe_options(self._settings, each, retained=with_retained),
                subscribe_properties(number),
            )
            asks.append(self._answer(sent, None if asks else on_accepted))
        for codes in await asyncio.gather(*asks):
            if codes[0].is_failure:
                action = f"subscribe to {topic_filter!r}"
                raise BrokerRefusedError(action, codes[0].value, codes[0].getName())

    async def unsubscribe(self, topic_filter: str) -> None:
        """End a subscription; the answer says nothing that could be acted on.

        Raises:
            ConnectionLostError: the connection is gone.
        """
        await self._answer(self._client.unsubscribe(topic_filter))

    def forget(self, topic_filter: str, on_ended: Callable[[], object]) -> None:
        """End a subscription without awaiting the answer; ``on_ended`` is called when it is there."""
        _, packet_id = self._client.unsubscribe(topic_filter)
        if packet_id is not None:
            self._requests[packet_id] = _Request(None, on_ended)

    async def round_trip_barrier(self) -> None:
        """Make one round trip: the broker has then read all that was sent to it before.

        It is an UNSUBSCRIBE of a filter that nobody ever subscribed to. MQTT answers it in any case,
        no access rule is needed for it, and it changes nothing.

        Raises:
            ConnectionLostError: the connection is gone.
        """
        await self.unsubscribe(self._nobody)

    async def _answer(
        self,
        sent: tuple[MQTTErrorCode, int | None],
        on_accepted: Callable[[], object] | None = None,
    ) -> Answer:
        _, packet_id = sent
        if packet_id is None or not self._is_open:
            raise ConnectionLostError("not connected")
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._requests[packet_id] = _Request(answer, on_accepted)
        return await answer

    def _on_answer(
        self, _client: Client, _data: Any, packet_id: int, codes: Answer, _given: Properties | None
    ) -> None:
        self._adapter.defer(lambda: self._settle(packet_id, codes))

    def _settle(self, packet_id: int, codes: Answer) -> None:
        request = self._requests.pop(packet_id, None)
        if request is None:
            return
        answer, on_yes = request
        if answer is not None and answer.done():  # whoever asked was cancelled
            return
        if on_yes is not None and not any(code.is_failure for code in codes):
            on_yes()
        if answer is not None:
            answer.set_result(codes)

    def fail(self) -> None:
        """Expect no more answers: the connection is gone."""
        self._is_open = False
        requests, self._requests = self._requests, {}
        for answer, _ in requests.values():
            if answer is not None and not answer.done():
                answer.set_exception(ConnectionLostError("the connection is gone"))
