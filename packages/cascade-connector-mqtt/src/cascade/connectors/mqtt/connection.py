"""One connection to a broker at a time: what is asked of it as coroutines, its answers as futures.

paho keeps the protocol: packets and their ids, the keep-alive, and messages of QoS 1 and 2 that have
to be sent again on the next connection; `adapter` gives it turns of the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol
from uuid import uuid4

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from cascade.connectors.mqtt.outbound import Outbound
from cascade.connectors.mqtt.packets import (
    clean_start,
    connect_properties,
    is_5,
    new_client,
    subscribe_options,
    subscribe_properties,
)
from cascade.connectors.mqtt.paho_adapter import PahoAdapter
from cascade.connectors.mqtt.settings import MqttSettings
from cascade.interfaces.errors import BrokerRefusedError

__all__ = ["Connection", "ConnectionLostError", "Listener"]

_IN_FLIGHT = 1000  # messages of QoS 1 and 2 without an answer; fewer where the broker says so
_UNSPECIFIED = 0x80  # MQTT 5.0 §2.4
_IN_FLIGHT_3 = 20  # the same for MQTT 3.1.1, where a broker cannot say so

Answer = list[ReasonCode]


class ConnectionLostError(Exception):
    """The connection is gone; whoever keeps the connection decides what that means."""


class Listener(Protocol):
    """Who hears what comes over a connection."""

    def on_message(self, message: MQTTMessage) -> None:
        """Take a message; one of QoS 1 or 2 is to be answered with `Connection.acknowledge`."""

    def on_lost(self, reason: str, code: int) -> None:
        """Hear that the connection is gone, and why; the code is the broker's, or 0."""


class Connection:
    """A client on the event loop that runs now; it may be opened again and again.

    Attributes:
        outbound: what is published goes this way.
        is_open: whether the broker said yes, and the connection is not known to be gone.
        session_present: whether the broker took up an older session at the last opening.
        may_number: whether the broker knows subscription identifiers.
        max_packet: bytes of the largest packet that the broker takes; 0 for any.
    """

    def __init__(self, settings: MqttSettings, listener: Listener) -> None:
        """Prepare a client; `open` connects it.

        Raises:
            OSError: a file for TLS cannot be read.
        """
        self._settings = settings
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._client = client = new_client(settings)
        self._adapter = PahoAdapter(client, settings.keep_alive, partial(self._lose, code=0))
        self.outbound = Outbound(client, self._adapter)
        self._dialed_before = False
        self._opened: asyncio.Future[None] | None = None
        self._answers: dict[int, tuple[asyncio.Future[Answer], Callable[[], object] | None]] = {}
        self._nobody = (
            f"cascade/round_trip_barrier/{uuid4().hex}"  # a filter that is never subscribed to
        )
        self.is_open = False
        self.session_present = False
        self.may_number = is_5(settings)
        self.max_packet = 0
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = self._on_answer
        client.on_unsubscribe = self._on_answer

    @property
    def lost(self) -> int:
        """How many messages of QoS 0 went down with the last connection, at most."""
        return self._adapter.lost

    # --- opening and closing ------------------------------------------------------------------

    async def open(self) -> None:
        """Connect, for the first time or anew.

        Raises:
            BrokerRefusedError: the broker said no.
            ConnectionLostError: the connection broke before the broker had said anything.
            OSError: the host cannot be reached, or its certificate is not accepted.
        """
        self._opened = self._loop.create_future()
        try:
            await self._adapter.dial(self._reconnect if self._dialed_before else self._connect)
            await self._opened
        except BaseException:
            self._adapter.abandon()
            raise
        finally:
            self._opened = None

    def _connect(self) -> None:
        of = self._settings
        start, properties = clean_start(of), connect_properties(of)
        self._client.connect(
            of.host, of.port, of.keep_alive, clean_start=start, properties=properties
        )

    def _reconnect(self) -> None:
        self._client.reconnect()

    async def close(self) -> None:
        """Say goodbye, once everything that was published is written and the broker has read it."""
        if self.is_open:
            await self.round_trip_barrier()
            self.is_open = False  # what happens from here on is no loss
            self._client.disconnect()
            await self._adapter.written()
        self.abandon()

    def abandon(self) -> None:
        """Leave without a word; the broker then publishes the will."""
        self.is_open = False
        self._adapter.abandon()
        self._fail_answers()

    def _on_connect(
        self,
        _client: Client,
        _data: Any,
        flags: ConnectFlags,
        code: ReasonCode,
        given: Properties | None,
    ) -> None:
        self._adapter.defer(lambda: self._begin(flags, code, given))

    def _begin(self, flags: ConnectFlags, code: ReasonCode, given: Properties | None) -> None:
        opened = self._opened
        if opened is None or opened.done():
            return
        if code.is_failure:
            opened.set_exception(BrokerRefusedError("connect", code.value, code.getName()))
            return
        self._dialed_before = self.is_open = True
        self.session_present = flags.session_present
        most = (
            getattr(given, "ReceiveMaximum", _IN_FLIGHT) if is_5(self._settings) else _IN_FLIGHT_3
        )
        self._client.limit_in_flight(min(most, _IN_FLIGHT))
        known = getattr(given, "SubscriptionIdentifierAvailable", 1)
        self.may_number = is_5(self._settings) and bool(known)
        self.max_packet = getattr(given, "MaximumPacketSize", 0)
        opened.set_result(None)

    def _on_disconnect(
        self,
        _client: Client,
        _data: Any,
        flags: DisconnectFlags,
        code: ReasonCode,
        _given: Properties | None,
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._adapter.defer(partial(self._lose, code.getName(), code=code.value))
        else:  # paho has names for what it noticed itself, but not for this, the usual way
            reason = "closed without a word" if code.value == _UNSPECIFIED else code.getName()
            self._adapter.defer(partial(self._lose, reason, code=0))

    def _lose(self, reason: str, *, code: int) -> None:
        if self._opened is not None and not self._opened.done():
            self._opened.set_exception(ConnectionLostError(reason))
        was_open, self.is_open = self.is_open, False
        self._fail_answers()
        if was_open:
            self._listener.on_lost(reason, code)

    # --- asking the broker --------------------------------------------------------------------

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
        if self.is_open:
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
        if packet_id is None or not self.is_open:
            raise ConnectionLostError("not connected")
        answer: asyncio.Future[Answer] = self._loop.create_future()
        self._answers[packet_id] = (answer, on_accepted)
        return await answer

    def _on_answer(
        self, _client: Client, _data: Any, packet_id: int, codes: Answer, _given: Properties | None
    ) -> None:
        self._adapter.defer(lambda: self._settle(packet_id, codes))

    def _settle(self, packet_id: int, codes: Answer) -> None:
        answer, on_accepted = self._answers.pop(packet_id, (None, None))
        if on_accepted is not None and not any(code.is_failure for code in codes):
            on_accepted()
        if answer is not None and not answer.done():
            answer.set_result(codes)

    # --- hearing the broker -------------------------------------------------------------------

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self._adapter.defer(partial(self._listener.on_message, message))

    def acknowledge(self, message: MQTTMessage) -> None:
        """Acknowledge a message of QoS 1 or 2, so that the broker may send more."""
        self._client.ack(message.mid, message.qos)

    def _fail_answers(self) -> None:
        answers, self._answers = self._answers, {}
        for answer, _ in answers.values():
            if not answer.done():
                answer.set_exception(ConnectionLostError("the connection is gone"))
