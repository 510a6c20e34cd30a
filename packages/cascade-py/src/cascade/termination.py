"""Running a coroutine to its end in a script or a command, which SIGTERM and SIGHUP end as Ctrl-C does.

The first is the signal of those who stop programs politely: `docker stop`, systemd, Kubernetes; the
second comes when a terminal closes. The work is cancelled, so that resources close and telemetry says
goodbye; a second signal ends it at once.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

__all__ = ["run_to_end", "told_to_stop"]

T = TypeVar("T")

_SIGNALS = [
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
]  # Windows has no SIGHUP


class _Termination:
    """Cancels the work of an event loop when one of the signals comes.

    Attributes:
        status: the exit status, 128 and the number of the signal that has come, as shells count.
    """

    def __init__(self) -> None:
        self.status: int | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._work: asyncio.Task[Any] | None = None

    async def watch_over(self, work: Coroutine[Any, Any, T]) -> T:
        """Await the work, in the task that is cancelled."""
        self._loop, self._work = asyncio.get_running_loop(), asyncio.current_task()
        if self.status is not None:
            work.close()
            raise asyncio.CancelledError
        return await work

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Cancel the work; the second time, end it at once."""
        if self.status is not None:
            raise SystemExit(self.status)
        self.status = 128 + number
        if self._loop is not None and self._work is not None:
            self._loop.call_soon_threadsafe(self._work.cancel)


@contextmanager
def told_to_stop() -> Iterator[asyncio.Event]:
    """Give an event that is set where a signal would have ended the program; a second one does so.

    The signals are SIGTERM, SIGHUP and SIGINT, but for those that are ignored. It is used on the event
    loop of the main thread.
    """
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    before = {each: signal.getsignal(each) for each in (*_SIGNALS, signal.SIGINT)}
    heeded = {each: handler for each, handler in before.items() if handler is not signal.SIG_IGN}

    def restore() -> None:
        for each, handler in heeded.items():
            signal.signal(each, handler)

    def stop(_number: int, _frame: FrameType | None) -> None:
        restore()
        loop.call_soon_threadsafe(told.set)

    for each in heeded:
        signal.signal(each, stop)
    try:
        yield told
    finally:
        restore()


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on an event loop of its own and return its value.

    A signal that has a handler already, or is ignored, as after `nohup`, is left as it is; so are both
    where this is not the main thread.

    Raises:
        SystemExit: one of the signals came, and the work has ended.
        KeyboardInterrupt: Ctrl-C came, and the work has ended.
    """
    if threading.current_thread() is not threading.main_thread():
        return asyncio.run(work)
    ours = [each for each in _SIGNALS if signal.getsignal(each) is signal.SIG_DFL]
    termination = _Termination()
    for each in ours:
        signal.signal(each, termination)
    try:
        value = asyncio.run(termination.watch_over(work))
    except asyncio.CancelledError:
        if termination.status is None:
            raise
    finally:
        for each in ours:
            signal.signal(each, signal.SIG_DFL)
    if termination.status is not None:  # also where the work came to its end all the same
        raise SystemExit(termination.status)
    return value
