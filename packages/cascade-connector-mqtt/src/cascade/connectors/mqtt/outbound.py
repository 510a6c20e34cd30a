"""What is published: handed to the network, and for QoS 1 and 2 followed until the broker has it."""

from __future__ import annotations

import asyncio
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from cascade.connectors.mqtt.paho_adapter import PahoAdapter
from cascade.interfaces.errors import BrokerRefusedError

__all__ = ["Outbound"]

_PACKET_IDS = 60_000  # of 65,535 (MQTT 5.0 §2.2.1); the rest is for other packets


class Outbound:
    """Messages on their way to the broker; those of QoS 1 and 2 outlive a connection."""

    def __init__(self, client: Client, adapter: PahoAdapter) -> None:
        """Publish through that client."""
        self._client = client
        self._adapter = adapter
        self._acknowledgements: dict[int, asyncio.Future[ReasonCode]] = {}
        # paho counts packet ids for QoS 0 too, and calls back for those as well: these have the id of
        # a message that has waited for its acknowledgement through a whole round of ids.
        self._reused_packet_ids: set[int] = set()

    async def send(
        self, topic: str, data: bytes, *, retain: bool, properties: Properties | None = None
    ) -> None:
        """Hand over a message of QoS 0; wait only while the network is behind."""
        info = self._client.publish(topic, data, 0, retain, properties)
        if info.mid in self._acknowledgements:
            self._reused_packet_ids.add(info.mid)
        await self._adapter.wait_for_capacity(len(data))

    async def deliver(
        self,
        topic: str,
        data: bytes,
        qos: int,
        *,
        retain: bool,
        properties: Properties | None = None,
    ) -> None:
        """Send a message of QoS 1 or 2, and wait until the broker has it.

        Who is cancelled meanwhile cannot call the message back.

        Raises:
            BrokerRefusedError: the broker does not take it.
            Exception: what `fail` was called with.
        """
        while len(self._acknowledgements) >= _PACKET_IDS:
            await asyncio.wait(self._acknowledgements.values(), return_when=asyncio.FIRST_COMPLETED)
        if not self._acknowledgements:  # for QoS 0 alone it would cost a fifth
            self._client.on_publish = self._on_publish
        info = self._client.publish(topic, data, qos, retain, properties)
        while info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:  # that packet id is still in use
            info = self._client.publish(topic, data, qos, retain, properties)
        acknowledged = self._acknowledgements[info.mid] = asyncio.get_running_loop().create_future()
        code = await acknowledged
        if code.is_failure:
            action = f"publish on {topic!r}"
            raise BrokerRefusedError(action, code.value, code.getName())

    def fail(self, error: Exception) -> None:
        """Fail what is not acknowledged; whether the broker has it is not known."""
        self._client.drop_out_messages()
        acknowledgements, self._acknowledgements = self._acknowledgements, {}
        self._client.on_publish = None
        for acknowledged in acknowledgements.values():
            if not acknowledged.done():
                acknowledged.set_exception(error)

    def _on_publish(
        self, _client: Client, _data: Any, packet_id: int, code: ReasonCode, _given: Properties
    ) -> None:
        if packet_id in self._reused_packet_ids:
            self._reused_packet_ids.discard(packet_id)
        elif packet_id in self._acknowledgements:
            self._adapter.defer(lambda: self._settle(packet_id, code))

    def _settle(self, packet_id: int, code: ReasonCode) -> None:
        acknowledged = self._acknowledgements.pop(packet_id, None)
        if not self._acknowledgements:
            self._client.on_publish = None
        if acknowledged is not None and not acknowledged.done():
            acknowledged.set_result(code)
