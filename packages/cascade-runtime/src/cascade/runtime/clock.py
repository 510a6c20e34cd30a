"""The run's clock: that of the event loop, whether it is real or simulated."""

from __future__ import annotations

import asyncio

__all__ = ["LoopClock"]


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
        """Suspend for so many seconds."""
        await asyncio.sleep(seconds)
