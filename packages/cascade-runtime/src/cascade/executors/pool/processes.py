"""Running a function in a worker process: what is sent over, and what comes back.

A task stands in its module under its function's name, so the function itself cannot be pickled; its
name is sent instead, and the worker looks the task up and calls its function.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pickle
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor as Pool
from concurrent.futures import ProcessPoolExecutor
from functools import reduce
from multiprocessing import get_context
from typing import Any

from cascade.interfaces.errors import ProcessTransferError
from cascade.spec.task import Task

__all__ = ["pool", "submit"]


def pool(max_processes: int | None) -> Pool:
    """Return a pool of worker processes that share nothing with this one."""
    return ProcessPoolExecutor(max_processes, mp_context=get_context("spawn"))


async def submit(
    workers: Pool, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Run a function in a worker process and return its value.

    Raises:
        ProcessTransferError: function, arguments or result cannot go to or from a process.
    """
    work = _packed(function, args, kwargs)
    try:
        return await asyncio.get_running_loop().run_in_executor(workers, _run_packed, work)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        if "pickle" not in str(error):
            raise
        raise ProcessTransferError(
            f"the result of {function.__qualname__!r} cannot be sent back from its process: {error}; "
            "return plain data, or use mode='thread'"
        ) from error


def _packed(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
    """Pickle a call, with the function by its name."""
    if "<" in function.__qualname__:
        raise ProcessTransferError(
            f"{function.__qualname__!r} cannot run in a process: its function must stand at the top "
            "level of a module, not inside a function or a lambda; move it, or use mode='thread'"
        )
    try:
        return pickle.dumps(((function.__module__, function.__qualname__), args, kwargs))
    except Exception as error:
        raise ProcessTransferError(
            f"an argument of {function.__qualname__!r} cannot be sent to its process: {error}; "
            "pass plain data, or use mode='thread'"
        ) from error


def _run_packed(work: bytes) -> Any:
    """Run in the worker process what `_packed` made."""
    (module, qualified_name), args, kwargs = pickle.loads(work)  # noqa: S301 - from our own parent process
    found: Any = reduce(getattr, qualified_name.split("."), importlib.import_module(module))
    function = found.function if isinstance(found, Task) else found
    value = function(*args, **kwargs)
    return asyncio.run(_awaited(value)) if inspect.isawaitable(value) else value


async def _awaited(value: Awaitable[Any]) -> Any:
    return await value
