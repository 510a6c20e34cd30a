"""`FuturesExecutor`: the Executor contract over any pool of `concurrent.futures`."""

from __future__ import annotations

import asyncio
from concurrent.futures import BrokenExecutor, Executor
from typing import Any

from cascade.executors.pool import PoolExecutor
from cascade.executors.pool.transfer import name_of, pack_call, run_packed, unpack_outcome
from cascade.interfaces.errors import WorkerLostError
from cascade.interfaces.executor import Invocation

__all__ = ["FuturesExecutor"]


class FuturesExecutor:
    """Runs ``process`` and ``remote`` tasks in a pool of somebody else, ``thread`` ones here.

    The pool is whatever has the interface of `concurrent.futures.Executor`: that of the standard library,
    of loky, executorlib, Parsl, mpi4py, Ray or Dask. It stays open when the engine closes: who made it
    closes it. Such a pool does not say when a function begins, so a time-out counts from when it is handed
    over; and what has begun there cannot be stopped: it runs on, and its value is dropped.

    Examples:
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> import cascade as cs
        >>> with ThreadPoolExecutor(2) as pool:
        ...     executor = FuturesExecutor(pool)
        ...     cs.run(cs.task(len, mode="remote")("text"), executor=executor)
        4
    """

    def __init__(self, pool: Executor, *, max_threads: int | None = None) -> None:
        """Take a pool, which has to be open for as long as the engine is.

        Args:
            pool: where ``process`` and ``remote`` tasks run.
            max_threads: threads at most for ``thread`` tasks; as `PoolExecutor` if left out.

        Raises:
            TypeError: it is no pool.
            ValueError: max_threads is below 1.
        """
        if not callable(getattr(pool, "submit", None)):
            raise TypeError(f"FuturesExecutor takes a pool of concurrent.futures, not {pool!r}")
        self._pool = pool
        self._threads = PoolExecutor(max_threads=max_threads)

    def submit(self, invocation: Invocation) -> asyncio.Future[Any]:
        """Call a function in a worker; see the Executor contract.

        The future raises `ProcessTransferError` where function, arguments or result cannot go to or
        from the pool, and `WorkerLostError` where the pool has lost its workers.
        """
        if invocation.mode == "thread":
            return self._threads.submit(invocation)
        return asyncio.ensure_future(self._run(invocation))

    async def _run(self, invocation: Invocation) -> Any:
        name = name_of(invocation.function)
        work = pack_call(invocation)
        try:
            future = self._pool.submit(run_packed, work, _begins)
            invocation.begins(type(self._pool).__name__)
            packed = await asyncio.wrap_future(future)
        except BrokenExecutor as error:
            raise WorkerLostError(
                f"the pool that ran {name!r} has lost its workers: {str(error) or type(error).__name__}; make "
                "another pool"
            ) from error
        return unpack_outcome(packed, name)

    async def aclose(self) -> None:
        """Let the threads go; the pool stays as it is."""
        await self._threads.aclose()


def _begins() -> None:
    """Do nothing: the pool has no way to say that a function begins."""
