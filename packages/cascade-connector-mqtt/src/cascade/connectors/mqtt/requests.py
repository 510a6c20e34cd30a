"""What the broker is asked for and answers: to begin and end subscriptions, and whether it is still there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from cascade.connectors.mqtt.packets import subscribe_options, subscribe_properties
from cascade.connectors.mqtt.paho_adapter import PahoAdapter
from cascade.connectors.mqtt.settings import MqttSettings
from cascade.interfaces.errors import BrokerRefusedError

__all__ = ["ConnectionLostError", "Requests"]

Answer = list[ReasonCode]


class ConnectionLostError(Exception):
    """The connection is gone; whoever keeps the connection decides what that means."""


class Requests:
    """Requests over one connection after the other; each ends with its connection at the latest."""

    def __init__(self, client: Client, adapter: PahoAdapter, settings: MqttSettings) -> None:
        """Ask through that client."""
        self._client = client
        self._adapter = adapter
        self._settings = settings
        self._answers: dict[int, tuple[asyncio.Future[Answer], Callable[[], object] | None]] = {}
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
        number: int | None = None,
        *,
        retained: bool = True,
        on_accepted: Callable[[], object] | None = None,
    ) -> None:
        """Subscribe to a filter; to one that is subscribed to already, anew.

        Args:
            topic_filter: a valid filter.
            number: its subscription identifier.
            retained: whether to send what is retained for it.
            on_accepted: called between the broker's yes and the next message that it sends.

        Raises:
            BrokerRefusedError: the broker said no.
            ConnectionLostError: the connection is gone.
        """
        options = subscribe_options(self._settings, retained=retained)
        qos = 0 if options else self._settings.subscribe_qos
        properties = subscribe_properties(number)
        sent = self._client.subscribe(topic_filter, qos, options, properties)
        (code,) = await self._answer(sent, on_accepted)
        if code.is_failure:
            action = f"subscribe to {topic_filter!r}"
            raise BrokerRefusedError(action, code.value, code.getName())

    async def unsubscribe(self, topic_filter: str) -> None:
        """End a subscription; the answer says nothing that could be acted on.

        Raises:
            ConnectionLostError: the connection is gone.
        """
        await self._answer(self._client.unsubscribe(topic_filter))

    def forget(self, topic_filter: str) -> None:
        """End a subscription without awaiting the answer."""
        if self._is_open:
            self._client.unsubscribe(topic_filter)

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
        self._answers[packet_id] = (answer, on_accepted)
        return await answer

    def _on_answer(
        self, _client: Client, _data: Any, packet_id: int, codes: Answer, _given: Properties | None
    ) -> None:
        self._adapter.defer(lambda: self._settle(packet_id, codes))

    def _settle(self, packet_id: int, codes: Answer) -> None:
        answer, on_accepted = self._answers.pop(packet_id, (None, None))
        if answer is None or answer.done():  # whoever asked was cancelled
            return
        if on_accepted is not None and not any(code.is_failure for code in codes):
            on_accepted()
        answer.set_result(codes)

    def fail(self) -> None:
        """Expect no more answers: the connection is gone."""
        self._is_open = False
        answers, self._answers = self._answers, {}
        for answer, _ in answers.values():
            if not answer.done():
                answer.set_exception(ConnectionLostError("the connection is gone"))
