"""Futures and tasks of a simulated loop, whose hash is a count and no address.

asyncio keeps what it waits for in sets: `asyncio.wait`, `as_completed`, a `TaskGroup` that fails, and the
end of `asyncio.Runner`. A set goes by hashes, and the usual ones are addresses, which are others each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["CountedFuture", "CountedTask", "make_counted_task"]

T = TypeVar("T")


class CountedFuture(asyncio.Future[T]):
    """A future that has a number from when it is first asked for its hash; most never are."""

    __slots__ = ("_number",)

    def __hash__(self) -> int:
        """Return the number, the same in every run."""
        try:
            return self._number
        except AttributeError:
            loop: Any = self.get_loop()
            number: int = loop.count_future()
            self._number: int = number
            return number

    __eq__ = object.__eq__


class CountedTask(asyncio.Task[T]):
    """A task that has a number: the first tasks come first."""

    __slots__ = ("_number",)

    def __init__(self, coro: Coroutine[Any, Any, T], number: int, **options: Any) -> None:
        """Take the number before asyncio takes the task into its books, by its hash."""
        self._number = number
        super().__init__(coro, **options)

    def __hash__(self) -> int:
        """Return the number, the same in every run."""
        return self._number

    __eq__ = object.__eq__


def make_counted_task(loop: Any, coro: Coroutine[Any, Any, T], **options: Any) -> CountedTask[T]:
    """Make a task; to be given to `asyncio.AbstractEventLoop.set_task_factory`."""
    return CountedTask(coro, loop.count_task(), loop=loop, **options)
