"""Fairness: cooperative yielding, for agents that step on without ever waiting.

A chain of tail calls that never suspends would starve everything else on the loop: signals, pauses,
cancellation. So such an agent yields to the loop after a time slice of about a millisecond, which busy
agents share. A simulated loop counts steps instead, since there the order of things must not depend
on the speed of the machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Protocol

__all__ = ["DeliverySlice", "SimulatedLoop", "TimeSlice", "Turns"]

_SECONDS = 0.001  # that all busy agents together take of one turn of the loop, about
_STEPS = 100_000  # the same on a simulated loop, where nobody is kept waiting meanwhile


class SimulatedLoop(Protocol):
    """What is needed of a loop whose time is simulated."""

    def tick(self) -> float:
        """Count a step, and return how many there were."""


class Turns:
    """Counts the busy agents of a turn of the loop, so that each knows its share of the next one."""

    __slots__ = ("_busy", "_counting", "sharers")

    def __init__(self) -> None:
        """Begin as if one agent alone were busy."""
        self._counting = False
        self._busy: set[TimeSlice] = set()
        self.sharers = 1

    def count(self, time_slice: TimeSlice) -> None:
        """Count an agent that has used up its slice; once in a turn, however much it does at once."""
        self._busy.add(time_slice)
        if not self._counting:
            self._counting = True
            asyncio.get_running_loop().call_soon(self._begin_turn)

    def _begin_turn(self) -> None:
        self.sharers = len(self._busy)
        self._busy.clear()
        self._counting = False


class TimeSlice:
    """How long an agent may go on before the event loop is due a turn; its items of a map share it.

    Attributes:
        tick: the clock that measures it.
        ends_at: when, by ``tick``, the loop is due a turn.
    """

    __slots__ = ("_length", "_turns", "ends_at", "tick")

    def __init__(self, turns: Turns, simulated: SimulatedLoop | None) -> None:
        """Begin now, on a simulated loop or a real one."""
        self.tick: Callable[[], float]
        self._length: float
        if simulated is None:
            self.tick, self._length = perf_counter, _SECONDS
        else:
            self.tick, self._length = simulated.tick, _STEPS
        self._turns = turns
        self.ends_at = self.tick() + self._length

    def restart(self) -> None:
        """Begin anew: the event loop has just had a turn."""
        if self.tick is perf_counter:  # a simulated loop counts its steps anew in every turn
            self.ends_at = self.tick() + self._length

    async def yield_to_loop(self) -> None:
        """Let the event loop have a turn, and begin anew with a share of the next one."""
        self._turns.count(self)
        await asyncio.sleep(0)
        self.ends_at = self.tick() + self._length / self._turns.sharers


class DeliverySlice:
    """How long those whom one delivery wakes may go on inside it, before the event loop is due a turn.

    On a simulated loop as long as they like: each has its steps counted there.
    """

    __slots__ = ("_ends_at", "_is_simulated")

    def __init__(self, *, is_simulated: bool) -> None:
        """Begin with the first whom a delivery wakes."""
        self._is_simulated = is_simulated
        self._ends_at = 0.0

    def begin(self) -> None:
        """Take note that a delivery begins; its time counts from the first look."""
        self._ends_at = 0.0

    def is_over(self) -> bool:
        """Return whether whoever is woken next has to wait for the loop's next turn."""
        if self._is_simulated:
            return False
        now = perf_counter()
        if not self._ends_at:
            self._ends_at = now + _SECONDS
        return now > self._ends_at
