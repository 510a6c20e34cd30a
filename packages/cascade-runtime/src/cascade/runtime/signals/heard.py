"""What a mailbox heard last on each topic, so that a retained message does not enter it again."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

__all__ = ["Heard"]

_TOPICS = 1024  # that are remembered, those heard last


class Heard:
    """The last payloads of the topics that were heard last."""

    __slots__ = ("_payloads",)

    def __init__(self) -> None:
        """Begin with none."""
        self._payloads: OrderedDict[str, Any] = OrderedDict()

    def note(self, topic: str, payload: Any) -> None:
        """Remember a message."""
        self._payloads[topic] = payload
        self._payloads.move_to_end(topic)
        if len(self._payloads) > _TOPICS:
            self._payloads.popitem(last=False)

    def last(self, topic: str, payload: Any) -> bool:
        """Return whether this was the last message on its topic; what cannot be compared was not."""
        if topic not in self._payloads:
            return False
        known = self._payloads[topic]
        try:
            return known is payload or (type(known) is type(payload) and bool(known == payload))
        except (TypeError, ValueError):  # as arrays, whose equality is an array
            return False
