"""`PoolExecutor`: the Executor contract over pools of threads and processes of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor as Pool
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from functools import partial
from typing import Any

from cascade.interfaces.protocols import Mode

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
        self._threads: Pool | None = None
        self._processes: Pool | None = None

    async def submit(
        self, mode: Mode, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Any:
        """Run a function in a worker and return its value; see the Executor contract.

        Raises:
            ProcessTransferError: function, arguments or result cannot go to or from a process.
        """
        if mode == "process":
            from cascade.executors.pool import processes  # noqa: PLC0415 - multiprocessing is slow to import

            if self._processes is None:
                self._processes = processes.pool(self._max_processes)
            return await processes.submit(self._processes, function, args, kwargs)
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._max_threads, thread_name_prefix="cascade")
        work = partial(_call, copy_context(), function, args, kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def aclose(self) -> None:
        """Let the workers go, without waiting for what they still do."""
        pools = (self._threads, self._processes)
        self._threads = self._processes = None
        for pool in pools:
            if pool is not None:
                pool.shutdown(wait=False, cancel_futures=True)


def _call(
    context: Context,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Call a function in a worker thread, in a copy of the caller's context.

    Raises:
        RuntimeError: it raised StopIteration, which no future can carry, as from a coroutine.
    """
    try:
        return context.run(function, *args, **kwargs)
    except StopIteration as error:
        name = getattr(function, "__qualname__", repr(function))
        raise RuntimeError(f"{name} raised StopIteration") from error
