"""Fairness: cooperative yielding, for runs that step on without ever waiting.

A chain of tail calls that never suspends would starve everything else on the loop: signals, pauses,
cancellation. So such a run yields to the loop after a time slice of about a millisecond, which busy
runs share. A simulated loop counts steps instead, since there the order of things must not depend
on the speed of the machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter

from cascade.runtime.concurrency.clock import is_simulated

__all__ = ["TimeSlice", "time_source"]

_SECONDS = 0.001  # that all busy runs together take of one turn of the loop, about
_STEPS = 100_000  # the same on a simulated loop, where nobody is kept waiting meanwhile


def time_source(loop: asyncio.AbstractEventLoop) -> tuple[Callable[[], float], float]:
    """Return the clock that measures time slices on that loop, and the length of one."""
    if is_simulated(loop):
        return loop.tick, _STEPS  # type: ignore[attr-defined]  # it is how a simulated loop is known
    return perf_counter, _SECONDS


class TimeSlice:
    """Counts the busy runs of a turn of the loop, so that each knows its share of the next one."""

    __slots__ = ("_busy", "_counting", "_sharers")

    def __init__(self) -> None:
        """Begin as if one run alone were busy."""
        self._counting = False
        self._busy = 0
        self._sharers = 1

    async def yield_to_loop(self) -> int:
        """Yield to the loop for one turn; return how many runs share the next time slice."""
        self._busy += 1
        if not self._counting:
            self._counting = True
            asyncio.get_running_loop().call_soon(self._begin_turn)
        await asyncio.sleep(0)
        return self._sharers

    def _begin_turn(self) -> None:
        self._sharers = self._busy
        self._busy = 0
        self._counting = False
