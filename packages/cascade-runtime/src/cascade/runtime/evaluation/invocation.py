"""One task, with everything it asks for: admission, resources, cache, retries, time-out, its mode."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from types import CoroutineType
from typing import Any, TypeAlias

from cascade.interfaces.errors import NonDeterminismError
from cascade.runtime.evaluation.arguments import missing_injections
from cascade.runtime.evaluation.caching import through_cache
from cascade.runtime.observation.events import (
    Outcome,
    TaskFinished,
    TaskRetrying,
    TaskStarted,
    TaskThrottled,
)
from cascade.runtime.resources.scope import Scope
from cascade.runtime.state.agent import Frame
from cascade.runtime.state.position import position
from cascade.runtime.state.run import Run
from cascade.spec.containers import CALL_TYPES
from cascade.spec.policies import NO_POLICIES
from cascade.spec.task import Task

__all__ = ["awaited", "call_directly", "invoke", "is_awaitable", "note_failure"]

_Work: TypeAlias = Callable[
    [Frame, Task[..., Any], tuple[Any, ...], dict[str, Any]], Coroutine[Any, Any, Any]
]
"""Gives a task's value."""


def note_failure(error: BaseException, task: Task[..., Any], run: Run) -> None:
    """Write on an exception which task of which run it comes from."""
    _name_culprit(error, task)
    error.add_note(f"in task {task.name!r} of run {run.id!r}")


def _name_culprit(error: BaseException, task: Task[..., Any]) -> None:
    """Name the task on an error of simulated time, also inside the group of a `TaskGroup`."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            _name_culprit(each, task)
    elif isinstance(error, NonDeterminismError) and error.task is None:
        error.task = task.name


def invoke(
    frame: Frame, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Start a task: return its value if it is there at once, else a coroutine that gives it."""
    services = frame.run.services
    if task.is_direct and not services.needs_slow_path:
        if task.is_bare:
            return task.function(*args, **kwargs)
        return call_directly(frame, task, args, kwargs)
    if task.policies.cache is not None:
        return through_cache(frame, task, args, kwargs, _compute)
    return _compute(frame, task, args, kwargs)


def _compute(
    frame: Frame, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Coroutine[Any, Any, Any]:
    """Start the chain from admission to the function."""
    services = frame.run.services
    direct = task.is_direct and not services.overrides_builtin_resource
    work: _Work = _without_policies if direct else _with_resources
    if services.admission.has_constraints or task.policies.demands:
        return _with_admission(frame, task, args, kwargs, work)
    return _with_events(frame, task, args, kwargs, work)


def call_directly(
    frame: Frame, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Call the function of a direct task; where it gives a coroutine, that is still to be awaited."""
    if not kwargs and len(args) == task.asks_from and task.fills is not None:
        for name in task.fills:
            args += (frame.builtin_resource(name),)
        return task.function(*args)
    missing = missing_injections(task, args, kwargs)
    filled = {parameter: frame.builtin_resource(each.name) for parameter, each in missing.items()}
    return task.function(*args, **kwargs, **filled)


async def _without_policies(
    frame: Frame, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    value = call_directly(frame, task, args, kwargs)
    return await value if type(value) is CoroutineType else value


async def _with_admission(
    frame: Frame, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], work: _Work
) -> Any:
    """Run a task under the engine's constraints and capacities."""
    run = frame.run
    admission = run.services.admission
    await admission.acquire(task, run.id, partial(_emit_throttled, run, task))
    try:
        return await _with_events(frame, task, args, kwargs, work)
    finally:
        admission.release(task, run.id)


def _emit_throttled(run: Run, task: Task[..., Any], reason: str) -> None:
    run.services.events.emit(TaskThrottled(run.id, run.loop.time(), task.name, reason))


async def _with_events(
    frame: Frame, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], work: _Work
) -> Any:
    """Run a task between the two events that tell of it, if anybody listens."""
    run = frame.run
    events, clock = run.services.events, run.loop.time
    if not events.listeners:
        return await work(frame, task, args, kwargs)
    started = clock()
    events.emit(TaskStarted(run.id, started, task.name))
    outcome: Outcome = "succeeded"
    failure: BaseException | None = None
    try:
        return await work(frame, task, args, kwargs)
    except asyncio.CancelledError as error:
        outcome, failure = "cancelled", error
        raise
    except BaseException as error:
        outcome, failure = "failed", error
        raise
    finally:
        now = clock()
        events.emit(TaskFinished(run.id, now, task.name, outcome, now - started, error=failure))


async def _with_resources(
    frame: Frame, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    call = _call if task.policies is NO_POLICIES else _attempts
    missing = missing_injections(task, args, kwargs)
    if not missing:
        return await call(frame, task, args, kwargs)
    run = frame.run
    scope = Scope(run.services.resources, frame.builtin_resource, parent=run.scope)
    failure: BaseException | None = None
    try:
        filled = await scope.fill(missing, f"the task {task.name!r}")
        return await call(frame, task, args, {**kwargs, **filled})
    except BaseException as error:
        failure = error
        raise
    finally:
        await scope.close(failure)


async def _attempts(
    frame: Frame, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    retry, run = task.policies.retry, frame.run
    if retry is None:
        return await _attempt(frame, task, args, kwargs)
    here = position.get()
    before, evaluations = here.attempt, here.evaluations
    attempt = 1
    try:
        while True:
            here.attempt, here.evaluations = attempt, evaluations
            try:
                value = await _attempt(frame, task, args, kwargs)
                retry.refuse(value)
                return value
            except Exception as error:
                if not retry.allows_another(attempt, error):
                    if attempt > 1:
                        error.add_note(f"after {attempt} attempts")
                    raise
                wait = retry.wait_after(attempt, frame.agent.random.random(), error)
                run.services.events.emit(
                    TaskRetrying(run.id, run.loop.time(), task.name, attempt, wait, error)
                )
            await asyncio.sleep(wait)
            attempt += 1
    finally:
        here.attempt = before


async def _attempt(
    frame: Frame, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    seconds = task.policies.timeout
    if seconds is None:
        return await _call(frame, task, args, kwargs)
    try:
        async with asyncio.timeout(seconds) as limit:
            return await _call(frame, task, args, kwargs)
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise TimeoutError(f"the task {task.name!r} took longer than {seconds:g} s") from error


async def _call(
    frame: Frame, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    run = frame.run
    if task.is_async:
        return await task.function(*args, **kwargs)
    if task.mode == "inline" or (task.mode == "thread" and run.is_simulated):
        return await awaited(task.function(*args, **kwargs))
    if run.is_simulated:
        raise NonDeterminismError("a process", task.name)
    value = await run.services.executor.submit(task.mode, task.function, *args, **kwargs)
    return await awaited(value)


def is_awaitable(value: Any) -> bool:
    """Return whether a function returned something to be awaited; calls refuse that, and are not."""
    return type(value) not in CALL_TYPES and hasattr(type(value), "__await__")


async def awaited(value: Any) -> Any:
    """Return what a function returned, awaited where it can be: a decorator may hide that it is async."""
    return await value if is_awaitable(value) else value
