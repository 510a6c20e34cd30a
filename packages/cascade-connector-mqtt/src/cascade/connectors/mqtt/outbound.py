"""What is published: handed to the network, and for QoS 1 and 2 followed until the broker has it.

After a loss the messages without an acknowledgement are sent again, the oldest one alone at first, then
more with each acknowledgement. So what makes a broker close the connection is found out in the end: it
is a message that was alone on its way, several times in a row. It is given up, and the rest goes on.
"""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from cascade.connectors.mqtt.client import BrokerClient
from cascade.connectors.mqtt.closings import Closings
from cascade.connectors.mqtt.paho_adapter import PahoAdapter
from cascade.interfaces.errors import BrokerRefusedError

__all__ = ["Outbound"]

_PACKET_IDS = 60_000  # of 65,535 (MQTT 5.0 §2.2.1); the rest is for other packets


class _Unacknowledged(NamedTuple):
    """A message that the broker has not acknowledged."""

    topic: str
    answer: asyncio.Future[ReasonCode]


class Outbound:
    """Messages on their way to the broker; those of QoS 1 and 2 outlive a connection."""

    def __init__(self, client: BrokerClient, adapter: PahoAdapter) -> None:
        """Publish through that client."""
        self._client = client
        self._adapter = adapter
        self._unacknowledged: dict[int, _Unacknowledged] = {}
        self._free_ids = asyncio.Semaphore(_PACKET_IDS)
        # paho counts packet ids for QoS 0 too, and calls back for those as well: these have the id of
        # a message that has waited for its acknowledgement through a whole round of ids.
        self._reused_packet_ids: set[int] = set()
        self._most = 1  # messages without an acknowledgement that the broker takes
        self._window = 1  # as many of them are sent again so far
        self._alone: int | None = None  # the one message that is being sent again
        self._first_is_through: asyncio.Future[None] | None = None
        self._suspect: int | None = None  # the message that was alone when the connection was lost
        self._closings = Closings()

    async def send(
        self, topic: str, data: bytes, *, retain: bool, properties: Properties | None = None
    ) -> None:
        """Hand over a message of QoS 0; wait only while the network is behind."""
        info = self._client.publish(topic, data, 0, retain, properties)
        if info.mid in self._unacknowledged:
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

        Who is cancelled meanwhile leaves nothing to be sent again; it may have arrived already.

        Raises:
            BrokerRefusedError: the broker does not take it, or closes the connection at it.
            Exception: what `fail` was called with.
        """
        await self._free_ids.acquire()  # first come, first served
        if not self._unacknowledged:  # for QoS 0 alone it would cost a fifth
            self._client.on_publish = self._on_publish
        info = self._client.publish(topic, data, qos, retain, properties)
        while info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:  # that packet id is still in use
            info = self._client.publish(topic, data, qos, retain, properties)
        answer: asyncio.Future[ReasonCode] = asyncio.get_running_loop().create_future()
        self._unacknowledged[info.mid] = _Unacknowledged(topic, answer)
        try:
            code = await answer
        except asyncio.CancelledError:
            if self._client.withdraw(info.mid):
                self._forget(info.mid)
            raise
        if code.is_failure:
            action = f"publish on {topic!r}"
            raise BrokerRefusedError(action, code.value, code.getName())

    async def drained(self) -> None:
        """Wait until everything has its acknowledgement, or failed."""
        while awaited := [a for _, a in self._unacknowledged.values() if not a.done()]:
            await asyncio.wait(awaited)

    # --- from connection to connection ----------------------------------------------------------

    def limit(self, most: int) -> None:
        """Have at most so many messages without an acknowledgement on the connection that was just made."""
        self._most = most
        self._window = 1
        if not self._unacknowledged:
            self._window = most
            self._client.release_backlog(most)

    async def resume(self) -> None:
        """Begin to send again what has no acknowledgement; wait until the first of it is through.

        Others wait meanwhile, so the connection is that message's alone.
        """
        self._alone = first = self._client.first_unacknowledged()
        if first is None:
            self._open_window()
            return
        self._first_is_through = asyncio.get_running_loop().create_future()
        self._client.release_backlog(1)
        try:
            await self._first_is_through
        finally:
            self._first_is_through = None

    def on_lost(self, code: int | None) -> None:
        """Hear that the connection is gone; ``code`` if the broker closed it, None if nobody knows why."""
        for packet_id in self._client.take_withdrawn():
            self._forget(packet_id)
        alone, self._alone = self._alone, None
        if alone is None or alone not in self._unacknowledged or code is None:
            return
        if alone != self._suspect:
            self._suspect, self._closings = alone, Closings()
        topic, answer = self._unacknowledged[alone]
        refusal = self._closings.add(f"publish on {topic!r}", code)
        if refusal is not None:
            self._client.withdraw(alone)
            self._forget(alone)
            if not answer.done():
                answer.set_exception(refusal)

    def _open_window(self) -> None:
        self._alone = self._suspect = None
        if self._first_is_through is not None and not self._first_is_through.done():
            self._first_is_through.set_result(None)
        self._window = min(2 * self._window, self._most) if self._unacknowledged else self._most
        self._client.release_backlog(self._window)

    # --- answers ----------------------------------------------------------------------------------

    def fail(self, error: Exception) -> None:
        """Fail what is not acknowledged; whether the broker has it is not known."""
        self._client.withdraw_all()
        for packet_id, (_, answer) in list(self._unacknowledged.items()):
            self._forget(packet_id)
            if not answer.done():
                answer.set_exception(error)
        self._open_window()

    def _forget(self, packet_id: int) -> asyncio.Future[ReasonCode] | None:
        known = self._unacknowledged.pop(packet_id, None)
        if not self._unacknowledged:
            self._client.on_publish = None
        if known is None:
            return None
        self._free_ids.release()
        return known.answer

    def _on_publish(
        self, _client: Client, _data: Any, packet_id: int, code: ReasonCode, _given: Properties
    ) -> None:
        if packet_id in self._reused_packet_ids:
            self._reused_packet_ids.discard(packet_id)
        elif packet_id in self._unacknowledged:
            self._adapter.defer(lambda: self._settle(packet_id, code))

    def _settle(self, packet_id: int, code: ReasonCode) -> None:
        answer = self._forget(packet_id)
        if self._window < self._most:
            self._open_window()
        if answer is not None and not answer.done():
            answer.set_result(code)
