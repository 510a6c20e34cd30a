"""What goes into packets of MQTT 5 and 3.1.1: the client with its will, and the properties."""

from __future__ import annotations

from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY, CleanStartOption
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from cascade.connectors.mqtt.client import BrokerClient
from cascade.connectors.mqtt.settings import MqttSettings
from cascade.connectors.mqtt.subscription_table import FilterOptions
from cascade.connectors.mqtt.tls import tls_context
from cascade.interfaces.errors import PayloadError
from cascade.interfaces.properties import Properties as UserProperties

__all__ = [
    "check_size",
    "clean_start",
    "connect_properties",
    "is_5",
    "new_client",
    "publish_properties",
    "subscribe_options",
    "subscribe_properties",
]

_TWO_BYTES = 0xFFFF
_LARGEST_PACKET = 268_435_460  # MQTT 5.0 §1.5.5 and §2.1.4
_BESIDE_PAYLOAD = 131_072  # bytes of a packet that topic and properties may take
_PACKET_HEAD = 16  # bytes of a PUBLISH packet beside topic and payload, at most
_PAIR_HEAD = 5  # bytes of a user property beside its name and value (MQTT 5.0 §1.5.7)
_DIAL_TIMEOUT = 10.0  # seconds that one attempt to reach the host may take


def is_5(settings: MqttSettings) -> bool:
    """Return whether the settings ask for MQTT 5."""
    return settings.protocol == "5"


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
        manual_ack=True,
    )
    client.connect_timeout = min(_DIAL_TIMEOUT, settings.connect_timeout or _DIAL_TIMEOUT)
    if settings.username is not None:
        client.username_pw_set(settings.username, settings.password)
    if settings.tls:
        client.tls_set_context(tls_context(settings))
    if settings.status:
        client.will_set(settings.status_topic, b'"offline"', qos=1, retain=True)
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
        properties.ReceiveMaximum = min(max_queued, _TWO_BYTES)
    return properties


def check_size(topic: str, data: bytes, pairs: UserProperties, most: int) -> None:
    """Refuse a message whose packet would be larger than the broker takes.

    Raises:
        PayloadError: it might be larger than ``most`` bytes.
    """
    beside = sum(_PAIR_HEAD + 4 * (len(name) + len(value)) for name, value in pairs)
    if _PACKET_HEAD + 4 * len(topic) + beside + len(data) > most:
        raise PayloadError(topic, f"the broker takes packets of {most} bytes at most")


def publish_properties(pairs: UserProperties) -> Properties:
    """Return the properties of a PUBLISH packet that brings user properties along."""
    properties = _properties(PacketTypes.PUBLISH)
    properties.UserProperty = list(pairs)
    return properties


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
