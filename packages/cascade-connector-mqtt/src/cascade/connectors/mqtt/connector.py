"""`MqttConnector`: the Connector contract over a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, Self, overload

from cascade.connectors.local import LocalBroker, Subscription, checked_callback
from cascade.connectors.mqtt.arrival import Receiver, WholeMessageCallback, taking_whole
from cascade.connectors.mqtt.codec import Codec
from cascade.connectors.mqtt.inbound import Inbound
from cascade.connectors.mqtt.packets import beside_of, check_size, filter_options, is_5
from cascade.connectors.mqtt.session import Session
from cascade.connectors.mqtt.settings import MqttSettings, read_settings, with_will
from cascade.connectors.mqtt.subscriber import QueueOptions, Subscriber
from cascade.connectors.mqtt.subscription_table import SubscriptionTable
from cascade.connectors.mqtt.will import Will
from cascade.interfaces.errors import NotConnectedError, WrongLoopError
from cascade.interfaces.payloads import clears
from cascade.interfaces.protocols import MessageCallback, OverflowPolicy, Payload
from cascade.interfaces.topics import as_filters, validate_filters, validate_topic
from cascade.runtime.concurrency.bounded_queue import DEFAULT_LIMIT, check_bounds

__all__ = ["MqttConnector"]

_check_topic = lru_cache(maxsize=65_536)(validate_topic)


class MqttConnector:
    """A connector over MQTT 5, or 3.1.1.

    It keeps the contract of `cascade.interfaces.protocols.Connector` as far as a network can
    (``docs/mqtt.md``), and belongs to the event loop that connected it.

    Examples:
        >>> MqttConnector("mqtts://lamp@broker.example/?client_id=lamp-1&session_expiry=3600")
        MqttConnector('broker.example:8883', client_id='lamp-1')
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        max_queued: int = DEFAULT_LIMIT,
        overflow: OverflowPolicy = "wait",
        **options: Any,
    ) -> None:
        """Take down where the broker is; nothing is opened yet.

        Args:
            url: ``mqtt://user@host:port/?name=value&…``; the names are those of ``options``.
            max_queued: messages that each subscription holds while its callback is busy.
            overflow: what happens to one message more: with ``wait`` the broker of a lasting session keeps
                messages of QoS 1 and 2 until there is room, and without one they are dropped as with
                ``drop_newest``; that and ``drop_oldest`` drop, count and report; ``error`` refuses and reports.
            **options: the fields of `MqttSettings`; they outweigh the URL.

        Raises:
            ValueError: a value makes no sense, or the URL cannot be read.
            TypeError: an option has a name that nobody knows.
            OSError: ``password_file`` cannot be read.
        """
        check_bounds(max_queued, overflow)
        self.settings: MqttSettings = read_settings(url, options)
        self._queues = QueueOptions(max_queued, overflow)
        self._codec = Codec(raw=self.settings.payloads == "bytes", limit=self.settings.max_payload)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connected = False
        self._offered: Will | None = None

    def __repr__(self) -> str:
        """Return address and name; never a password."""
        return f"MqttConnector({self.settings.address!r}, client_id={self.settings.client_id!r})"

    @property
    def connected(self) -> bool:
        """Whether `connect` was called and `disconnect` was not called since."""
        return self._connected

    @property
    def carries_properties(self) -> bool:
        """Whether `cascade.interfaces.properties` travel along; MQTT 3.1.1 has no place for them."""
        return is_5(self.settings)

    @property
    def online(self) -> bool:
        """Whether there is a connection to the broker right now, as far as anybody can know."""
        return self._connected and self._session.connection.is_open

    # --- connecting ---------------------------------------------------------------------------

    async def connect(self) -> None:
        """Connect to the broker, and from then on keep the connection.

        Raises:
            BrokerRefusedError: the broker does not want us.
            BrokerUnavailableError: no broker could be reached in ``connect_timeout`` seconds.
            WrongLoopError: it is connected on another event loop that still runs.
            OSError: a file for TLS cannot be read.
        """
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._leave_old_loop()
            self._loop = loop
            self._changing = asyncio.Lock()
            self._ended = asyncio.Event()
            self._ended.set()
        await self._ended.wait()
        async with self._changing:
            if not self._connected:
                await self._open()

    def offer_will(self, topic: str, payload: Payload) -> None:
        """Have the broker publish this if the next connection dies; see `LeavesWill`."""
        self._offered = Will(topic, payload, retain=True)

    def _leave_old_loop(self) -> None:
        if not self._connected or self._loop is None:
            return
        if not self._loop.is_closed():
            raise WrongLoopError("connect")
        self._connected = False
        self._session.connection.abandon()  # the broker takes it for a death, and is right

    async def _open(self) -> None:
        lasts, broker, table = self.settings.session_expiry > 0, LocalBroker(), SubscriptionTable()
        self._inbound = Inbound(broker, table, self._codec, lasts=lasts)
        settings = with_will(self.settings, self._offered)
        self._session = session = Session(settings, table, self._inbound, self._queues.limit)
        self._subscriber = Subscriber(settings, session, table, self._inbound, broker, self._queues)
        if not self.settings.clean_start:
            self._inbound.expect_unclaimed(self._queues.limit)
        try:
            await session.start()
        except BaseException:
            session.abandon()
            raise
        table.may_number = session.connection.may_number
        self._connected, self._offered = True, None

    async def disconnect(self) -> None:
        """End all subscriptions, then the connection; the broker has then read all that was published.

        Whoever is cancelled meanwhile ends all of it at once, without a goodbye to the broker.

        Raises:
            WrongLoopError: it is connected on another event loop.
        """
        if not self._connected:
            return
        self._require_loop("disconnect")
        self._connected = False
        self._ended.clear()
        try:
            await self._subscriber.close()
            await self._session.stop()
        finally:
            self._subscriber.abandon()
            self._session.abandon()
            self._inbound.close()
            self._ended.set()

    async def __aenter__(self) -> Self:
        """Connect."""
        await self.connect()
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Disconnect."""
        await self.disconnect()

    # --- publishing ---------------------------------------------------------------------------

    async def publish(
        self,
        topic: str,
        payload: Payload,
        qos: int = 0,
        retain: bool = False,
        *,
        expiry: int | None = None,
        response_topic: str | None = None,
        correlation: bytes | None = None,
    ) -> None:
        """Send a message to the broker; see the Connector contract.

        With QoS 0 this returns when the message is handed to the network, with 1 and 2 when the
        broker has it. A retained message is state, so it goes with QoS 1 at least.

        Args:
            topic: a topic name without wildcards.
            payload: what to say.
            qos: 0, 1 or 2.
            retain: keep it as the topic's last payload.
            expiry: seconds after which the broker forgets what it could not deliver (MQTT 5).
            response_topic: where an answer is to go (MQTT 5).
            correlation: what it is to carry, so that its reader knows what it answers (MQTT 5).

        Raises:
            PayloadError: the payload is no JSON, or too large.
            BrokerRefusedError: the broker does not take it; with QoS 0 it does not tell.
            BrokerUnavailableError: the connection was away for longer than ``offline_timeout``.
            WrongLoopError: this is not the event loop that connected.
            ValueError: an option needs MQTT 5, or makes no sense.
        """
        self._require("publish")
        try:
            _check_topic(topic)
        except TypeError:  # no text, and cannot be looked up
            validate_topic(topic)
        if qos not in (0, 1, 2):
            raise ValueError(f"qos is 0, 1 or 2, not {qos!r}")
        beside = beside_of(self.settings, expiry, response_topic, correlation)
        data = b"" if retain and clears(payload) else self._codec.encode(topic, payload)
        connection = self._session.connection
        check_size(topic, data, beside, connection.max_packet)
        properties = beside.properties() if beside else None
        await self._session.gate.enter("publish")
        if qos == 0 and not retain:
            await connection.outbound.send(topic, data, retain=False, properties=properties)
        else:
            await connection.outbound.deliver(
                topic, data, max(qos, 1), retain=retain, properties=properties
            )

    # --- subscribing --------------------------------------------------------------------------

    @overload
    async def subscribe(
        self,
        topic: str | Sequence[str],
        callback: MessageCallback,
        *,
        qos: int | None = None,
        no_local: bool = False,
        with_message: Literal[False] = False,
    ) -> Subscription: ...

    @overload
    async def subscribe(
        self,
        topic: str | Sequence[str],
        callback: WholeMessageCallback,
        *,
        qos: int | None = None,
        no_local: bool = False,
        with_message: Literal[True],
    ) -> Subscription: ...

    async def subscribe(
        self,
        topic: str | Sequence[str],
        callback: MessageCallback | WholeMessageCallback,
        *,
        qos: int | None = None,
        no_local: bool = False,
        with_message: bool = False,
    ) -> Subscription:
        """Call a callback for every message that matches; see the Connector contract.

        Returns once the callback is done with every retained match that the broker sent at once.

        Args:
            topic: a topic filter, or a list or tuple of them.
            callback: ``async (topic, payload)``, or ``async (message)``.
            qos: the highest quality of service that messages arrive with; ``subscribe_qos`` if left out.
            no_local: leave out what this connector published itself; needs MQTT 5.
            with_message: call the callback with one `Message`, which has all that came beside the
                payload.

        Raises:
            BrokerRefusedError: the broker does not allow it.
            BrokerUnavailableError: the connection was away for longer than ``offline_timeout``.
            WrongLoopError: this is not the event loop that connected.
            TypeError: the callback is no async function.
            ValueError: an option makes no sense, or the filter is subscribed to with others.
        """
        self._require("subscribe")
        call = checked_callback(taking_whole(callback) if with_message else callback)
        filters = as_filters(topic)
        validate_filters(filters)
        options = filter_options(self.settings, filters, qos, no_local=no_local)
        return await self._subscriber.subscribe(
            filters, options, Receiver(call, whole=with_message)
        )

    # --- whether it may be used ---------------------------------------------------------------

    def _require(self, action: str) -> None:
        if not self._connected:
            raise NotConnectedError(action)
        self._require_loop(action)

    def _require_loop(self, action: str) -> None:
        if asyncio.get_running_loop() is not self._loop:
            raise WrongLoopError(action)
