"""When a swarm counts as being in step."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from math import ceil

from cascade.observatory.measures import Coherence
from cascade.observatory.observer import FlashLog

__all__ = ["Criterion", "Synchrony", "SynchronyWatch", "Volley", "VolleyFinder"]

_SAME_VOLLEY = 0.5  # cycles: what is closer together is one volley that went on
_NEXT_CYCLE = 1.5  # cycles: what is further apart has a cycle without a volley between


@dataclass(frozen=True, slots=True)
class Criterion:
    """In step: two volleys in consecutive cycles, and a high order parameter all the way between.

    Examples:
        >>> from cascade.observatory import Settings
        >>> Settings(criterion=Criterion()).criterion == Criterion()
        True
    """

    window: float = 0.1
    """How long a volley may take, as a fraction of the period."""

    share: float = 0.99
    """Fraction of the agents that have to flash in it."""

    order: float = 0.99
    """What r must not fall below from the one volley to the next."""


@dataclass(frozen=True, slots=True)
class Volley:
    """Nearly all agents flashing together."""

    begin: float
    """Time of its first flash, in seconds."""

    end: float
    """Time of the flash that made it complete, in seconds."""


@dataclass(frozen=True, slots=True)
class Synchrony:
    """The swarm is in step."""

    first: Volley
    """Since here."""

    second: Volley
    """The cycle that confirmed it."""

    order: float
    """The least r between the two."""


class VolleyFinder:
    """Finds, flash by flash, the windows in which enough different agents have flashed.

    Examples:
        >>> finder = VolleyFinder(needed=2, window=0.1)
        >>> finder.add(0.0, 0), finder.add(0.05, 1)
        (None, Volley(begin=0.0, end=0.05))
    """

    def __init__(self, needed: int, window: float) -> None:
        """Look for ``needed`` different agents within ``window`` seconds."""
        self._needed = needed
        self._window = window
        self._recent: deque[tuple[float, int]] = deque()
        self._flashes_of: Counter[int] = Counter()
        self._inside = False

    def add(self, seen: float, agent: int) -> Volley | None:
        """Take the next flash; return the volley that it completes, if it does."""
        self._recent.append((seen, agent))
        self._flashes_of[agent] += 1
        while self._recent[0][0] < seen - self._window:
            _, gone = self._recent.popleft()
            self._flashes_of[gone] -= 1
            if not self._flashes_of[gone]:
                del self._flashes_of[gone]
        was_inside, self._inside = self._inside, len(self._flashes_of) >= self._needed
        if self._inside and not was_inside:
            return Volley(self._recent[0][0], seen)
        return None


class SynchronyWatch:
    """Watches a log until the swarm is in step.

    Attributes:
        found: since when the swarm is in step, or None.

    Examples:
        >>> from cascade.observatory import Experiment, Settings, all_to_all
        >>> experiment = Experiment(Settings(topology=all_to_all(20)))
        >>> experiment.simulate()
        >>> isinstance(experiment.synchrony, SynchronyWatch), experiment.synchrony.found is not None
        (True, True)
    """

    def __init__(
        self, log: FlashLog, coherence: Coherence, period: float, criterion: Criterion
    ) -> None:
        """Watch a log and the order parameter that is worked out from it; period in seconds."""
        self.found: Synchrony | None = None
        self._log = log
        self._coherence = coherence
        self._period = period
        self._criterion = criterion
        self._finder = VolleyFinder(ceil(criterion.share * log.count), criterion.window * period)
        self._done = 0
        self._volleys: list[Volley] = []

    def update(self) -> None:
        """Look at the flashes that have come since last time."""
        log = self._log
        for position in range(self._done, len(log)):
            volley = self._finder.add(log.seen[position], log.agents[position])
            if volley is not None:
                self._volleys.append(volley)
        self._done = len(log)
        while self.found is None and len(self._volleys) > 1:
            if not self._judge(*self._volleys[:2]):
                return

    def _judge(self, first: Volley, second: Volley) -> bool:
        """Decide on two volleys; return False if it is too early to decide."""
        cycles = (second.begin - first.begin) / self._period
        if cycles < _SAME_VOLLEY:
            del self._volleys[1]
            return True
        if cycles < _NEXT_CYCLE:
            order = self._coherence.least_between(first.end, second.begin)
            if order is None:
                return False  # the order parameter follows the flashes by a cycle
            if order >= self._criterion.order:
                self.found = Synchrony(first, second, order)
        del self._volleys[0]
        return True
