"""How a firefly's phase answers to a pulse: pure arithmetic, no clock and no bus.

A phase runs from 0 (it has just flashed) to 1 (it flashes).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp, expm1, isfinite, log1p
from typing import Protocol

__all__ = ["MirolloStrogatz", "PulseResponse"]


class PulseResponse(Protocol):
    """What a pulse does to a phase."""

    @property
    def refractory(self) -> float:
        """Fraction of a period after a flash in which a pulse does nothing."""

    def after_pulse(self, phase: float) -> float:
        """Return the phase after one pulse; 1 or more means: flash now."""


@dataclass(frozen=True, slots=True)
class MirolloStrogatz:
    """The pulse response of Mirollo & Strogatz, SIAM J. Appl. Math. 50 (1990) 1645-1662.

    An oscillator charges along the concave curve ``state``, and each pulse lifts it by ``epsilon``.
    Because the curve flattens, the same lift brings an oscillator that is nearly there further in
    phase than one that has just flashed; that is why two of them end up together.
    """

    b: float = 3.0
    """Dissipation, above 0: how much the curve bends. Without a unit."""

    epsilon: float = 0.3 / 8
    """What one pulse adds to the state, 0 or more. Without a unit.

    The default shares out 0.3 among eight neighbours; that is strong enough to bear the delays of
    a wall clock on a busy machine.
    """

    refractory: float = 0.1
    """Fraction of a period after a flash in which pulses do nothing: from 0 to below 1."""

    _factor: float = field(init=False, repr=False, compare=False, default=1.0)
    _offset: float = field(init=False, repr=False, compare=False, default=0.0)

    def __post_init__(self) -> None:
        """Check the numbers, and work out what every pulse needs.

        Raises:
            ValueError: a number is outside its range; the text names it.
        """
        if not (isfinite(self.b) and self.b > 0):
            raise ValueError(f"b is a number above 0, not {self.b:g}")
        if not (isfinite(self.epsilon) and self.epsilon >= 0):
            raise ValueError(f"epsilon is a number of 0 or more, not {self.epsilon:g}")
        if not 0 <= self.refractory < 1:
            raise ValueError(f"refractory is a fraction from 0 to below 1, not {self.refractory:g}")
        try:
            factor = exp(self.b * self.epsilon)
            offset = (factor - 1) / expm1(self.b)
        except OverflowError:
            raise ValueError(
                f"b={self.b:g} and epsilon={self.epsilon:g} are too large to calculate with"
            ) from None
        object.__setattr__(self, "_factor", factor)
        object.__setattr__(self, "_offset", offset)

    def __str__(self) -> str:
        """Name the model and its numbers."""
        return (
            f"Mirollo-Strogatz b = {self.b:g}, ε = {self.epsilon:g}, refractory {self.refractory:g}"
        )

    def state(self, phase: float) -> float:
        """Return how far an oscillator of that phase is charged: ln(1 + (e^b - 1)·phase) / b."""
        return log1p(expm1(self.b) * phase) / self.b

    def phase(self, state: float) -> float:
        """Return the phase at which an oscillator is charged so far; the inverse of `state`."""
        return expm1(self.b * state) / expm1(self.b)

    def after_pulse(self, phase: float) -> float:
        """Return min(1, αφ + (α - 1)/(e^b - 1)) with α = e^(b·epsilon); φ itself while refractory.

        This is ``phase(state(φ) + epsilon)``, multiplied out.
        """
        if phase < self.refractory:
            return phase
        return min(1.0, self._factor * phase + self._offset)
