"""What goes into packets of MQTT 5 and 3.1.1: the client with its will, and the properties."""

from __future__ import annotations

import socket
import ssl

from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY, CleanStartOption, Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from cascade.connectors.mqtt.settings import MqttSettings
from cascade.connectors.mqtt.tls import tls_context
from cascade.interfaces.properties import Properties as UserProperties

__all__ = [
    "BrokerClient",
    "clean_start",
    "connect_properties",
    "is_5",
    "new_client",
    "publish_properties",
    "subscribe_options",
    "subscribe_properties",
]

_DIAL_TIMEOUT = 10.0  # seconds that one attempt to reach the host may take


class BrokerClient(Client):
    """paho's client, with what it leaves out of the standard, and out of TLS."""

    def limit_in_flight(self, most: int) -> None:
        """Allow as many unacknowledged messages as the broker said in its CONNACK.

        paho's own setter wants to be called before there is a connection (MQTT 5.0 §3.2.2.3.3).
        """
        self._max_inflight_messages = most

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        """Speak TLS as the context says.

        paho checks the host's name even if the context does not ask for it, with a function that
        Python 3.12 no longer has, and leaves the socket of a broker that it refuses open.
        """
        context = self._ssl_context
        assert context is not None  # noqa: S101 - paho calls this only with one
        wrapped = context.wrap_socket(
            tcp_sock, server_hostname=self.host, do_handshake_on_connect=False
        )
        try:
            wrapped.settimeout(self.connect_timeout)
            wrapped.do_handshake()
        except BaseException:
            wrapped.close()
            raise
        return wrapped

    def _handle_pubrec(self) -> MQTTErrorCode:
        """Go on with a message of QoS 2, unless the broker refuses it.

        MQTT 5.0 §3.5: packet id, then the reason code unless all is well. With one from 0x80 on the
        message ends here (§4.3.3); paho would send PUBREL, and take the answer to that for success.
        """
        packet = self._in_packet["packet"]
        code = packet[2] if len(packet) > 2 else 0  # noqa: PLR2004 - two bytes of packet id
        packet_id = int.from_bytes(packet[:2], "big")
        with self._out_message_mutex:
            if code >= 0x80 and packet_id in self._out_messages:  # noqa: PLR2004 - named above
                reason = ReasonCode(PacketTypes.PUBREC, identifier=code)
                return self._do_on_publish(packet_id, reason, _properties(PacketTypes.PUBREC))
        return super()._handle_pubrec()


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


def connect_properties(settings: MqttSettings) -> Properties | None:
    """Return the properties of the CONNECT packet."""
    if not is_5(settings) or not settings.session_expiry:
        return None
    properties = _properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = settings.session_expiry
    return properties


def publish_properties(pairs: UserProperties) -> Properties:
    """Return the properties of a PUBLISH packet that brings user properties along."""
    properties = _properties(PacketTypes.PUBLISH)
    properties.UserProperty = list(pairs)
    return properties


def subscribe_options(settings: MqttSettings, *, retained: bool) -> SubscribeOptions | None:
    """Return how to subscribe in MQTT 5: with or without what is retained; None in 3.1.1."""
    if not is_5(settings):
        return None
    send, keep = SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE, SubscribeOptions.RETAIN_DO_NOT_SEND
    return SubscribeOptions(qos=settings.subscribe_qos, retainHandling=send if retained else keep)


def subscribe_properties(number: int | None) -> Properties | None:
    """Return the properties of a SUBSCRIBE packet whose filter has a number."""
    if number is None:
        return None
    properties = _properties(PacketTypes.SUBSCRIBE)
    properties.SubscriptionIdentifier = number
    return properties


def _properties(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call] # paho gives no types for this one
