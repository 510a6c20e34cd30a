"""paho's client with what it leaves out of the standard, and out of TLS, and with a say in what is sent again.

paho keeps each message of QoS 1 or 2 until it is acknowledged. By itself it would send all of them again
at the next connection at once, however many the broker takes and whatever came of it the last time;
here they are held back until somebody calls `release_backlog`.
"""

from __future__ import annotations

import socket
import ssl
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import MessageState, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

__all__ = ["BrokerClient"]

_NOTHING_IN_FLIGHT = -1  # as a limit; 0 would mean "no limit" to paho


class BrokerClient(Client):
    """A paho client that keeps what is not acknowledged back until `release_backlog`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """Make it as paho does."""
        self._withdrawn: set[int] = set()
        self._opened: socket.socket | None = None
        super().__init__(*args, **options)

    # --- what is not acknowledged yet -------------------------------------------------------------

    def first_unacknowledged(self) -> int | None:
        """Return the packet id of the oldest message of QoS 1 or 2 that is not acknowledged."""
        return next(iter(self._out_messages), None)

    def withdraw(self, packet_id: int) -> bool:
        """Never send a message again; False means that an answer to it may still come."""
        with self._out_message_mutex:
            message = self._out_messages.get(packet_id)
            if message is not None and message.state != MessageState.MQTT_MS_QUEUED and self._sock:
                self._withdrawn.add(packet_id)
                return False
            self._out_messages.pop(packet_id, None)
            return True

    def withdraw_all(self) -> None:
        """Never send anything again that was sent so far."""
        with self._out_message_mutex:
            self._out_messages.clear()
            self._inflight_messages = 0

    def take_withdrawn(self) -> set[int]:
        """Forget what was withdrawn on a connection that is gone, and return the packet ids."""
        withdrawn, self._withdrawn = self._withdrawn, set()
        with self._out_message_mutex:
            for packet_id in withdrawn:
                self._out_messages.pop(packet_id, None)
        return withdrawn

    def release_backlog(self, most: int) -> None:
        """Send what waits, the oldest first, until ``most`` messages lack an acknowledgement.

        paho's own setter for that number wants to be called before there is a connection, and the
        broker says the number when it makes one (MQTT 5.0 §3.2.2.3.3).
        """
        with self._out_message_mutex:
            for message in self._out_messages.values():
                if message.state == MessageState.MQTT_MS_RESEND_PUBREL:
                    self._inflight_messages += 1
                    message.state = MessageState.MQTT_MS_WAIT_FOR_PUBCOMP
                    self._send_pubrel(message.mid)
            self._max_inflight_messages = most
            self._update_inflight()

    def _messages_reconnect_reset_out(self) -> None:
        """Hold everything back that has to be sent again on the connection to come."""
        with self._out_message_mutex:
            self._inflight_messages = 0
            self._max_inflight_messages = _NOTHING_IN_FLIGHT
            for message in self._out_messages.values():
                _hold_back(message)

    def begin_anew(self) -> None:
        """Hear that the broker knows nothing of an older session, so that all is to be sent from the start."""
        with self._out_message_mutex:
            for message in self._out_messages.values():
                message.state = MessageState.MQTT_MS_QUEUED
                message.dup = False

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
                return self._do_on_publish(packet_id, reason, Properties(PacketTypes.PUBREC))  # type: ignore[no-untyped-call] # paho gives no types
        return super()._handle_pubrec()

    # --- sockets --------------------------------------------------------------------------------------

    def _create_socket(self) -> Any:
        """Open a socket, and close it where what is spoken over it cannot be agreed on."""
        try:
            return super()._create_socket()
        except BaseException:
            if self._opened is not None:
                self._opened.close()
            raise

    def _create_socket_connection(self) -> socket.socket:
        self._opened = super()._create_socket_connection()
        return self._opened

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        """Speak TLS as the context says.

        paho checks the host's name even if the context does not ask for it, with a function that
        Python 3.12 no longer has.
        """
        context = self._ssl_context
        assert context is not None  # noqa: S101 - paho calls this only with one
        self._opened = wrapped = context.wrap_socket(
            tcp_sock, server_hostname=self.host, do_handshake_on_connect=False
        )
        wrapped.settimeout(self.connect_timeout)
        wrapped.do_handshake()
        return wrapped


def _hold_back(message: MQTTMessage) -> None:
    """Have a message wait; one of QoS 2 that the broker has already needs no more than its PUBREL."""
    if message.state in {
        MessageState.MQTT_MS_WAIT_FOR_PUBCOMP,
        MessageState.MQTT_MS_RESEND_PUBREL,
    }:
        message.state = MessageState.MQTT_MS_RESEND_PUBREL
        return
    if message.state in {
        MessageState.MQTT_MS_WAIT_FOR_PUBACK,
        MessageState.MQTT_MS_WAIT_FOR_PUBREC,
    }:
        message.dup = True
    message.state = MessageState.MQTT_MS_QUEUED
