"""Whether other processes have put letters into mailboxes, seen by the numbers that signals have."""

from __future__ import annotations

__all__ = ["Traffic"]


class Traffic:
    """The numbers of the last signals that a store has written itself, and found.

    The writer, in its thread, tells it of each transaction; whoever asks reads two integers.
    """

    def __init__(self) -> None:
        """Begin without a number."""
        self._own = -1
        self._found = -1
        self._others = 0
        self._told = 0

    def wrote(self, first: int, last: int) -> None:
        """Take note of a transaction: the number that it found, and the one that it left."""
        if first > max(self._own, self._found):
            self._others += 1
        self._own = last

    def is_news(self, number: int) -> bool:
        """Return whether others have written since the last time, where this is the last number by now."""
        others = self._others
        is_first = self._found < 0
        news = others > self._told or number > max(self._own, self._found)
        self._told, self._found = others, max(number, self._found)
        return news and not is_first
