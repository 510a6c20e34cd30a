"""Measures of a swarm, from the times of its flashes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from math import cos, hypot, sin, tau

from cascade.observatory.observer import FlashLog

__all__ = ["Coherence", "flashes_between", "order_parameter", "phase_between_flashes"]


def order_parameter(phases: Iterable[float]) -> float:
    """Return r = |Σ e^(2πi·phase)| / N: 1 if all phases agree, near 0 if they are spread evenly.

    Kuramoto's order parameter (1975), for phases as fractions of a cycle.

    Raises:
        ValueError: there are no phases.
    """
    angles = [tau * phase for phase in phases]
    if not angles:
        raise ValueError("the order parameter of no phases at all is not defined")
    return hypot(sum(map(cos, angles)), sum(map(sin, angles))) / len(angles)


def phase_between_flashes(times: Sequence[float], at: float) -> float:
    """Return the phase at a time, as the fraction of the way from one flash to the next.

    Both flashes have to be known: (at - last flash) / period would be wrong wherever pulses
    shorten the cycle, and biased in the same direction for everybody.

    Args:
        times: when it flashed, in seconds, rising.
        at: a time from the first flash to the last one, in seconds.

    Raises:
        ValueError: there is no flash before or none after that time.
    """
    after = bisect_right(times, at)
    if after == len(times) and times and times[-1] == at:
        return 0.0
    if not 0 < after < len(times):
        raise ValueError(f"{at:g} s is not between two known flashes")
    before = times[after - 1]
    return (at - before) / (times[after] - before)


def flashes_between(log: FlashLog, begin: float, end: float) -> int:
    """Return how many flashes were seen from ``begin`` to before ``end``, in seconds."""
    return bisect_left(log.seen, end) - bisect_left(log.seen, begin)


class Coherence:
    """The order parameter over time, worked out once for each point of a grid.

    A point needs everybody's next flash, so the curve follows the present by about one period.

    Attributes:
        times: the points, in seconds; the first is where everybody has flashed once.
        values: r at each of them.
    """

    def __init__(self, log: FlashLog, step: float) -> None:
        """Follow a log, with so many seconds from point to point."""
        self._log = log
        self._step = step
        self.times: list[float] = []
        self.values: list[float] = []

    def update(self) -> None:
        """Add the points that have become known."""
        end = self._log.known_until()
        if not self.times and end < (begin := self._log.known_from()):
            return
        at = self.times[-1] + self._step if self.times else begin
        while at <= end:
            by_agent = self._log.by_agent
            self.values.append(order_parameter(phase_between_flashes(t, at) for t in by_agent))
            self.times.append(at)
            at += self._step

    def least_between(self, begin: float, end: float) -> float | None:
        """Return the least r from ``begin`` to ``end``, in seconds.

        None while the curve has not come that far; 0 where it had not even begun.
        """
        if not self.times or self.times[-1] + self._step < end:
            return None
        first, last = bisect_left(self.times, begin), bisect_right(self.times, end)
        return min(self.values[first:last], default=0.0)
