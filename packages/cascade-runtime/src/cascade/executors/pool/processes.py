"""Running a function in a worker process: what is sent over, and what comes back.

A task stands where its function was defined, so the function itself cannot be pickled; its place is
sent instead, and the worker looks the task up and calls its function.
"""

from __future__ import annotations

import asyncio
import inspect
import pickle
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor as Pool
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from cascade.interfaces.errors import ProcessTransferError
from cascade.spec.identity import place_of, standing_at
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
    """Pickle a call, with the function by its place."""
    place = place_of(function)
    try:
        standing_at(place)
    except LookupError as error:
        raise ProcessTransferError(
            f"{place!r} cannot run in a process: {error}; or use mode='thread'"
        ) from error
    try:
        return pickle.dumps((place, args, kwargs))
    except Exception as error:
        raise ProcessTransferError(
            f"an argument of {place!r} cannot be sent to its process: {error}; "
            "pass plain data, or use mode='thread'"
        ) from error


def _run_packed(work: bytes) -> Any:
    """Run in the worker process what `_packed` made."""
    place, args, kwargs = pickle.loads(work)  # noqa: S301 - from our own parent process
    found = standing_at(place)
    function = found.function if isinstance(found, Task) else found
    value = function(*args, **kwargs)
    return asyncio.run(_awaited(value)) if inspect.isawaitable(value) else value


async def _awaited(value: Awaitable[Any]) -> Any:
    return await value
