"""A coroutine on simulated time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from cascade.runtime.virtual_loop import VirtualLoop

__all__ = ["run_virtually"]

T = TypeVar("T")


def run_virtually(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on an event loop of its own, whose time is simulated.

    Waiting costs nothing, timers are exact, and everything happens in the same order each time; see
    `cascade.runtime.virtual_loop.VirtualLoop`. Engines, connectors and workflows work as they do
    elsewhere; ``asyncio.get_running_loop().time()`` begins at 0 seconds.

    Raises:
        DeadlockError: nothing is left that could happen; it says who waits for which topic.
        RunawayError: the work goes round and round within one instant.
        NonDeterminismError: something asked for a thread, a process, or real input or output.
        RuntimeError: an event loop is running already.

    Examples:
        >>> run_virtually(asyncio.sleep(24 * 3600, "the next day"))
        'the next day'
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)
