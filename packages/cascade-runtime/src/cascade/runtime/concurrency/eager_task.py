"""A task that begins where it stands: no turn of the loop until its coroutine really waits.

`asyncio.create_task` always costs one turn of the loop. Most callbacks and many tasks of a graph
finish without waiting for anything, so they pay that turn for nothing. An `EagerTask` runs its
coroutine at once; only where the coroutine waits does the event loop hear of it, and it goes on
from there like any other task.

It keeps to the rules that asyncio sets for task implementations other than its own ("Extending
asyncio", "Task lifetime support"): `asyncio.current_task` gives it inside the coroutine,
`asyncio.all_tasks` lists it while it waits, and time-outs and task groups may cancel it.
"""

from __future__ import annotations

import asyncio
from asyncio import base_tasks
from asyncio import tasks as asyncio_tasks
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from types import FrameType
from typing import Any, TextIO, TypeVar

from cascade.runtime.concurrency.current_task import current_tasks, restore_task

__all__ = ["PENDING", "EagerTask"]

T = TypeVar("T")

_asyncio: Any = base_tasks

PENDING = object()
"""What `EagerTask.begin` returns where the coroutine waits for something."""


class EagerTask(asyncio.Future[T]):
    """Drives one coroutine: at once until it first waits, then as the event loop wakes it.

    It has all that an `asyncio.Task` has: await it, or add a callback to it. `start` must be called
    once.
    """

    __slots__ = (
        "_cancel_message",
        "_cancel_requests",
        "_context",
        "_coro",
        "_fut_waiter",
        "_must_cancel",
        "_name",
    )

    _name: str

    def __init__(
        self,
        coro: Coroutine[Any, Any, T] | Generator[Any, Any, T],
        loop: asyncio.AbstractEventLoop,
        context: Context,
    ) -> None:
        """Take the coroutine, the running loop and the context to run it in; run nothing yet."""
        super().__init__(loop=loop)
        self._coro = coro
        self._context = context
        self._fut_waiter: asyncio.Future[Any] | None = None
        self._must_cancel = False
        self._cancel_requests = 0
        self._cancel_message: Any = None

    def start(self) -> None:
        """Run the coroutine until it first waits, or ends."""
        loop = self.get_loop()
        caller = current_tasks.get(loop)
        current_tasks[loop] = self
        try:
            self._context.run(self._advance, None)
        finally:
            restore_task(loop, caller)
        if not self.done():
            asyncio_tasks._register_task(self)  # type: ignore[arg-type]  # noqa: SLF001 - the documented hook

    def begin(self, run: Callable[..., Any], *args: Any) -> Any:
        """Do the same, and be done only where it waits: return what the coroutine returned, or `PENDING`.

        After a value the task is as new: `reuse` it, or set the result where somebody has kept it.

        Args:
            run: called in the task's context; sends the coroutine on its way, and returns what it
                yields.
            args: its arguments.

        Raises:
            BaseException: what the coroutine raised; the task is done.
        """
        loop = self.get_loop()
        caller = current_tasks.get(loop)
        current_tasks[loop] = self
        try:
            yielded = self._context.run(run, *args)
        except StopIteration as stop:
            if not self._cancel_requests:
                return stop.value
            self._end_by(error := self._cancelled_error())
            raise error from None
        except BaseException as failure:
            self._end_by(failure)
            if not self.cancelled():
                self.exception()  # whoever began it has it
            raise
        finally:
            restore_task(loop, caller)
        self._park(yielded)
        asyncio_tasks._register_task(self)  # type: ignore[arg-type]  # noqa: SLF001 - the documented hook
        return PENDING

    def reuse(
        self, coro: Coroutine[Any, Any, T] | Generator[Any, Any, T], context: Context
    ) -> None:
        """Take another coroutine, after one that ended in `begin`."""
        self._coro = coro
        self._context = context

    def _step(self, error: BaseException | None = None) -> None:
        """Run the coroutine from one wait to the next; the loop calls this, in the task's context."""
        loop = self.get_loop()
        current_tasks[loop] = self
        try:
            self._advance(error)
        finally:
            current_tasks.pop(loop, None)

    def _wake_up(self, _waited_for: asyncio.Future[Any]) -> None:
        # The coroutine itself asks the future for its result, so an error needs no throwing here.
        self._fut_waiter = None
        self._step()

    def _advance(self, error: BaseException | None) -> None:
        """Send the coroutine on its way, or throw an error into it, and take what comes of it."""
        if self._must_cancel:
            self._must_cancel = False
            error = self._cancelled_error()
        try:
            yielded = self._coro.send(None) if error is None else self._coro.throw(error)
        except StopIteration as stop:
            self.set_result(stop.value)
        except (Exception, asyncio.CancelledError) as failure:  # noqa: BLE001 - kept for whoever awaits this task
            self._end_by(failure)
        except BaseException as interrupt:
            self._end_by(interrupt)
            raise
        else:
            self._park(yielded)

    def _end_by(self, failure: BaseException) -> None:
        """Be done, by what the coroutine raised."""
        if isinstance(failure, asyncio.CancelledError):
            super().cancel(failure.args[0] if failure.args else None)
        else:
            self.set_exception(failure)

    def _park(self, yielded: Any) -> None:
        """Arrange to go on once what the coroutine waits for is done."""
        loop = self.get_loop()
        if yielded is None:  # a bare yield, as in asyncio.sleep(0): the next turn of the loop
            loop.call_soon(self._step, context=self._context)
        elif (
            getattr(yielded, "_asyncio_future_blocking", False)
            and yielded.get_loop() is loop
            and yielded is not self
        ):
            yielded._asyncio_future_blocking = False  # noqa: SLF001 - how a future tells it is awaited
            yielded.add_done_callback(self._wake_up, context=self._context)
            self._fut_waiter = yielded
            if self._must_cancel and yielded.cancel(self._cancel_message):
                self._must_cancel = False
        else:
            error = RuntimeError(
                f"{self.get_name()} waits for {yielded!r}, not a future of its loop"
            )
            loop.call_soon(self._step, error, context=self._context)

    def _cancelled_error(self) -> asyncio.CancelledError:
        message = self._cancel_message
        return asyncio.CancelledError() if message is None else asyncio.CancelledError(message)

    def cancel(self, msg: Any = None) -> bool:
        """Ask the coroutine to stop, as `asyncio.Task.cancel` does."""
        if self.done():
            return False
        self._cancel_requests += 1
        self._cancel_message = msg
        if self._fut_waiter is None or not self._fut_waiter.cancel(msg):
            self._must_cancel = True
        return True

    def cancelling(self) -> int:
        """Return how many requests to cancel are open, as `asyncio.Task.cancelling` does."""
        return self._cancel_requests

    def uncancel(self) -> int:
        """Take one request to cancel back, as `asyncio.Task.uncancel` does."""
        if self._cancel_requests:
            self._cancel_requests -= 1
            if not self._cancel_requests:
                self._must_cancel = False
        return self._cancel_requests

    def get_coro(self) -> Coroutine[Any, Any, T] | Generator[Any, Any, T]:
        """Return the coroutine."""
        return self._coro

    def get_context(self) -> Context:
        """Return the context that the coroutine runs in."""
        return self._context

    def get_name(self) -> str:
        """Return a name for messages: the coroutine's."""
        try:
            return self._name
        except AttributeError:
            return getattr(self._coro, "__qualname__", type(self._coro).__name__)

    def set_name(self, value: object) -> None:
        """Set the name."""
        self._name = str(value)

    def get_stack(self, *, limit: int | None = None) -> list[FrameType]:
        """Return the frames that the coroutine stands in, or those of its failure."""
        return _asyncio._task_get_stack(self, limit)  # type: ignore[no-any-return]  # noqa: SLF001 - asyncio's own

    def print_stack(self, *, limit: int | None = None, file: TextIO | None = None) -> None:
        """Print them, as `asyncio.Task.print_stack` does."""
        _asyncio._task_print_stack(self, limit, file)  # noqa: SLF001 - asyncio's own
