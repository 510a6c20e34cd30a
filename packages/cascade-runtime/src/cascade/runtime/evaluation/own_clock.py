"""The clock of a task's time-out, which stands still while its function waits in a line of its own."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

__all__ = ["clock_stopped", "own_clock"]

own_clock: ContextVar[asyncio.Timeout | None] = ContextVar("cascade_own_clock", default=None)
"""The time-out that governs the attempt that runs now, and no call that it evaluates."""


class clock_stopped:  # noqa: N801 - used as `contextlib.suppress` is
    """Count no time that passes inside for the time-out of the task whose function runs here."""

    __slots__ = ("_left", "_limit")

    def __enter__(self) -> None:
        """Stop the clock."""
        self._limit = limit = own_clock.get()
        when = None if limit is None or limit.expired() else limit.when()
        if limit is None or when is None:
            self._limit = None
            return
        self._left = when - asyncio.get_running_loop().time()
        limit.reschedule(None)

    def __exit__(self, *_: object) -> None:
        """Let it go on."""
        if self._limit is not None:
            self._limit.reschedule(asyncio.get_running_loop().time() + self._left)
