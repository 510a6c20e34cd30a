"""What a mailbox discards for a while: the filters of a ``recv`` with a holdoff."""

from __future__ import annotations

from cascade.interfaces.topics import Filters
from cascade.runtime.signals.source import match

__all__ = ["Muted"]


class Muted:
    """Filters, each with the time until which nothing on them is wanted."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        """Begin with none."""
        self._until: dict[Filters, float] = {}

    def add(self, filters: Filters, until: float) -> None:
        """Discard what comes on these filters before that time."""
        self._until[filters] = until

    def lasts(self, now: float) -> bool:
        """Return whether anything is still discarded."""
        return any(now < until for until in self._until.values())

    def covers(self, arrived_by: Filters, topic: str, now: float) -> bool:
        """Return whether a message is to be discarded."""
        valid = [filters for filters, until in self._until.items() if now < until]
        return any(each is arrived_by or match(each, topic) for each in valid)
