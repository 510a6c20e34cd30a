"""Measures of a swarm, from the times of its flashes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from cmath import rect
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import ceil, cos, hypot, sin, tau

from cascade.observatory.observer import FlashLog

__all__ = ["Coherence", "clusters", "flashes_between", "order_parameter", "phase_between_flashes"]


def order_parameter(phases: Iterable[float]) -> float:
    """Return r = |Σ e^(2πi·phase)| / N: 1 if all phases agree, near 0 if they are spread evenly.

    Kuramoto's order parameter (1975), for phases as fractions of a cycle.

    Raises:
        ValueError: there are no phases.

    Examples:
        >>> order_parameter([0.1, 0.1]), round(order_parameter([0.0, 0.5]), 6)
        (1.0, 0.0)
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

    Examples:
        >>> phase_between_flashes([0.0, 1.0, 3.0], 2.0)
        0.5
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


def clusters(log: FlashLog, begin: float, end: float, within: float) -> int:
    """Return how many groups flash apart from each other in a span of time.

    Flashes that follow one another within ``within`` seconds are one group. Over one period 1 means
    synchrony, and as many as there are agents means that everybody flashes alone.

    Examples:
        >>> from cascade.observatory import FlashLog
        >>> log = FlashLog(3)
        >>> for agent, time in enumerate((0.0, 0.001, 0.5)):
        ...     log.add(agent, time, time)
        >>> clusters(log, 0.0, 1.0, within=0.1)
        2
    """
    seen = log.seen[bisect_left(log.seen, begin) : bisect_left(log.seen, end)]
    gaps = sum(later - earlier > within for earlier, later in pairwise(seen))
    return gaps + 1 if seen else 0


class Coherence:
    """The order parameter over time, on a grid of points; see `order_parameter`.

    Between two flashes of an agent its phase is taken to rise evenly. Each such cycle, once it is
    known, is added to the points that lie in it; a point is known when everybody's cycle over it is.
    So the curve follows the present by about one period, and costs what there are flashes.

    Attributes:
        times: the points, in seconds; the first is where everybody has flashed once.
        values: r at each of them.

    Examples:
        >>> from cascade.observatory import Experiment, Settings, all_to_all
        >>> experiment = Experiment(Settings(topology=all_to_all(20)))
        >>> experiment.simulate()
        >>> round(experiment.coherence.values[-1], 3)
        1.0
    """

    def __init__(self, log: FlashLog, step: float, begin: float = 0.0) -> None:
        """Follow a log, with points at ``begin + k * step``, in seconds."""
        self._log = log
        self._step = step
        self._begin = begin
        self._done = 0  # flashes that were taken in
        self._last: list[float | None] = [None] * log.count
        self._silent = log.count  # agents that have never flashed
        self._next = 0  # number of the first point that is not known
        self._sums: deque[complex] = deque()  # from that point on
        self._cycles: deque[int] = deque()  # how many agents are in each sum
        self.times: list[float] = []
        self.values: list[float] = []

    def update(self) -> None:
        """Take in the flashes that have come since last time."""
        log, last = self._log, self._last
        for position in range(self._done, len(log)):
            agent, seen = log.agents[position], log.seen[position]
            before, last[agent] = last[agent], seen
            if before is None:
                self._silent -= 1
                if not self._silent:
                    self._next = self._number(seen)
            elif not self._silent:
                self._add_cycle(before, seen)
        self._done = len(log)
        while self._cycles and self._cycles[0] == log.count:
            self._cycles.popleft()
            self.times.append(self._begin + self._next * self._step)
            self.values.append(abs(self._sums.popleft()) / log.count)
            self._next += 1

    def _number(self, time: float) -> int:
        """Return the number of the first point that is not before a time."""
        return ceil((time - self._begin) / self._step)

    def _add_cycle(self, before: float, after: float) -> None:
        first, last = max(self._next, self._number(before)), self._number(after)
        while len(self._sums) < last - self._next:
            self._sums.append(0j)
            self._cycles.append(0)
        if first >= last:
            return
        turn = tau / (after - before)
        phasor = rect(1, turn * (self._begin + first * self._step - before))
        rotation = rect(1, turn * self._step)
        for place in range(first - self._next, last - self._next):
            self._sums[place] += phasor
            self._cycles[place] += 1
            phasor *= rotation

    def least_between(self, begin: float, end: float) -> float | None:
        """Return the least r from ``begin`` to ``end``, in seconds.

        None while the curve has not come that far; 0 where it had not even begun.
        """
        if not self.times or self.times[-1] + self._step < end:
            return None
        first, last = bisect_left(self.times, begin), bisect_right(self.times, end)
        return min(self.values[first:last], default=0.0)
