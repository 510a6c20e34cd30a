"""A task's function, called in its mode, with its resources, within its time, and again where it fails.

An attempt has resources of its own (``scope="task"``), and a time of its own, which counts from the
start of the function. A function in a thread cannot be stopped: where its time is over or its call is
cancelled, the caller goes on at once, the function is told, the next attempt waits for the thread, and
so does the closing of what it uses.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from cascade.interfaces.errors import NonDeterminismError
from cascade.interfaces.errors.notes import add_note
from cascade.interfaces.executor import ANYWHERE, Invocation
from cascade.interfaces.properties import to_send
from cascade.runtime.admission.ticket import held
from cascade.runtime.concurrency.thread_call import ThreadCall
from cascade.runtime.evaluation.arguments import missing_injections
from cascade.runtime.evaluation.inside import context_for_thread, current
from cascade.runtime.evaluation.own_clock import own_clock
from cascade.runtime.observation.events import TaskRetrying, TaskThrottled
from cascade.runtime.resources.scope import Scope
from cascade.runtime.state.agent import Frame
from cascade.runtime.state.position import attempting, position
from cascade.runtime.state.run import Run
from cascade.spec.containers import CALL_TYPES
from cascade.spec.policies import Retry
from cascade.spec.resource import Inject
from cascade.spec.task import Task

__all__ = [
    "announce_retry",
    "attempt_to_go_on_with",
    "awaited",
    "call_in_attempts",
    "emit_throttled",
    "is_awaitable",
    "wait_for_attempt",
]

_ON_THE_LOOP = ("async", "inline")


def is_awaitable(value: Any) -> bool:
    """Return whether a function returned something to be awaited; calls refuse that, and are not."""
    return type(value) not in CALL_TYPES and hasattr(type(value), "__await__")


async def awaited(value: Any) -> Any:
    """Return what a function returned, awaited where it can be: a decorator may hide that it is async."""
    return await value if is_awaitable(value) else value


async def call_in_attempts(
    frame: Frame, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Call a task's function, as often as its retries allow, and return its value."""
    retry = task.policies.retry
    if retry is None:
        value = await _Attempt(frame, task).value(args, kwargs)
    else:
        value = await _with_retry(retry, frame, task, args, kwargs)
    if type(value) in CALL_TYPES and (retry is not None or task.policies.timeout is not None):
        _say_where_policies_end(frame.run, task)
    return value


def _say_where_policies_end(run: Run, task: Task[..., Any]) -> None:
    """Say once that a call which a task returns is no longer governed by the task's policies."""
    combinator = "cs.timeout" if task.policies.retry is None else "cs.retry"
    run.services.warn_once(
        task.function, "engine.policies_end", task=task.name, combinator=combinator
    )


async def _with_retry(
    retry: Retry,
    frame: Frame,
    task: Task[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    here = position.get()
    before, evaluations = here.attempt, here.evaluations
    number = await attempt_to_go_on_with(frame.run)
    try:
        while True:
            here.attempt, here.evaluations = number, evaluations
            attempt = _Attempt(frame, task)
            try:
                with attempting(here, frame.agent):
                    value = await attempt.value(args, kwargs)
                    if type(value) not in CALL_TYPES:
                        retry.refuse(value)
                return value
            except Exception as error:
                if not retry.allows_another(number, error):
                    if number > 1:
                        add_note(error, f"after {number} attempts")
                    raise
                wait = announce_retry(frame, task.name, retry, number, error)
            async with _out_of_line(frame, task):
                await wait_for_attempt(frame.run, number + 1, wait)
                if attempt.thread is not None and attempt.thread.is_running:
                    await asyncio.wait([attempt.thread.future])
            number += 1
    finally:
        here.attempt = before


def announce_retry(frame: Frame, name: str, policy: Retry, number: int, error: Exception) -> float:
    """Tell of an attempt that failed; return the seconds to wait before the next one."""
    run = frame.run
    wait = policy.wait_after(number, frame.agent.random.random(), error)
    run.services.events.emit(TaskRetrying(run.id, run.loop.time(), name, number, wait, error))
    return wait


async def attempt_to_go_on_with(run: Run) -> int:
    """Return the number of the attempt to begin with; a durable agent goes on where it left."""
    return 1 if run.journal is None else await run.journal.attempt()


async def wait_for_attempt(run: Run, number: int, seconds: float) -> None:
    """Wait for so many seconds before an attempt."""
    if run.journal is None:
        await asyncio.sleep(seconds)
    else:
        await run.journal.wait_for_attempt(number, seconds)


def emit_throttled(run: Run, task: Task[..., Any], reason: str) -> None:
    """Tell that a task has to wait."""
    run.services.events.emit(TaskThrottled(run.id, run.loop.time(), task.name, reason))


@asynccontextmanager
async def _out_of_line(frame: Frame, task: Task[..., Any]) -> AsyncIterator[None]:
    """Give back what the task holds, until its next attempt, which passes admission as the first did."""
    ticket = held.get()
    if ticket is None or ticket.task is not task:
        yield
        return
    ticket.controller.release(ticket)
    yield
    await ticket.controller.enter(ticket, partial(emit_throttled, frame.run, task))


class _Attempt:
    """One call of a task's function.

    Attributes:
        thread: the call in a worker thread, if that is where it runs.
    """

    __slots__ = ("_frame", "_run", "_scope", "_task", "thread")

    def __init__(self, frame: Frame, task: Task[..., Any]) -> None:
        self._frame = frame
        self._run = frame.run
        self._task = task
        self._scope: Scope | None = None
        self.thread: ThreadCall | None = None

    async def value(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Open what the task asks for, call the function, and close what is the attempt's own."""
        missing = missing_injections(self._task, args, kwargs)
        if not missing:
            return await self._call_in_time(args, kwargs)
        scope = self._scope = self._run.scope.inner("task", self._frame.builtin_resource)
        failure: BaseException | None = None
        try:
            filled = await self._open(scope, missing)
            return await self._call_in_time(args, {**kwargs, **filled})
        except BaseException as error:
            failure = error
            raise
        finally:
            await scope.close(failure)

    async def _open(self, scope: Scope, missing: Mapping[str, Inject]) -> dict[str, Any]:
        """Open what the task asks for; its own resources have as much time for that as its function."""
        name, seconds = self._task.name, self._task.policies.timeout
        wanted_by = f"the task {name!r}"
        if seconds is None:
            return await scope.fill(missing, wanted_by)
        own = {parameter: each for parameter, each in missing.items() if scope.owns(each)}
        shared = {parameter: each for parameter, each in missing.items() if parameter not in own}
        filled = await scope.fill(shared, wanted_by)
        try:
            async with asyncio.timeout(seconds) as limit:
                return filled | await scope.fill(own, wanted_by)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise TimeoutError(
                f"opening the resources of the task {name!r} took longer than {seconds:g} s"
            ) from error

    async def _call_in_time(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        seconds = self._task.policies.timeout
        if seconds is None and own_clock.get() is None:
            return await self._call(args, kwargs, None)
        before = own_clock.set(None)
        try:
            if seconds is None:
                return await self._call(args, kwargs, None)
            return await self._call_within(seconds, args, kwargs)
        finally:
            own_clock.reset(before)

    async def _call_within(
        self, seconds: float, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        task, loop = self._task, self._run.loop
        try:
            async with asyncio.timeout(None) as limit:
                own_clock.set(limit)

                def start_clock() -> None:
                    with suppress(RuntimeError):  # it comes from a thread, and may come too late
                        limit.reschedule(loop.time() + seconds)

                return await self._call(args, kwargs, start_clock)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise TimeoutError(f"the task {task.name!r} took longer than {seconds:g} s") from error

    async def _call(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], on_start: Callable[[], None] | None
    ) -> Any:
        task, run = self._task, self._run
        if task.mode in _ON_THE_LOOP or (task.mode == "thread" and run.is_simulated):
            if on_start is not None:
                on_start()
            value = task.function(*args, **kwargs)
            return await (value if task.is_async else awaited(value))
        if run.is_simulated:
            raise NonDeterminismError("a process", task.name)
        if task.mode == "thread":
            value = await self._call_in_thread(partial(task.function, *args, **kwargs), on_start)
        else:
            invocation = self._elsewhere(args, kwargs, on_start)
            value = await run.services.executor.submit(invocation)
        return await awaited(value)

    def _elsewhere(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], on_start: Callable[[], None] | None
    ) -> Invocation:
        """Describe the call to the executor, for another process or machine."""
        task, policies = self._task, self._task.policies
        return Invocation(
            task.mode,
            task.function,
            args,
            kwargs,
            on_start,
            name=task.name,
            current=current(),
            demands=self._run.services.admission.capacities.not_here(task),
            placement=policies.placement or ANYWHERE,
            attempts=1 if policies.retry is None else policies.retry.attempts,
            timeout=policies.timeout,
            trace=to_send.get(),
        )

    async def _call_in_thread(
        self, function: Callable[[], Any], on_start: Callable[[], None] | None
    ) -> Any:
        services = self._run.services
        uses = () if self._scope is None else self._scope.used
        call = self.thread = ThreadCall(self._task.name, function, context_for_thread(), uses)
        try:
            return await asyncio.shield(call.start(services.executor, on_start))
        except asyncio.CancelledError:
            if call.abandon():
                services.abandoned.add(call)
            raise
