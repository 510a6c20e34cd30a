"""How fast simulated time goes beside the real one, for somebody who watches."""

from __future__ import annotations

from collections.abc import Sized
from math import inf, isfinite
from threading import Condition
from time import monotonic

__all__ = ["Pace"]

_LOOK_EVERY = 0.05  # seconds between two looks whether somebody interrupts
_HOPELESS = 0.25  # seconds behind from which on the lost time is not made up for


class Pace:
    """Holds a simulation back to a multiple of real time; change it from any thread.

    A simulation that cannot keep up runs as fast as it can, and does not race once it could.

    Examples:
        >>> import cascade as cs
        >>> cs.simulate(cs.wait(60), pace=Pace(60_000.0)).duration
        60.0
    """

    def __init__(self, factor: float = 1.0) -> None:
        """Begin with so many simulated seconds for each real one.

        Raises:
            ValueError: the factor is not a number above 0.
        """
        self._changed = Condition()
        self._factor = _checked(factor)
        self._paused = False
        self._simulated = 0.0  # what the simulation had reached …
        self._real = monotonic()  # … at this moment of real time

    @property
    def factor(self) -> float:
        """Simulated seconds for each real one."""
        return self._factor

    @factor.setter
    def factor(self, factor: float) -> None:
        checked = _checked(factor)
        with self._changed:
            self._anchor()
            self._factor = checked
            self._changed.notify_all()

    @property
    def paused(self) -> bool:
        """Whether simulated time stands still."""
        return self._paused

    @paused.setter
    def paused(self, paused: bool) -> None:
        with self._changed:
            self._anchor()
            self._paused = paused
            self._changed.notify_all()

    def wait_until(self, instant: float, interrupted: Sized) -> bool:
        """Block this thread until simulated time may be at an instant.

        Args:
            instant: in simulated seconds.
            interrupted: once this holds anything, there is no more waiting.

        Returns:
            Whether the instant has come.
        """
        with self._changed:
            while (left := self._left(instant)) > 0:
                if interrupted:
                    return False
                self._changed.wait(min(left, _LOOK_EVERY))
            if left < -_HOPELESS:
                self._simulated, self._real = instant, monotonic()
        return True

    def _left(self, instant: float) -> float:
        """Return the real seconds until an instant."""
        if self._paused:
            return inf
        return self._real + (instant - self._simulated) / self._factor - monotonic()

    def _anchor(self) -> None:
        """Reckon from here on, where simulated time stands by the old factor."""
        now = monotonic()
        if not self._paused:
            self._simulated += (now - self._real) * self._factor
        self._real = now


def _checked(factor: float) -> float:
    if not (isfinite(factor) and factor > 0):
        raise ValueError(f"a pace is a number of simulated seconds per second, above 0: {factor}")
    return float(factor)
