"""Which task is the current one of a loop: asyncio's own table, read and written in place.

A callback or coroutine that is run without a turn of the loop still has to find itself in
`asyncio.current_task`, or its time-outs would hit whoever started it. asyncio's functions for that
(`_enter_task`, `_leave_task`) refuse to nest and ask for the running loop each time, which costs more
than a whole delivery; the table behind them costs a dict access.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import tasks as asyncio_tasks
from collections.abc import MutableMapping
from typing import Any, Final

__all__ = ["current_tasks", "restore_task"]

if sys.version_info >= (3, 14):

    class _CurrentTasks:
        """The same table where asyncio keeps it in the thread, out of Python's sight."""

        def __contains__(self, loop: asyncio.AbstractEventLoop) -> bool:
            return asyncio.current_task(loop) is not None

        def __getitem__(self, loop: asyncio.AbstractEventLoop) -> Any:
            return asyncio.current_task(loop)

        def get(self, loop: asyncio.AbstractEventLoop) -> Any:
            return asyncio.current_task(loop)

        def __setitem__(self, loop: asyncio.AbstractEventLoop, task: Any) -> None:
            asyncio_tasks._swap_current_task(loop, task)  # noqa: SLF001 - what eager tasks use too

        def pop(self, loop: asyncio.AbstractEventLoop, _default: None) -> None:
            asyncio_tasks._swap_current_task(loop, None)  # noqa: SLF001 - as above

    current_tasks: Final = _CurrentTasks()
else:
    current_tasks: Final[MutableMapping[Any, Any]] = vars(asyncio_tasks)["_current_tasks"]


def restore_task(loop: asyncio.AbstractEventLoop, task: Any) -> None:
    """Make a task, or none, the current one again."""
    if task is None:
        current_tasks.pop(loop, None)
    else:
        current_tasks[loop] = task
