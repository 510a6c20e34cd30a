"""A function's call in a worker thread, which nobody can stop, as the loop and the function see it.

The event loop can go on without it: it is abandoned then, and the function is told, if it asks.
`AbandonedCalls` keeps those whose threads still run, with what has to wait for their end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable
from contextlib import suppress
from contextvars import Context, ContextVar
from typing import Any

from cascade.common.messaging import bus
from cascade.interfaces.executor import Executor, Invocation
from cascade.runtime.concurrency.futures import disregard

__all__ = ["AbandonedCalls", "ThreadCall", "current_thread_call"]

_current: ContextVar[ThreadCall | None] = ContextVar("cascade_thread_call", default=None)


def current_thread_call() -> ThreadCall | None:
    """Return the call whose thread this is; None on the event loop and in threads of others."""
    return _current.get()


class ThreadCall:
    """One call of a function in a worker thread.

    Attributes:
        name: who calls, for people.
        uses: the resources that the function was given, which stay open as long as it runs.
        cancelled: whether its caller has gone on without it: its time is over, or the call was cancelled.
        future: of the function's value; done when the thread is done with it.
    """

    __slots__ = ("_context", "_function", "_has_begun", "cancelled", "future", "name", "uses")

    def __init__(
        self,
        name: str,
        function: Callable[[], Any],
        context: Context,
        uses: Collection[object] = (),
    ) -> None:
        """Take what to call, and the context to call it in."""
        self.name = name
        self.uses = uses
        self.cancelled = False
        self.future: asyncio.Future[Any]
        self._function = function
        self._context = context
        self._has_begun = False

    def start(
        self, executor: Executor, on_start: Callable[[], None] | None = None
    ) -> asyncio.Future[Any]:
        """Have the function called, and return the future of its value; await it under a shield."""
        self.future = executor.submit(Invocation("thread", self, on_start=on_start))
        return self.future

    def __call__(self) -> Any:
        """Call the function, in the thread.

        Raises:
            RuntimeError: it raised StopIteration, which no future can carry, as from a coroutine.
            CancelledError: it is not wanted any more, and was not called.
        """
        self._has_begun = True
        if self.cancelled:  # asked last, as `abandon` sets it first: one of the two sees the other
            raise asyncio.CancelledError
        try:
            return self._context.run(self._in_context)
        except StopIteration as error:
            raise RuntimeError(f"{self.name} raised StopIteration") from error

    def _in_context(self) -> Any:
        _current.set(self)
        return self._function()

    @property
    def is_running(self) -> bool:
        """Whether the thread is not done with it yet."""
        return not self.future.done()

    def abandon(self) -> bool:
        """Go on without it, and tell the function; return whether its thread still runs."""
        self.cancelled = True
        if not self._has_begun:
            self.future.cancel()
        return self.is_running


class AbandonedCalls:
    """The calls of one engine whose threads still run though nobody waits for them any more."""

    def __init__(self) -> None:
        """Begin without any."""
        self._calls: set[ThreadCall] = set()
        self._waiting: dict[asyncio.Task[None], list[ThreadCall]] = {}

    def add(self, call: ThreadCall) -> None:
        """Keep a call until its thread is done with it."""
        self._calls.add(call)
        call.future.add_done_callback(disregard)
        call.future.add_done_callback(lambda _: self._calls.discard(call))

    def using(self, resources: Iterable[object]) -> list[ThreadCall]:
        """Return the calls that use any of these resources."""
        if not self._calls:
            return []
        wanted = set(resources)
        return [
            call for call in self._calls if call.is_running and not wanted.isdisjoint(call.uses)
        ]

    def close_after(
        self, calls: list[ThreadCall], close: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        """Close something when these calls have ended, or are given up; nobody waits for that."""

        async def wait_and_close() -> None:
            with suppress(asyncio.CancelledError):  # they are given up
                await asyncio.wait([call.future for call in calls])
            await close()

        closing = asyncio.get_running_loop().create_task(wait_and_close())
        self._waiting[closing] = calls
        closing.add_done_callback(self._waiting.pop)

    async def wait(self, seconds: float) -> None:
        """Wait for all of them and what closes after them; say which still run after so many seconds."""
        try:
            if self._calls:
                await asyncio.wait([call.future for call in self._calls], timeout=seconds)
        finally:  # also where the waiting is cancelled
            for closing, calls in self._waiting.items():
                if any(call.is_running for call in calls):
                    closing.cancel()
            if self._waiting:
                await asyncio.wait(self._waiting)
        for call in self._calls:
            if call.is_running:
                bus.error("engine.thread_left", task=call.name, seconds=seconds)
