"""What goes into packets of MQTT 5 and 3.1.1: the client with its will, and the properties."""

from __future__ import annotations

from typing import NamedTuple

from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY, CleanStartOption
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from cascade.connectors.mqtt.client import BrokerClient
from cascade.connectors.mqtt.codec import Codec
from cascade.connectors.mqtt.settings import MqttSettings
from cascade.connectors.mqtt.subscription_table import FilterOptions
from cascade.connectors.mqtt.tls import tls_context
from cascade.interfaces.errors import PayloadError
from cascade.interfaces.properties import Properties as UserProperties
from cascade.interfaces.properties import to_send
from cascade.interfaces.topics import Filters, validate_topic

__all__ = [
    "Beside",
    "beside_of",
    "check_size",
    "clean_start",
    "connect_properties",
    "filter_options",
    "is_5",
    "new_client",
    "require_5",
    "subscribe_options",
    "subscribe_properties",
]

_UNACKNOWLEDGED = (
    1_000  # messages that a lasting session takes at once: as many may come again after a loss
)
_FOUR_BYTES = 0xFFFF_FFFF
_LARGEST_PACKET = 268_435_460  # MQTT 5.0 §1.5.5 and §2.1.4
_BESIDE_PAYLOAD = 131_072  # bytes of a packet that topic and properties may take
_PACKET_HEAD = 16  # bytes of a PUBLISH packet beside topic and payload, at most
_PAIR_HEAD = 5  # bytes of a user property beside its name and value (MQTT 5.0 §1.5.7)
_DIAL_TIMEOUT = 10.0  # seconds that one attempt to reach the host may take


def is_5(settings: MqttSettings) -> bool:
    """Return whether the settings ask for MQTT 5."""
    return settings.protocol == "5"


def require_5(settings: MqttSettings, what: str) -> None:
    """Refuse what only MQTT 5 has a place for.

    Raises:
        ValueError: the settings ask for another version.
    """
    if not is_5(settings):
        raise ValueError(f"{what} needs MQTT 5, and this connector speaks {settings.protocol}")


def new_client(settings: MqttSettings) -> BrokerClient:
    """Return a paho client with the settings' identity, TLS and will.

    Raises:
        OSError: a file for TLS cannot be read.
    """
    version = MQTTProtocolVersion.MQTTv5 if is_5(settings) else MQTTProtocolVersion.MQTTv311
    client = BrokerClient(
        CallbackAPIVersion.VERSION2,
        client_id=settings.client_id,
        # In 3.1.1 one flag says both "begin anew" and "forget me afterwards".
        clean_session=None if is_5(settings) else settings.session_expiry == 0,
        protocol=version,
        reconnect_on_failure=False,
        transport=settings.transport,
        manual_ack=True,
    )
    client.connect_timeout = min(_DIAL_TIMEOUT, settings.connect_timeout or _DIAL_TIMEOUT)
    if settings.transport == "websockets":
        client.ws_set_options(path=settings.path)
    if settings.username is not None or settings.password is not None:
        client.username_pw_set(settings.username or "", settings.password)
    if settings.tls:
        client.tls_set_context(tls_context(settings))
    if settings.status:
        client.will_set(settings.status_topic, b'"offline"', qos=1, retain=True)
    elif settings.will is not None:
        will = settings.will
        codec = Codec(raw=settings.payloads == "bytes", limit=settings.max_payload)
        client.will_set(will.topic, codec.encode(will.topic, will.payload), will.qos, will.retain)
    return client


def clean_start(settings: MqttSettings) -> CleanStartOption:
    """Return what the first connect does with an older session; reconnects always take it up."""
    if is_5(settings) and not settings.clean_start:
        return False
    return MQTT_CLEAN_START_FIRST_ONLY


def connect_properties(settings: MqttSettings, max_queued: int) -> Properties | None:
    """Return the properties of the CONNECT packet.

    A lasting session names how many messages it takes unacknowledged: that bounds its queues, since
    it acknowledges what has been handled. All name the largest packet, so that no broker sends more.
    """
    if not is_5(settings):
        return None
    properties = _properties(PacketTypes.CONNECT)
    properties.MaximumPacketSize = min(settings.max_payload + _BESIDE_PAYLOAD, _LARGEST_PACKET)
    if settings.session_expiry:
        properties.SessionExpiryInterval = settings.session_expiry
        properties.ReceiveMaximum = min(max_queued, _UNACKNOWLEDGED)
    return properties


def check_size(topic: str, data: bytes, beside: Beside, most: int) -> None:
    """Refuse a message whose packet would be larger than the broker takes.

    Raises:
        PayloadError: it might be larger than ``most`` bytes, where that is not 0.
    """
    if not most:
        return
    size = _PACKET_HEAD + 4 * len(topic) + 4 * len(beside.response_topic or "") + len(data)
    size += sum(_PAIR_HEAD + 4 * (len(name) + len(value)) for name, value in beside.pairs)
    if size + len(beside.correlation or b"") > most:
        raise PayloadError(topic, f"the broker takes packets of {most} bytes at most")


class Beside(NamedTuple):
    """What goes beside a payload (MQTT 5.0 §3.3.2.3)."""

    pairs: UserProperties = ()
    """User properties."""

    expiry: int | None = None
    """Seconds that the message is good for."""

    response_topic: str | None = None
    """Where an answer is to go."""

    correlation: bytes | None = None
    """What an answer is to carry."""

    def __bool__(self) -> bool:
        """Return whether there is anything."""
        return bool(self.pairs) or self.is_said

    @property
    def is_said(self) -> bool:
        """Whether there is more than user properties."""
        return (self.expiry, self.response_topic, self.correlation) != (None, None, None)

    def properties(self) -> Properties:
        """Return the properties of a PUBLISH packet.

        Raises:
            ValueError: the expiry is no number of seconds.
        """
        properties = _properties(PacketTypes.PUBLISH)
        if self.pairs:
            properties.UserProperty = list(self.pairs)
        if self.expiry is not None:
            if not 1 <= self.expiry <= _FOUR_BYTES:
                raise ValueError(f"expiry is 1 to {_FOUR_BYTES} seconds, not {self.expiry!r}")
            properties.MessageExpiryInterval = int(self.expiry)
        if self.response_topic is not None:
            validate_topic(self.response_topic)
            properties.ResponseTopic = self.response_topic
        if self.correlation is not None:
            properties.CorrelationData = self.correlation
        return properties


def beside_of(
    settings: MqttSettings,
    expiry: int | None,
    response_topic: str | None,
    correlation: bytes | None,
) -> Beside:
    """Return what goes beside a payload, with the properties that the publisher's context says.

    Raises:
        ValueError: MQTT 3.1.1 has no place for it.
    """
    pairs = to_send.get() if is_5(settings) else ()
    beside = Beside(pairs, expiry, response_topic, correlation)
    if beside.is_said:
        require_5(settings, "expiry, response_topic and correlation")
    return beside


def filter_options(
    settings: MqttSettings, filters: Filters, qos: int | None, *, no_local: bool
) -> FilterOptions:
    """Return how to subscribe to filters, from what was asked for.

    Raises:
        ValueError: it makes no sense.
    """
    shared = filters[0].startswith("$share/")
    if no_local:
        require_5(settings, "no_local")
        if shared:
            raise ValueError("no_local makes no sense for a shared subscription")
    if qos not in (None, 0, 1, 2):
        raise ValueError(f"qos is 0, 1 or 2, not {qos!r}")
    most = settings.subscribe_qos if qos is None else qos
    apart = shared or no_local or most != settings.subscribe_qos
    return FilterOptions(most, no_local, stands_apart=apart)


def subscribe_options(
    settings: MqttSettings, options: FilterOptions, *, retained: bool
) -> SubscribeOptions | None:
    """Return how to subscribe in MQTT 5: with or without what is retained; None in 3.1.1."""
    if not is_5(settings):
        return None
    send, keep = SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE, SubscribeOptions.RETAIN_DO_NOT_SEND
    return SubscribeOptions(
        qos=options.qos, noLocal=options.no_local, retainHandling=send if retained else keep
    )


def subscribe_properties(number: int | None) -> Properties | None:
    """Return the properties of a SUBSCRIBE packet whose filter has a number."""
    if number is None:
        return None
    properties = _properties(PacketTypes.SUBSCRIBE)
    properties.SubscriptionIdentifier = number
    return properties


def _properties(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call] # paho gives no types for this one
