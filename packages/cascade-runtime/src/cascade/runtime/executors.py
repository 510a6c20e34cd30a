"""Where plain functions run: worker threads and worker processes."""

from __future__ import annotations

import asyncio
import importlib
import pickle
from collections.abc import Callable
from concurrent.futures import Executor as Pool
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial, reduce
from multiprocessing import get_context
from typing import Any

from cascade.interfaces.errors import ProcessTransferError
from cascade.interfaces.protocols import Mode
from cascade.spec.task import Task

__all__ = ["PoolExecutor"]


class PoolExecutor:
    """Runs ``thread`` tasks in a thread pool and ``process`` tasks in a process pool.

    Both pools are made at first need. Worker processes are spawned, so they share nothing with
    this one; a script that uses them needs the usual ``if __name__ == "__main__":``.
    """

    def __init__(self, *, max_threads: int | None = None, max_processes: int | None = None) -> None:
        """Set the sizes of the pools; the defaults are those of `concurrent.futures`."""
        self._max_threads = max_threads
        self._max_processes = max_processes
        self._pools: dict[Mode, Pool] = {}

    async def submit(
        self, mode: Mode, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Any:
        """Run a function in a worker and return its value; see the Executor contract.

        Raises:
            ProcessTransferError: function, arguments or result cannot go to or from a process.
        """
        loop = asyncio.get_running_loop()
        if mode == "thread":
            return await loop.run_in_executor(self._pool(mode), partial(function, *args, **kwargs))
        work = _packed(function, args, kwargs)
        try:
            return await loop.run_in_executor(self._pool(mode), _run_packed, work)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            if "pickle" not in str(error):
                raise
            raise ProcessTransferError(
                f"the result of {function.__qualname__!r} cannot be sent back from its process: {error}; "
                "return plain data, or use mode='thread'"
            ) from error

    def _pool(self, mode: Mode) -> Pool:
        pool = self._pools.get(mode)
        if pool is None:
            if mode == "thread":
                pool = ThreadPoolExecutor(self._max_threads, thread_name_prefix="cascade")
            else:
                pool = ProcessPoolExecutor(self._max_processes, mp_context=get_context("spawn"))
            self._pools[mode] = pool
        return pool

    async def aclose(self) -> None:
        """Let the workers go, without waiting for what they still do."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.shutdown(wait=False, cancel_futures=True)


def _packed(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
    """Pickle a call by the function's name, since under that name its module holds the task."""
    where = (function.__module__, function.__qualname__)
    if "<" in function.__qualname__:
        raise ProcessTransferError(
            f"{function.__qualname__!r} cannot run in a process: its function must stand at the top level "
            "of a module, not inside a function or a lambda; move it there, or use mode='thread'"
        )
    try:
        return pickle.dumps((where, args, kwargs))
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
    return function(*args, **kwargs)
