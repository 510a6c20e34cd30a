"""The one maker of simulated loops: a coroutine on simulated time, from its beginning to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from cascade.runtime.simulation.pacing import Pace
from cascade.runtime.simulation.virtual_loop import VirtualLoop

__all__ = ["run_simulated"]

T = TypeVar("T")


def run_simulated(coroutine: Coroutine[Any, Any, T], *, pace: Pace | None = None) -> T:
    """Run a coroutine to its end on an event loop of its own, whose time is simulated.

    Waiting costs nothing, timers are exact, and everything happens in the same order each time; see
    `VirtualLoop`. Engines, connectors and workflows work as they do elsewhere;
    ``asyncio.get_running_loop().time()`` begins at 0 seconds.

    Args:
        coroutine: what to run.
        pace: holds simulated time back for somebody who watches; as fast as possible if left out.

    Raises:
        DeadlockError: nothing is left that could happen; it says who waits for which topic.
        RunawayError: livelock: simulated time does not advance.
        NonDeterminismError: something asked for a thread, a process, or real input or output.
        RuntimeError: an event loop is running already.

    Examples:
        >>> run_simulated(asyncio.sleep(24 * 3600, "the next day"))
        'the next day'
    """
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(pace)) as runner:
        return runner.run(coroutine)
