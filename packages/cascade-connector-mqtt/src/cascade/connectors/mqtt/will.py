"""What a broker publishes for a client that dies (MQTT 5.0 §3.1.2.5)."""

from __future__ import annotations

from dataclasses import dataclass

from cascade.interfaces.protocols import Payload
from cascade.interfaces.topics import validate_topic

__all__ = ["Will"]


@dataclass(frozen=True, slots=True)
class Will:
    """A client's own will.

    Examples:
        >>> Will("lamps/1/state", "gone", retain=True).qos
        1
    """

    topic: str
    """Where to publish it."""

    payload: Payload
    """What it says."""

    qos: int = 1
    """The quality of service to publish it with."""

    retain: bool = False
    """Whether to keep it as the topic's last payload."""

    def __post_init__(self) -> None:
        """Refuse what cannot be published.

        Raises:
            InvalidTopicError: the topic is not a valid topic name.
            ValueError: qos is not 0, 1 or 2.
        """
        validate_topic(self.topic)
        if self.qos not in (0, 1, 2):
            raise ValueError(f"qos is 0, 1 or 2, not {self.qos!r}")
