"""One connection to a broker at a time: what is asked of it as coroutines, its answers as futures.

paho keeps the protocol: packets and their ids, the keep-alive, and messages of QoS 1 and 2 that have
to be sent again on the next connection; `adapter` gives it turns of the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from itertools import cycle
from typing import Any, Protocol, TypeVar

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from cascade.connectors.mqtt.outbound import Outbound
from cascade.connectors.mqtt.packets import (
    clean_start,
    connect_properties,
    is_5,
    new_client,
)
from cascade.connectors.mqtt.paho_adapter import PahoAdapter
from cascade.connectors.mqtt.requests import ConnectionLostError, Requests
from cascade.connectors.mqtt.settings import MqttSettings
from cascade.interfaces.errors import BrokerRefusedError

__all__ = ["Connection", "Listener"]

_IN_FLIGHT = 1000  # messages of QoS 1 and 2 without an answer; fewer where the broker says so
_UNSPECIFIED = 0x80  # MQTT 5.0 §2.4
_IN_FLIGHT_3 = 20  # the same for MQTT 3.1.1, where a broker cannot say so

T = TypeVar("T")


class Listener(Protocol):
    """Who hears what comes over a connection."""

    def on_message(self, message: MQTTMessage) -> None:
        """Take a message; one of QoS 1 or 2 is to be answered with `Connection.acknowledge`."""

    def on_open(self) -> None:
        """Hear that there is a connection; `Connection.session_present` says what the broker knows of us."""

    def on_lost(self, reason: str, code: int | None) -> None:
        """Hear that the connection is gone, and why; the code is given if the broker closed it."""


class Connection:
    """A client on the event loop that runs now; it may be opened again and again.

    Attributes:
        outbound: what is published goes this way.
        requests: and what the broker is asked for.
        is_open: whether the broker said yes, and the connection is not known to be gone.
        session_present: whether the broker took up an older session at the last opening.
        may_number: whether the broker knows subscription identifiers.
        max_packet: bytes of the largest packet that the broker takes; 0 for any.
    """

    def __init__(self, settings: MqttSettings, listener: Listener, max_queued: int) -> None:
        """Prepare a client; `open` connects it.

        Raises:
            OSError: a file for TLS cannot be read.
        """
        self._settings = settings
        self._max_queued = max_queued
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._client = client = new_client(settings)
        self._adapter = PahoAdapter(client, settings.keep_alive, self._lose)
        self.outbound = Outbound(client, self._adapter)
        self._addresses = cycle(settings.addresses)
        self._opened: asyncio.Future[None] | None = None
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self.requests = Requests(client, self._adapter, settings)
        self.is_open = False
        self.session_present = False
        self.may_number = is_5(settings)
        self.max_packet = 0
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message

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
            await self._adapter.dial(self._connect)
            await self._opened
        except BaseException:
            self._adapter.abandon()
            raise
        finally:
            self._opened = None

    def _connect(self) -> None:
        of = self._settings
        host, port = next(self._addresses)
        self._client.connect(
            of.path if of.transport == "unix" else host,
            port,
            of.keep_alive,
            clean_start=clean_start(of),
            properties=connect_properties(of, self._max_queued),
        )

    async def close(self) -> None:
        """Say goodbye, once everything that was published is written and the broker has read it."""
        if self.is_open:
            await self.while_open(self.outbound.drained())
            await self.requests.round_trip_barrier()
            self.is_open = False  # what happens from here on is no loss
            self._client.disconnect()
            await self._adapter.written()
        self.abandon()

    def abandon(self) -> None:
        """Leave without a word; the broker then publishes the will."""
        self.is_open = False
        self._adapter.abandon()
        self._end()

    async def while_open(self, work: Coroutine[Any, Any, T]) -> T:
        """Await something that has no sense without this very connection.

        Raises:
            ConnectionLostError: the connection is gone; the work was cancelled.
        """
        task = asyncio.create_task(work)
        try:
            waited_for: list[asyncio.Future[Any]] = [task, self._ended]
            await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise ConnectionLostError("the connection is gone")
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait([task])
        return task.result()

    def _on_connect(
        self,
        _client: Client,
        _data: Any,
        flags: ConnectFlags,
        code: ReasonCode,
        given: Properties | None,
    ) -> None:
        if not flags.session_present:
            self._client.begin_anew()
        self._adapter.defer(lambda: self._begin(flags, code, given))

    def _begin(self, flags: ConnectFlags, code: ReasonCode, given: Properties | None) -> None:
        opened = self._opened
        if opened is None or opened.done():
            return
        if code.is_failure:
            opened.set_exception(BrokerRefusedError("connect", code.value, code.getName()))
            return
        self.is_open = True
        self._ended = self._loop.create_future()
        self.requests.begin()
        self.session_present = flags.session_present
        most = (
            getattr(given, "ReceiveMaximum", _IN_FLIGHT) if is_5(self._settings) else _IN_FLIGHT_3
        )
        self.outbound.limit(min(most, _IN_FLIGHT))
        known = getattr(given, "SubscriptionIdentifierAvailable", 1)
        self.may_number = is_5(self._settings) and bool(known)
        self.max_packet = getattr(given, "MaximumPacketSize", 0)
        self._listener.on_open()
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
        elif code.value == _UNSPECIFIED:  # paho has names for what it noticed, but not for this
            self._adapter.defer(partial(self._lose, "closed without a word", code=_UNSPECIFIED))
        else:
            self._adapter.defer(partial(self._lose, code.getName()))

    def _lose(self, reason: str, *, code: int | None = None) -> None:
        """Hear that the connection is gone; with a code if it was closed by the broker."""
        if self._opened is not None and not self._opened.done():
            self._opened.set_exception(ConnectionLostError(reason))
        was_open, self.is_open = self.is_open, False
        self._end()
        if was_open:
            self.outbound.on_lost(code)
            self._listener.on_lost(reason, code)

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)
        self.requests.fail()

    # --- hearing the broker -------------------------------------------------------------------

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self._adapter.defer(partial(self._listener.on_message, message))

    def acknowledge(self, message: MQTTMessage) -> None:
        """Acknowledge a message of QoS 1 or 2, so that the broker may send more."""
        self._client.ack(message.mid, message.qos)
