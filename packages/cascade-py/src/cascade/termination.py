"""Running a coroutine to its end in a script or a command, which SIGTERM ends as Ctrl-C does.

That is the signal of those who stop programs politely: `docker stop`, systemd, Kubernetes. The work is
cancelled, so that resources close and telemetry says goodbye; a second signal ends it at once.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Coroutine
from types import FrameType
from typing import Any, TypeVar

__all__ = ["TERMINATED", "run_to_end"]

T = TypeVar("T")

TERMINATED = 128 + signal.SIGTERM
"""The exit status after SIGTERM, as shells count."""


class _Termination:
    """Cancels the work of an event loop when SIGTERM comes."""

    def __init__(self) -> None:
        self.has_come = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._work: asyncio.Task[Any] | None = None

    async def watch_over(self, work: Coroutine[Any, Any, T]) -> T:
        """Await the work, in the task that is cancelled."""
        self._loop, self._work = asyncio.get_running_loop(), asyncio.current_task()
        if self.has_come:
            work.close()
            raise asyncio.CancelledError
        return await work

    def __call__(self, _signal: int, _frame: FrameType | None) -> None:
        """Cancel the work; the second time, end it at once."""
        if self.has_come:
            raise SystemExit(TERMINATED)
        self.has_come = True
        if self._loop is not None and self._work is not None:
            self._loop.call_soon_threadsafe(self._work.cancel)


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on an event loop of its own and return its value.

    Where SIGTERM has a handler already, or this is not the main thread, that is left as it is.

    Raises:
        SystemExit: SIGTERM came, and the work has ended.
        KeyboardInterrupt: Ctrl-C came, and the work has ended.
    """
    is_ours = threading.current_thread() is threading.main_thread() and (
        signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    )
    if not is_ours:
        return asyncio.run(work)
    termination = _Termination()
    signal.signal(signal.SIGTERM, termination)
    try:
        return asyncio.run(termination.watch_over(work))
    except asyncio.CancelledError:
        if termination.has_come:
            raise SystemExit(TERMINATED) from None
        raise
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
