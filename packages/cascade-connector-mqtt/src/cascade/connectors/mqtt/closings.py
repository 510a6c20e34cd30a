"""What a broker answers by closing the connection: taken for a no once it has done so several times in a row.

Some brokers close at whatever they refuse: a message that is too large for them, a filter or a topic
that is not allowed. Whoever asked is told, and the same thing is not tried for ever.
"""

from __future__ import annotations

from collections import Counter

from cascade.interfaces.errors import BrokerRefusedError

__all__ = ["MOST_CLOSINGS", "Closings"]

MOST_CLOSINGS = 3
"""How often in a row a broker may close the connection at the same thing, until that is its answer."""

_UNSPECIFIED = 0x80  # MQTT 5.0 §2.4


class Closings:
    """Counts, for things that are done alone on a connection, how often it was lost at them."""

    def __init__(self) -> None:
        """Begin with nothing to blame."""
        self._count: Counter[str] = Counter()

    def add(self, action: str, code: int = _UNSPECIFIED) -> BrokerRefusedError | None:
        """Count one more; return the error once that is an answer. ``code`` is the broker's, if it said one."""
        self._count[action] += 1
        return self.verdict(action, code)

    def verdict(self, action: str, code: int = _UNSPECIFIED) -> BrokerRefusedError | None:
        """Return the error if the broker has closed at it too often."""
        if self._count[action] < MOST_CLOSINGS:
            return None
        return BrokerRefusedError(
            action, code, f"it closed the connection {MOST_CLOSINGS} times at it"
        )

    def forgive(self, action: str) -> None:
        """Hear that it went well."""
        self._count.pop(action, None)
