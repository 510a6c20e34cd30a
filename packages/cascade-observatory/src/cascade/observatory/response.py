"""How a phase responds to a pulse: pure arithmetic, no clock and no bus.

A phase runs from 0 (it has just flashed) to 1 (it flashes). A model of one's own is one small class
with the two members of `PulseResponse`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp, expm1, isfinite, log1p, sin, tan, tau
from typing import Protocol

__all__ = [
    "Additive",
    "FlashKuramoto",
    "MirolloStrogatz",
    "PulseResponse",
    "lorentzian_periods",
]


class PulseResponse(Protocol):
    """What a pulse does to a phase."""

    @property
    def refractory(self) -> float:
        """Fraction of a period after a flash in which a pulse does nothing, from 0 to below 1."""

    def after_pulse(self, phase: float) -> float:
        """Return the phase after one pulse; 1 or more means: flash now."""


@dataclass(frozen=True, slots=True)
class MirolloStrogatz:
    """The pulse response of Mirollo & Strogatz, SIAM J. Appl. Math. 50 (1990) 1645-1662.

    An oscillator charges along the concave curve ``state``, and each pulse lifts it by ``epsilon``.
    Because the curve flattens, the same lift brings an oscillator that is nearly there further in
    phase than one that has just flashed; that is why two of them end up together.

    Examples:
        >>> round(MirolloStrogatz(epsilon=0.1).after_pulse(0.5), 3)
        0.693
    """

    b: float = 3.0
    """Dissipation, above 0: how much the curve bends. Without a unit."""

    epsilon: float = 0.3 / 8
    """What one pulse adds to the state, 0 or more. Without a unit.

    The default shares out 0.3 among eight neighbours; that is strong enough for the delays of a
    wall clock on a busy machine.
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
        _check_epsilon(self.epsilon)
        _check_refractory(self.refractory)
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


@dataclass(frozen=True, slots=True)
class FlashKuramoto:
    """Kuramoto's model where oscillators hear of each other only by their flashes.

    On each flash θ ← θ - (κ/N)·sin θ, with the phase θ in radians and 0 at the flash. Averaged over
    a cycle that is Kuramoto's coupling K = κ/T (Kuramoto 1975; Strogatz, Physica D 143 (2000) 1-20).

    Examples:
        >>> round(FlashKuramoto(0.5, count=10).after_pulse(0.75), 3)
        0.758
    """

    kappa: float
    """Coupling κ of all flashes of one cycle together, in radians, 0 or more."""

    count: int
    """How many agents N share it."""

    refractory: float = 0.0
    """Fraction of a period after a flash in which flashes do nothing: from 0 to below 1."""

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: a number is outside its range; the text names it.
        """
        if not (isfinite(self.kappa) and self.kappa >= 0):
            raise ValueError(f"kappa is a number of 0 or more, not {self.kappa:g}")
        if (
            self.count < 1 or self.kappa > self.count
        ):  # beyond that a phase could jump over its flash
            raise ValueError(f"count is at least 1 and kappa ({self.kappa:g}), not {self.count}")
        _check_refractory(self.refractory)

    def __str__(self) -> str:
        """Name the model and its numbers."""
        return f"flash-only Kuramoto κ = {self.kappa:g}, N = {self.count}"

    def after_pulse(self, phase: float) -> float:
        """Return φ - κ/(2πN)·sin 2πφ; φ itself while refractory."""
        if phase < self.refractory:
            return phase
        return phase - self.kappa / (tau * self.count) * sin(tau * phase)


@dataclass(frozen=True, slots=True)
class Additive:
    """The negative control: a pulse adds the same at every phase, so no oscillator catches up.

    Mirollo & Strogatz with a straight line instead of the concave curve; without dissipation there is
    no synchrony.

    Examples:
        >>> round(Additive(0.1).after_pulse(0.5), 3)
        0.6
    """

    epsilon: float
    """What one pulse adds to the phase, 0 or more."""

    refractory: float = 0.0
    """Fraction of a period after a flash in which pulses do nothing: from 0 to below 1."""

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: a number is outside its range; the text names it.
        """
        _check_epsilon(self.epsilon)
        _check_refractory(self.refractory)

    def __str__(self) -> str:
        """Name the model and its numbers."""
        return f"additive ε = {self.epsilon:g}, refractory {self.refractory:g}"

    def after_pulse(self, phase: float) -> float:
        """Return min(1, φ + ε); φ itself while refractory."""
        return phase if phase < self.refractory else min(1.0, phase + self.epsilon)


def lorentzian_periods(count: int, period: float, gamma: float) -> list[float]:
    """Return periods whose frequencies are the quantiles of a Lorentzian distribution.

    ω_i = 2π/T + γ·tan(π((i + ½)/N - ½)), i = 0 … N-1, so that a small swarm is as regular as a
    large one is on average.

    Args:
        count: how many.
        period: T of the middle frequency, in seconds.
        gamma: half-width γ of the distribution, in radians per second.

    Returns:
        2π/ω_i, in seconds.

    Raises:
        ValueError: the distribution is so wide that a frequency is not above 0.

    Examples:
        >>> [round(period, 3) for period in lorentzian_periods(3, 1.0, 0.05)]
        [1.014, 1.0, 0.986]
    """
    frequencies = [
        tau / period + gamma * tan(tau / 2 * ((place + 0.5) / count - 0.5))
        for place in range(count)
    ]
    if frequencies[0] <= 0:
        raise ValueError(f"gamma={gamma:g} is too wide: the lowest frequency is not above 0")
    return [tau / frequency for frequency in frequencies]


def _check_epsilon(epsilon: float) -> None:
    if not (isfinite(epsilon) and epsilon >= 0):
        raise ValueError(f"epsilon is a number of 0 or more, not {epsilon:g}")


def _check_refractory(refractory: float) -> None:
    if not 0 <= refractory < 1:
        raise ValueError(f"refractory is a fraction from 0 to below 1, not {refractory:g}")
