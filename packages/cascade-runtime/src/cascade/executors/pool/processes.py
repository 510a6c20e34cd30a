"""`ProcessPool`: worker processes that end one by one, so that none takes another's work with it.

Each process has a pipe and a thread of its own, which sends it a call and waits for the outcome::

    event loop ──▶ thread 0 ◀──pipe──▶ process 0
               └─▶ thread 1 ◀──pipe──▶ process 1

A process that is killed, by us or by others, closes its pipe: its thread hears of it, fails the call
that ran there and no other, and starts a new process for the next one.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from cascade.executors.pool.threads import ThreadPool
from cascade.executors.pool.transfer import name_of, pack_call, run_packed, unpack_outcome
from cascade.interfaces.errors import WorkerLostError
from cascade.interfaces.executor import Invocation
from cascade.runtime.concurrency.futures import disregard

__all__ = ["ProcessPool"]

_BEGINS = b""  # what a worker sends before it calls the function; an outcome is never empty
_GRACE = 1.0  # seconds that idle processes have to end by themselves


def _serve(pipe: Connection) -> None:
    """Be a worker process: call what comes over the pipe, until that is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which ends us
    try:
        while True:
            work = pipe.recv_bytes()
            pipe.send_bytes(run_packed(work, lambda: pipe.send_bytes(_BEGINS)))
    except (EOFError, OSError):  # the parent has closed the pipe, or is no more
        return


class _Worker:
    """A process, seen from its parent."""

    def __init__(self) -> None:
        context = get_context("spawn")
        self.pipe, inner = context.Pipe()
        self.process = context.Process(target=_serve, args=(inner,), name="cascade-worker")
        self.process.start()
        inner.close()
        self.is_busy = False
        self.has_answered = False

    def ended(self) -> str:
        """Wait until the process has ended, now that nobody writes to its pipe, and return how it did."""
        self.process.join(_GRACE)
        self.process.kill()
        self.process.join()
        code = self.process.exitcode or 0
        if code >= 0:
            return f"with status {code}"
        try:
            return f"by {signal.Signals(-code).name}"
        except ValueError:
            return f"by signal {-code}"


class _Call:
    """A call in a worker process, seen from the event loop and from the worker's thread."""

    def __init__(
        self, pool: ProcessPool, name: str, work: bytes, begins: Callable[[str], None]
    ) -> None:
        self._pool = pool
        self._loop = asyncio.get_running_loop()
        self._begins = begins
        self._name = name
        self._work = work
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._is_over = False

    def end(self) -> bool:
        """End the process that runs the function; return False where none does yet, and none will."""
        with self._lock:
            self._is_over = True
            if self._worker is not None:
                self._worker.process.kill()
            return self._worker is not None

    def __call__(self) -> Any:
        """Send the call to the process of this thread; return the value, or raise what was raised there.

        Raises:
            WorkerLostError: the process ended before there was an outcome.
        """
        while True:
            worker = self._pool.worker_of_this_thread()
            with self._lock:
                if self._is_over:
                    return None
                self._worker = worker
            worker.is_busy = True
            begun = False
            try:
                worker.pipe.send_bytes(self._work)
                answer = worker.pipe.recv_bytes()
                if answer == _BEGINS:
                    begun = True
                    self._tell_start(f"process {worker.process.pid}")
                    answer = worker.pipe.recv_bytes()
            except (EOFError, OSError):
                answer = None
            with self._lock:
                self._worker = None
            worker.is_busy = False
            if answer is not None:
                worker.has_answered = True
                return unpack_outcome(answer, self._name)
            how = self._pool.drop(worker)
            if begun or not worker.has_answered:
                raise self._lost(how, begun=begun)
            # else it had ended while it was idle, and a new one takes the call

    def _tell_start(self, place: str) -> None:
        with suppress(RuntimeError):  # the loop has been closed: nobody waits there any more
            self._loop.call_soon_threadsafe(self._begins, place)

    def _lost(self, how: str, *, begun: bool) -> WorkerLostError:
        if begun:
            return WorkerLostError(f"the process that ran {self._name!r} ended {how}")
        return WorkerLostError(
            f"the process for {self._name!r} ended {how} before it began; it imports the main module "
            "anew, so a script needs 'if __name__ == \"__main__\":' around what it runs"
        )


class ProcessPool:
    """Up to so many processes, each started at first need."""

    def __init__(self, max_processes: int | None) -> None:
        """Begin without any process."""
        self._threads = ThreadPool(max_processes or os.cpu_count() or 1, "cascade-process")
        self._of_thread = threading.local()
        self._lock = threading.Lock()
        self._workers: set[_Worker] = set()
        atexit.register(self._kill)

    async def run(self, invocation: Invocation) -> Any:
        """Call a function in a process and return its value; on cancellation that process is ended.

        Raises:
            ProcessTransferError: function, arguments or result cannot go to or from a process.
            WorkerLostError: the process ended before the function did.
        """
        name = name_of(invocation.function)
        call = _Call(self, name, pack_call(invocation), invocation.begins)
        outcome = self._threads.submit(call)
        try:
            return await asyncio.shield(outcome)
        except asyncio.CancelledError:
            outcome.add_done_callback(disregard)
            if call.end():
                await asyncio.wait([outcome])
            else:
                outcome.cancel()
            raise

    def worker_of_this_thread(self) -> _Worker:
        """Return the process that belongs to the thread of the pool that asks."""
        worker: _Worker | None = getattr(self._of_thread, "worker", None)
        if worker is None:
            with self._lock:
                worker = self._of_thread.worker = _Worker()
                self._workers.add(worker)
        return worker

    def drop(self, worker: _Worker) -> str:
        """Forget the process of this thread, which has ended, and return how."""
        self._of_thread.worker = None
        worker.pipe.close()
        with self._lock:
            self._workers.discard(worker)
            return worker.ended()

    async def aclose(self) -> None:
        """End all processes and wait for that: idle ones by themselves, busy ones at once."""
        self._threads.close()
        await asyncio.get_running_loop().run_in_executor(None, self._end)

    def _end(self) -> None:
        with self._lock:
            for worker in self._workers:
                if worker.is_busy:
                    worker.process.kill()  # its thread waits for it
                else:
                    worker.pipe.close()
            for worker in self._workers:
                if not worker.is_busy:
                    worker.ended()
        atexit.unregister(self._kill)

    def _kill(self) -> None:
        """End what is left when the interpreter exits with the pool still open."""
        for worker in self._workers:
            worker.process.kill()
