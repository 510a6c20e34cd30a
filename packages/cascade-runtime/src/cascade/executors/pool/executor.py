"""`PoolExecutor`: the Executor contract over pools of threads and processes of this machine."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from cascade.executors.pool.threads import ThreadPool, default_size
from cascade.interfaces.executor import Invocation

if TYPE_CHECKING:
    from cascade.executors.pool.processes import ProcessPool

__all__ = ["PoolExecutor"]


class PoolExecutor:
    """Runs ``thread`` tasks in a thread pool, ``process`` and ``remote`` ones in a process pool.

    Both pools are made at first need, and grow as they are used. Worker processes are spawned, so
    they share nothing with this one; a script that uses them needs the usual
    ``if __name__ == "__main__":``. A process whose function is not waited for any more is ended, and
    another one takes its place.

    Examples:
        >>> import cascade as cs
        >>> @cs.task
        ... def length(text: str) -> int:
        ...     return len(text)
        >>> cs.run(length("in a thread"), executor=PoolExecutor(max_threads=2))
        11
    """

    def __init__(self, *, max_threads: int | None = None, max_processes: int | None = None) -> None:
        """Set the sizes of the pools.

        Args:
            max_threads: threads at most; if left out, 4 more than processors, and 32 at most.
            max_processes: processes at most; if left out, as many as processors.

        Raises:
            ValueError: a size is below 1.
        """
        for name, size in (("max_threads", max_threads), ("max_processes", max_processes)):
            if size is not None and size < 1:
                raise ValueError(f"{name} is at least 1, not {size}")
        self._max_threads = default_size() if max_threads is None else max_threads
        self._max_processes = max_processes
        self._threads: ThreadPool | None = None
        self._processes: ProcessPool | None = None

    def submit(self, invocation: Invocation) -> asyncio.Future[Any]:
        """Call a function in a worker; see the Executor contract.

        The future raises `ProcessTransferError` where function, arguments or result cannot go to or
        from a process, and `WorkerLostError` where the process ended by itself.
        """
        if invocation.mode in ("process", "remote"):
            if self._processes is None:
                from cascade.executors.pool.processes import ProcessPool  # noqa: PLC0415 - multiprocessing is slow to import

                self._processes = ProcessPool(self._max_processes)
            return asyncio.ensure_future(self._processes.run(invocation))
        if self._threads is None:
            self._threads = ThreadPool(self._max_threads, "cascade-thread")
        work, args, kwargs = invocation.function, invocation.args, invocation.kwargs
        return self._threads.submit(
            partial(work, *args, **kwargs) if args or kwargs else work, invocation.on_start
        )

    async def aclose(self) -> None:
        """Let the threads go, without waiting for what they still do, and end the processes."""
        threads, processes = self._threads, self._processes
        self._threads = self._processes = None
        if threads is not None:
            threads.close()
        if processes is not None:
            await processes.aclose()
