"""The run's clock: that of the event loop, whether it is real or simulated."""

from __future__ import annotations

import asyncio
import time

from cascade.runtime.concurrency.futures import release

__all__ = ["LoopClock", "is_simulated", "unix_time"]


def is_simulated(loop: asyncio.AbstractEventLoop) -> bool:
    """Return whether a loop's time is simulated: it then counts steps with a ``tick`` of its own.

    Examples:
        >>> import asyncio
        >>> import cascade as cs
        >>> @cs.task
        ... async def where() -> bool:
        ...     return is_simulated(asyncio.get_running_loop())
        >>> cs.run(where()), cs.simulate(where()).results
        (False, [True])
    """
    return hasattr(loop, "tick")


def unix_time() -> float:
    """Return the Unix time in seconds; on a simulated loop, which begins at 0, the simulated time."""
    loop = asyncio.get_running_loop()
    return loop.time() if is_simulated(loop) else time.time()


class LoopClock:
    """Tells the time of an event loop, in seconds; injected as ``clock``."""

    __slots__ = ("_loop",)

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take the loop whose time it is."""
        self._loop = loop

    def time(self) -> float:
        """Return the loop's time; it never goes back."""
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        """Suspend for so many seconds; 0 lets others have a turn."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waking = self._loop.create_future()
        timer = self._loop.call_later(seconds, release, waking)
        try:
            await waking
        finally:
            timer.cancel()
