"""Lets the event loop breathe while runs step on without ever waiting.

A chain of tail calls that never suspends would keep the loop from everything else: signals,
pauses, cancellation. So about every millisecond such a run gives the loop a turn, and runs that
spin at the same time share that millisecond. A simulated loop counts steps instead, since there the
order of things must not hang on the speed of the machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter

from cascade.runtime.clock import is_simulated

__all__ = ["Turns", "pulse_of"]

_SECONDS = 0.001  # that all spinning runs together take of one turn of the loop, about
_STEPS = 100_000  # the same on a simulated loop, where nobody is kept waiting meanwhile


def pulse_of(loop: asyncio.AbstractEventLoop) -> tuple[Callable[[], float], float]:
    """Return what measures turns on that loop, and how much of it makes one."""
    if is_simulated(loop):
        return loop.tick, _STEPS  # type: ignore[attr-defined]  # it is how a simulated loop is known
    return perf_counter, _SECONDS


class Turns:
    """Counts the runs that spin in a turn, so that each knows its share of the next one."""

    __slots__ = ("_counting", "_sharers", "_spinning")

    def __init__(self) -> None:
        """Begin as if one run alone were spinning."""
        self._counting = False
        self._spinning = 0
        self._sharers = 1

    async def breathe(self) -> int:
        """Give the loop one turn; return how many runs share the next one."""
        self._spinning += 1
        if not self._counting:
            self._counting = True
            asyncio.get_running_loop().call_soon(self._begin_turn)
        await asyncio.sleep(0)
        return self._sharers

    def _begin_turn(self) -> None:
        self._sharers = self._spinning
        self._spinning = 0
        self._counting = False
