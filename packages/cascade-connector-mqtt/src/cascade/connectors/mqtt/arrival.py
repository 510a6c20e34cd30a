"""A message on its way from the network to the callbacks, with what came beside it and who waits for it.

User properties of MQTT 5 (§3.3.2.3.7) go into the callback's context, all else into the `Message` of a
callback that wants one.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from paho.mqtt.client import MQTTMessage

from cascade.connectors.mqtt.acknowledgements import Acknowledgement
from cascade.interfaces.acknowledgement import hold
from cascade.interfaces.properties import Properties, received
from cascade.interfaces.protocols import MessageCallback, Payload

__all__ = ["Arrival", "Message", "Receiver", "WholeMessageCallback", "taking_whole"]


@dataclass(frozen=True, slots=True)
class Message:
    """A message as the broker sent it; what a callback gets that subscribed ``with_message=True``."""

    topic: str
    """Where it was published."""

    payload: Payload
    """What it says."""

    qos: int
    """The quality of service that it arrived with."""

    retained: bool
    """Whether the broker had kept it, and it is older than the subscription."""

    expiry: int | None = None
    """Seconds that it is still good for; None where its publisher set no limit."""

    response_topic: str | None = None
    """Where its publisher wants an answer."""

    correlation: bytes | None = None
    """What the answer is to carry, so that its publisher knows what it is for."""

    properties: Properties = ()
    """Further names and values that came beside it."""


WholeMessageCallback: TypeAlias = Callable[[Message], Coroutine[Any, Any, None]]
"""An ``async def callback(message)``."""


class Arrival(NamedTuple):
    """What goes through the queues in the place of a payload."""

    payload: Payload
    message: MQTTMessage
    acknowledgement: Acknowledgement | None

    def whole(self) -> Message:
        """Return the message with all that came beside it."""
        beside = vars(self.message.properties) if self.message.properties else {}
        return Message(
            topic=self.message.topic,
            payload=self.payload,
            qos=self.message.qos,
            retained=self.message.retain,
            expiry=beside.get("MessageExpiryInterval"),
            response_topic=beside.get("ResponseTopic"),
            correlation=beside.get("CorrelationData"),
            properties=self.properties(),
        )

    def properties(self) -> Properties:
        """Return the user properties."""
        beside = self.message.properties
        pairs = None if beside is None else vars(beside).get("UserProperty")
        return tuple(map(tuple, pairs)) if pairs else ()


def taking_whole(callback: Any) -> MessageCallback:
    """Return a callback of ``(topic, payload)`` for one that takes a whole message.

    Raises:
        TypeError: it cannot be called.
    """
    if not callable(callback):
        raise TypeError(f"a callback is an async function of (message), not {callback!r}")

    def take(_topic: str, message: Message) -> Coroutine[Any, Any, None]:
        return callback(message)  # type: ignore[no-any-return] # it is looked at when it is called

    return take


class Receiver:
    """The callback of a subscription as the in-memory broker knows it: it takes arrivals apart."""

    def __init__(self, callback: MessageCallback, *, whole: bool) -> None:
        """Call a callback, with the payload alone or with the ``whole`` message in its place."""
        self._callback = callback
        self._whole = whole
        self.backlog: Any = getattr(callback, "backlog", None)

    def __call__(self, topic: str, arrival: Arrival) -> Coroutine[Any, Any, None]:
        """Call the callback."""
        properties = arrival.properties()
        if properties:
            received.set((properties,))
        elif received.get():  # of the message before
            received.set(())
        payload = arrival.whole() if self._whole else arrival.payload
        acknowledgement = arrival.acknowledgement
        if acknowledgement is not None:
            return self._handle(topic, payload, acknowledgement)
        if hold.get() is not None:  # the same
            hold.set(None)
        return self._callback(topic, payload)

    async def _handle(self, topic: str, payload: Payload, acknowledgement: Acknowledgement) -> None:
        """Call the callback, and be done with the message once it has returned, or failed."""
        hold.set(lambda: acknowledgement.hold(self))
        try:
            await self._callback(topic, payload)
        finally:
            acknowledgement.settle(self)
