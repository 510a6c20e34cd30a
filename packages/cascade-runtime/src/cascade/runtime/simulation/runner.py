"""The one maker of simulated loops: a coroutine on simulated time, from its beginning to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from random import Random
from typing import Any, TypeVar

from cascade.runtime.simulation.pacing import Pace
from cascade.runtime.simulation.virtual_loop import VirtualLoop

__all__ = ["run_simulated"]

T = TypeVar("T")

_LOOK_EVERY = 0.05  # seconds between two looks whether somebody interrupts


def run_simulated(
    coroutine: Coroutine[Any, Any, T], *, pace: Pace | None = None, schedule: Random | None = None
) -> T:
    """Run a coroutine to its end on an event loop of its own, whose time is simulated.

    Waiting costs nothing, timers are exact, and everything happens in the same order each time; see
    `VirtualLoop`. Engines, connectors and workflows work as they do elsewhere;
    ``asyncio.get_running_loop().time()`` begins at 0 seconds.

    Where an event loop is running already, as in a notebook, it runs in a thread of its own, and this one
    waits for it.

    Args:
        coroutine: what to run.
        pace: holds simulated time back for somebody who watches; as fast as possible if left out.
        schedule: shuffles what is simultaneous; see `VirtualLoop`.

    Raises:
        DeadlockError: nothing is left that could happen; it says who waits for which topic.
        RunawayError: livelock: simulated time does not advance.
        NonDeterminismError: something asked for a thread, a process, or real input or output.

    Examples:
        >>> run_simulated(asyncio.sleep(24 * 3600, "the next day"))
        'the next day'
    """
    loop = VirtualLoop(pace, schedule)
    if not _a_loop_runs_here():
        return _run_on(loop, coroutine)
    with ThreadPoolExecutor(1, thread_name_prefix="simulation") as thread:
        running = thread.submit(copy_context().run, _run_on, loop, coroutine)
        try:
            while (
                not running.done()
            ):  # an interrupt may come in another thread, and wakes nobody here
                wait([running], timeout=_LOOK_EVERY)
            return running.result()
        except KeyboardInterrupt:
            loop.interrupt()
            raise


def _run_on(loop: VirtualLoop, coroutine: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(coroutine)


def _a_loop_runs_here() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
