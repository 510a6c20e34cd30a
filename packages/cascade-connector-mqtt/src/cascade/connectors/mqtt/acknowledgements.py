"""The acknowledgements that are owed to the broker: in order, each when its message is done with.

Without a lasting session a message is acknowledged as it comes. With one the broker keeps it for a
client that dies, so its acknowledgement goes out when every local receiver is done: a callback has returned,
a signal is taken from its mailbox. They go in the order of the messages (MQTT 5.0 §4.6), so one that is owed
holds those after it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from functools import partial

from paho.mqtt.client import MQTTMessage

__all__ = ["Acknowledgement", "Acknowledgements"]


class Acknowledgement:
    """Whom one message still waits for."""

    __slots__ = ("_acknowledgements", "_waits_for", "message")

    def __init__(self, acknowledgements: Acknowledgements, message: MQTTMessage) -> None:
        self._acknowledgements = acknowledgements
        self._waits_for: dict[Hashable, Hashable] = {}
        self.message = message

    @property
    def is_due(self) -> bool:
        """Whether everybody is done."""
        return not self._waits_for

    def wait_for(self, receiver: Hashable) -> None:
        """Wait for a receiver to be done with the message."""
        self._waits_for[receiver] = receiver

    def hold(self, receiver: Hashable) -> Callable[[], None]:
        """Wait for something more that belongs to a receiver, until what is returned is called."""
        token = object()
        self._waits_for[token] = receiver
        return partial(self.settle, token)

    def settle(self, receiver: Hashable) -> None:
        """Hear that a receiver is done with it."""
        if self._waits_for.pop(receiver, None) is not None and not self._waits_for:
            self._acknowledgements.send_due()

    def release(self, receiver: Hashable) -> None:
        """Wait for nothing more of a receiver that is gone."""
        for token in [each for each, whose in self._waits_for.items() if whose is receiver]:
            del self._waits_for[token]


class Acknowledgements:
    """What is owed on one connection after the other."""

    def __init__(self, acknowledge: Callable[[MQTTMessage], None]) -> None:
        """Send acknowledgements that way."""
        self._acknowledge = acknowledge
        self._owed: deque[Acknowledgement] = deque()
        self._lost: list[Acknowledgement] = []

    def owe(self, message: MQTTMessage) -> Acknowledgement:
        """Owe one for a message, until whoever it waits for is done."""
        acknowledgement = Acknowledgement(self, message)
        self._owed.append(acknowledgement)
        return acknowledgement

    def send_due(self) -> None:
        """Send all that is due and not behind another one."""
        owed = self._owed
        while owed and owed[0].is_due:
            self._acknowledge(owed.popleft().message)

    def release(self, receiver: Hashable) -> None:
        """Wait for nothing more of a receiver that is gone."""
        for acknowledgement in self._owed:
            acknowledgement.release(receiver)
        self.send_due()

    def forget(self) -> None:
        """Owe nothing: the connection is gone, and a broker that knows us will send those messages again."""
        self._lost += self._owed
        self._owed.clear()

    def take_lost(self) -> set[Acknowledgement]:
        """Return those of messages that nobody was done with when their connection was lost, once."""
        lost, self._lost = self._lost, []
        return {each for each in lost if not each.is_due}
