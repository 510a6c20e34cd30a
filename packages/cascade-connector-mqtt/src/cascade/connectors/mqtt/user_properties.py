"""User properties of MQTT 5 (§3.3.2.3.7): out of the context that publishes, into that of the callback.

On the way through queues they stay with their message, as a `Carried` payload; a message without any
is as it would be.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from paho.mqtt.client import MQTTMessage

from cascade.interfaces.properties import Carried, received
from cascade.interfaces.protocols import MessageCallback, Payload

__all__ = ["carried", "unpacking"]


def carried(payload: Payload, message: MQTTMessage) -> Payload:
    """Return the payload of a message together with its user properties, if it has any."""
    properties = message.properties
    pairs = None if properties is None else vars(properties).get("UserProperty")
    return Carried(payload, tuple(map(tuple, pairs))) if pairs else payload


def unpacking(callback: MessageCallback) -> MessageCallback:
    """Return a callback that puts properties where the context has them, and calls this one."""

    def unpack(topic: str, payload: Payload) -> Coroutine[Any, Any, None]:
        if type(payload) is Carried:
            payload, properties = payload
            received.set((properties,))
        elif received.get():  # of the message before
            received.set(())
        return callback(topic, payload)

    return unpack
