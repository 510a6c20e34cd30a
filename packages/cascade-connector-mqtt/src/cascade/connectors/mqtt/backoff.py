"""How long to wait between attempts, to avoid a thundering herd when a broker comes back."""

from __future__ import annotations

import random

__all__ = ["Backoff"]


class Backoff:
    """Delays that double up to a limit, each shortened by chance by up to a half.

    The chance keeps clients apart that lost their broker in the same moment ("Exponential Backoff
    And Jitter", AWS Architecture Blog 2015; here "equal jitter").
    """

    def __init__(self, first: float, most: float) -> None:
        """Begin with about ``first`` seconds, and never wait longer than ``most``."""
        self._next = first
        self._most = most

    def delay(self) -> float:
        """Return the next delay, in seconds."""
        full = min(self._next, self._most)
        self._next = full * 2
        return full * (0.5 + random.random() / 2)
