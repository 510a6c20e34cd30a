"""A resource while it is open: one asyncio task enters its generator, waits, and exits.

So both ends happen in the same task and the same context, whoever asked first and whoever closes::

    opening ──▶ open: `opened` has the value ──▶ close() ──▶ closing ──▶ done
       │ fails: `opened` raises it                 leave(): done, and the generator stays as it is
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import asynccontextmanager, contextmanager
from contextvars import copy_context
from functools import partial
from typing import Any

from cascade.interfaces.errors import ResourceError
from cascade.interfaces.errors.notes import add_note
from cascade.interfaces.protocols import Executor
from cascade.runtime.concurrency.clock import is_simulated
from cascade.runtime.concurrency.thread_call import ThreadCall
from cascade.spec.resource import ResourceDefinition

__all__ = ["OpenResource"]

_LEFT = object()  # in place of what is thrown in: the generator is left as it is


class OpenResource:
    """A resource from its opening to its end.

    Attributes:
        definition: what it is.
        needs: the resources that it was opened with, and theirs.
        opened: a future of what tasks get.
        failure: what its closing raised.
        thread: the part of it that runs in a worker thread now.
    """

    __slots__ = (
        "_closing",
        "_context",
        "_executor",
        "_fill",
        "_is_cancelled",
        "_manager",
        "_on_open",
        "_shutdown_timeout",
        "_task",
        "definition",
        "failure",
        "needs",
        "opened",
        "thread",
    )

    def __init__(
        self,
        definition: ResourceDefinition[Any],
        fill: Callable[[OpenResource], Coroutine[Any, Any, dict[str, Any]]],
        on_open: Callable[[OpenResource], None],
        executor: Executor,
        shutdown_timeout: float,
    ) -> None:
        """Begin to open it.

        Args:
            definition: what it is.
            fill: gives what it needs itself, by parameter name.
            on_open: called when it has opened, before anybody gets it.
            executor: has the threads for plain generators.
            shutdown_timeout: seconds that it still waits once its task is cancelled, as those of a
                loop that ends are.
        """
        loop = asyncio.get_running_loop()
        self.definition = definition
        self.needs: set[OpenResource] = set()
        self.opened: asyncio.Future[Any] = loop.create_future()
        self.failure: BaseException | None = None
        self.thread: ThreadCall | None = None
        self._fill = fill
        self._on_open = on_open
        self._executor = executor
        self._shutdown_timeout = shutdown_timeout
        self._manager: Any = None
        self._context = copy_context()  # of the parts in threads, which are one context too
        self._closing: asyncio.Future[Any] = loop.create_future()
        self._is_cancelled = False
        self._task = loop.create_task(self._live(), name=f"resource {definition.name!r}")

    async def close(self, error: BaseException | None) -> None:
        """Have it closed, and wait for that; one that is still opening is not opened any more.

        A cancellation reaches what its generator awaits, and is raised here when that has ended.

        Args:
            error: what to throw in at its ``yield``.
        """
        self._closing.set_result(error)
        if not self.opened.done() and self.thread is None:
            self._task.cancel()
        try:
            await asyncio.wait([self._task])
        except asyncio.CancelledError:
            self._task.cancel()
            await asyncio.wait([self._task])
            raise

    def leave(self) -> None:
        """Let it stay open, for a thread that uses it and does not end."""
        self._closing.set_result(_LEFT)
        self._shutdown_timeout = 0

    async def _live(self) -> None:
        try:
            value = await self._enter(await self._fill(self))
        except BaseException as error:
            add_note(error, f"while opening the resource {self.definition.name!r}")
            if not isinstance(error, Exception):
                self.opened.cancel()
                raise
            self.opened.set_exception(error)
            self.opened.exception()  # whoever asked raises it; that nobody asks any more is no fault
            return
        self._on_open(self)
        self.opened.set_result(value)
        del value
        await self._wait_for(self._closing, or_raise=False)
        thrown = self._closing.result() if self._closing.done() else None
        if thrown is not _LEFT:
            await self._exit(thrown)

    async def _enter(self, needed: dict[str, Any]) -> Any:
        function = self.definition.function
        if self.definition.mode == "async":
            self._manager = asynccontextmanager(function)(**needed)
            return await self._manager.__aenter__()
        self._manager = contextmanager(function)(**needed)
        return await self._call_plain(self._manager.__enter__)

    async def _exit(self, error: BaseException | None) -> None:
        """Close it; what that raises is its failure, unless it is what was thrown in."""
        thrown = (
            None if error is None else type(error),
            error,
            getattr(error, "__traceback__", None),
        )
        try:
            if self.definition.mode == "async":
                await self._manager.__aexit__(*thrown)
            else:
                await self._call_plain(partial(self._manager.__exit__, *thrown))
        except Exception as failure:  # noqa: BLE001 - whoever closes it raises or reports it
            if failure is not error:
                self.failure = _explained(failure, self.definition.name)

    async def _call_plain(self, part: Callable[[], Any]) -> Any:
        """Run a part of a plain generator, in a worker thread unless it is inline."""
        if self.definition.mode == "inline" or is_simulated(asyncio.get_running_loop()):
            return part()
        uses = {self, *self.needs}
        call = self.thread = ThreadCall(self.definition.name, part, self._context, uses)
        try:
            await self._wait_for(call.start(self._executor), or_raise=True)
            return call.future.result()
        finally:
            self.thread = None

    async def _wait_for(self, future: asyncio.Future[Any], *, or_raise: bool) -> None:
        """Wait for a future, once this task is cancelled only for a while.

        A thread cannot be interrupted, and whoever closes the resource is about to ask for it: where a
        loop ends, all of its tasks are cancelled at the same time.
        """
        if not self._is_cancelled:
            try:
                await asyncio.wait([future])
            except asyncio.CancelledError:
                self._is_cancelled = True
        if self._is_cancelled:
            await asyncio.wait([future], timeout=self._shutdown_timeout)
            if or_raise and not future.done():
                raise asyncio.CancelledError


def _explained(failure: Exception, name: str) -> Exception:
    """Return what went wrong at the end; of a generator that yields again contextlib says next to nothing."""
    if type(failure) is RuntimeError and str(failure).startswith("generator didn't stop"):
        return ResourceError(
            f"the resource {name!r} yields a second time; a resource yields once, and what closes it "
            "stands after that"
        )
    return failure
