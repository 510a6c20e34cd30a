"""`ThreadPool`: worker threads, of which the one that was busy last gets the next work.

So work that goes one after the other stays in one thread, which libraries ask for that bind an
object to the thread that made it. The threads are daemons: one that never ends keeps no program from
ending.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from queue import SimpleQueue
from typing import Any, TypeAlias

from cascade.runtime.concurrency.futures import settle

__all__ = ["ThreadPool", "default_size"]


class _Work:
    """A function to be called in a thread, and the future on an event loop that hears of it."""

    __slots__ = ("_error", "_function", "_loop", "_on_start", "_value", "future")

    def __init__(self, function: Callable[[], Any], on_start: Callable[[], None] | None) -> None:
        self._function = function
        self._on_start = on_start
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self._loop.create_future()
        self._value: Any = None
        self._error: BaseException | None = None

    def run(self) -> None:
        """Call the function, in the thread; whoever gave up waiting before has it not called."""
        if self.future.cancelled():
            return
        try:
            if self._on_start is not None:
                self._loop.call_soon_threadsafe(self._on_start)
            self._value = self._function()
        except BaseException as error:  # noqa: BLE001 - the edge: it is raised where the future is awaited
            self._error = error

    def deliver(self) -> None:
        """Tell the loop how it ended."""
        with suppress(RuntimeError):  # the loop has been closed: nobody waits there any more
            self._loop.call_soon_threadsafe(settle, self.future, self._value, self._error)

    def refuse(self) -> None:
        """Tell the loop that it will not be called."""
        self._error = RuntimeError("the executor was closed before it came to this function")
        self.deliver()


_Inbox: TypeAlias = "SimpleQueue[_Work | None]"


class ThreadPool:
    """Up to so many threads, each made at first need; further work waits in line."""

    def __init__(self, max_threads: int, name: str) -> None:
        """Begin without any thread."""
        self._free_for_more = max_threads
        self._name = name
        self._numbers = count()
        self._lock = threading.Lock()
        self._idle: list[_Inbox] = []
        self._waiting: deque[_Work] = deque()
        self._is_closed = False

    def submit(
        self, function: Callable[[], Any], on_start: Callable[[], None] | None = None
    ) -> asyncio.Future[Any]:
        """Call a function in a thread; the future is done when it has ended."""
        work = _Work(function, on_start)
        with self._lock:
            if self._idle:
                self._idle.pop().put(work)
            elif self._free_for_more:
                self._free_for_more -= 1
                name = f"{self._name}-{next(self._numbers)}"
                threading.Thread(target=self._serve, args=(work,), name=name, daemon=True).start()
            else:
                self._waiting.append(work)
        return work.future

    def close(self) -> None:
        """Let the threads go, each when its present work ends; work in line is refused."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
            waiting, self._waiting = self._waiting, deque()
        for inbox in idle:
            inbox.put(None)
        for work in waiting:
            work.refuse()

    def _serve(self, first: _Work) -> None:
        """Be a thread of the pool: work until it is closed."""
        inbox: _Inbox = SimpleQueue()
        work: _Work | None = first
        while work is not None:
            work.run()
            self._ask_for_more(inbox)  # before anybody hears of the end, and may want a thread
            work.deliver()
            work = None  # what it holds is let go while the thread is idle
            work = inbox.get()

    def _ask_for_more(self, inbox: _Inbox) -> None:
        """Put the next work in line into a thread's inbox, or let it be found there later."""
        with self._lock:
            if self._waiting:
                inbox.put(self._waiting.popleft())
            elif self._is_closed:
                inbox.put(None)
            else:
                self._idle.append(inbox)


def default_size() -> int:
    """Return how many threads wait well beside each other, as `concurrent.futures` counts them."""
    return min(32, (os.cpu_count() or 1) + 4)
