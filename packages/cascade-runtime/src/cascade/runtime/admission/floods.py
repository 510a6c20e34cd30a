"""What a flood of constraints may cost: so many reviews of the lines, and so many reports."""

from __future__ import annotations

from cascade.common.messaging import bus
from cascade.interfaces.errors import InvalidConstraintError

__all__ = ["Allowance", "MalformedReports"]


class Allowance:
    """A token bucket: so many at once after a quiet time, then so many a second."""

    def __init__(self, rate: float, burst: int) -> None:
        """Begin full.

        Args:
            rate: tokens a second.
            burst: tokens at most.
        """
        self._rate = rate
        self._burst = self._tokens = float(burst)
        self._refilled = 0.0

    def take(self, now: float) -> bool:
        """Take a token at a loop time; return whether there was one."""
        gained = (now - self._refilled) * self._rate
        self._tokens = min(self._burst, self._tokens + max(0.0, gained))
        self._refilled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class MalformedReports:
    """Tells of constraints that cannot be used, of the first ones each, of a flood only how many."""

    def __init__(self) -> None:
        """Begin with nothing to tell."""
        self._allowance = Allowance(rate=0.1, burst=100)
        self._untold = 0

    def tell(self, topic: str, error: InvalidConstraintError, now: float) -> None:
        """Tell of one, at a loop time."""
        if not self._allowance.take(now):
            self._untold += 1
            return
        self.tell_untold()
        bus.error("engine.constraint_malformed", topic=topic, reason=str(error))

    def tell_untold(self) -> None:
        """Tell how many were not told of."""
        if self._untold:
            bus.error("engine.constraints_untold", count=self._untold)
            self._untold = 0
