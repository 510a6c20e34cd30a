"""The state of a firefly, and what follows from a pulse or a deadline: pure functions of time.

Times are seconds on any one clock. Nothing here reads a clock: the caller says when.

The rules for one instant, which make the model exact:

* A firefly that flashed at t ignores the pulses of t.
* One that is pushed to phase 1 by a pulse of t flashes at t.
* Where a pulse and the firefly's deadline fall on the same instant, the deadline wins: the firefly
  flashes by itself, and then ignores the pulse.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite

from cascade.observatory.response import PulseResponse

__all__ = ["Oscillator", "Rhythm"]


class Rhythm:
    """The state of a firefly. Treat it as frozen.

    A plain class, since the engine looks for lazy results inside dataclasses and tuples, at every step.

    Attributes:
        deadline: when it flashes unless a pulse comes first, in seconds.
        flashed: when it last flashed, in seconds; minus infinity before the first time.

    Examples:
        >>> Rhythm(deadline=1.0, flashed=0.0)
        Rhythm(deadline=1.0, flashed=0.0)
    """

    __slots__ = ("deadline", "flashed")

    def __init__(self, deadline: float, flashed: float) -> None:
        self.deadline = deadline
        self.flashed = flashed

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Rhythm):
            return NotImplemented
        return (self.deadline, self.flashed) == (other.deadline, other.flashed)

    def __hash__(self) -> int:
        return hash((self.deadline, self.flashed))

    def __repr__(self) -> str:
        return f"Rhythm(deadline={self.deadline}, flashed={self.flashed})"


@dataclass(frozen=True, slots=True)
class Oscillator:
    """A clock of one period that pulses push forward.

    The phase is never stored: it is what is missing until the deadline. So each flash is calculated
    from the one before and not from when it was noticed, and nothing drifts.

    Examples:
        >>> from cascade.observatory import MirolloStrogatz
        >>> oscillator = Oscillator(MirolloStrogatz(), period=2.0)
        >>> oscillator.begin(0.5, now=10.0).deadline
        11.0
    """

    response: PulseResponse
    """What a pulse does."""

    period: float = 1.0
    """Seconds from flash to flash when nobody interferes."""

    def __post_init__(self) -> None:
        """Check the period.

        Raises:
            ValueError: it is not a number of seconds above 0.
        """
        if not (isfinite(self.period) and self.period > 0):
            raise ValueError(f"a period is a number of seconds above 0, not {self.period:g}")

    @property
    def refractory_seconds(self) -> float:
        """Seconds after a flash in which pulses do nothing."""
        return self.response.refractory * self.period

    def begin(self, phase: float, now: float) -> Rhythm:
        """Return the rhythm of a firefly that has this phase now and has never flashed."""
        return Rhythm(now + (1.0 - phase) * self.period, -inf)

    def phase(self, rhythm: Rhythm, at: float) -> float:
        """Return the phase at a time up to the deadline."""
        return 1.0 - (rhythm.deadline - at) / self.period

    def expire(self, rhythm: Rhythm, now: float) -> Rhythm:
        """Flash, since the deadline has come.

        The flash counts as of the deadline, however late that is noticed. Only after a delay of a
        whole period or more it counts as of now; missed flashes are not made up for.
        """
        on_time = now - rhythm.deadline < self.period
        return self._flash(rhythm.deadline if on_time else now)

    def hear(self, rhythm: Rhythm, at: float, now: float) -> Rhythm:
        """Take a pulse of the instant ``at``, noticed ``now``."""
        if at >= rhythm.deadline:
            return self.expire(rhythm, now)
        if at <= rhythm.flashed:
            return rhythm
        phase = self.response.after_pulse(self.phase(rhythm, at))
        if phase >= 1.0:
            return self._flash(at)
        return Rhythm(at + (1.0 - phase) * self.period, rhythm.flashed)

    def _flash(self, at: float) -> Rhythm:
        return Rhythm(at + self.period, at)
