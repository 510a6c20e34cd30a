"""Lets the event loop breathe while runs step on without ever waiting.

A chain of tail calls that never suspends would keep the loop from everything else: signals,
pauses, cancellation. So about every millisecond such a run gives the loop a turn, and runs that
spin at the same time share that millisecond.
"""

from __future__ import annotations

import asyncio
from time import perf_counter

__all__ = ["SLICE", "Turns"]

SLICE = 0.001
"""Seconds that all spinning runs together take of one turn of the loop, about."""


class Turns:
    """Counts the runs that spin in a turn, so that each knows its share of the next one."""

    __slots__ = ("_counting", "_share", "_spinning")

    def __init__(self) -> None:
        """Begin as if one run alone were spinning."""
        self._counting = False
        self._spinning = 0
        self._share = SLICE

    async def breathe(self) -> float:
        """Give the loop one turn; return when, on `time.perf_counter`, the next is due."""
        self._spinning += 1
        if not self._counting:
            self._counting = True
            asyncio.get_running_loop().call_soon(self._begin_turn)
        await asyncio.sleep(0)
        return perf_counter() + self._share

    def _begin_turn(self) -> None:
        self._share = SLICE / self._spinning
        self._spinning = 0
        self._counting = False
