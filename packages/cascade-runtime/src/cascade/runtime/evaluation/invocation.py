"""One task, with everything it asks for: cache, admission, events, and then its attempts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from types import CoroutineType
from typing import Any, TypeAlias

from cascade.interfaces.errors import NonDeterminismError
from cascade.interfaces.errors.notes import OriginNote, add_note
from cascade.runtime.admission.ticket import held
from cascade.runtime.evaluation.arguments import missing_injections
from cascade.runtime.evaluation.attempts import call_in_attempts, emit_throttled
from cascade.runtime.observation.events import (
    Outcome,
    TaskFinished,
    TaskStarted,
)
from cascade.runtime.state.agent import Frame
from cascade.runtime.state.position import position
from cascade.runtime.state.run import NOT_JOURNALED, Run
from cascade.spec.containers import CALL_TYPES
from cascade.spec.lazy_types import LazyResult, line_of
from cascade.spec.task import Task

__all__ = ["call_directly", "invoke", "note_failure"]

_Work: TypeAlias = Callable[
    [Frame, Task[..., Any], tuple[Any, ...], dict[str, Any]], Coroutine[Any, Any, Any]
]
"""Gives a task's value."""


def note_failure(error: BaseException, call: LazyResult[Any], run: Run) -> None:
    """Write on an exception which call of which run it comes from, unless it passed one before."""
    task, line = call.task, line_of(call)
    _name_culprit(error, task)
    where = "" if line is None else f", called at {line}"
    add_note(error, OriginNote(f"in task {task.name!r} of run {run.id!r}{where}"))


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
    if frame.run.journal is not None:
        return frame.run.journal.under_way(_start(frame, task, args, kwargs))
    return _start(frame, task, args, kwargs)


def _start(
    frame: Frame, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Start the chain from the cache, where the task has one, to the function."""
    if task.policies.cache is not None:
        from cascade.runtime.evaluation.caching import (  # noqa: PLC0415 - brings the codec, and most have none
            through_cache,
        )

        return through_cache(frame, task, args, kwargs, _compute)
    return _compute(frame, task, args, kwargs)


def _compute(
    frame: Frame, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Coroutine[Any, Any, Any]:
    """Start the chain from the journal, where there is one, to the function."""
    services = frame.run.services
    if services.admission.counted:  # the function before this one has ended
        services.admission.let_go(frame)
    if frame.run.journal is not None and task.role == "function":
        return _through_journal(frame, task, args, kwargs)
    return _admitted(frame, task, args, kwargs)


async def _through_journal(
    frame: Frame, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Run a task of a durable agent's step, unless it has run before a crash and its value was kept."""
    journal = frame.run.journal
    assert journal is not None  # noqa: S101 - that is why we are here
    place = journal.here()
    value = journal.value_of(place, task)
    if value is not NOT_JOURNALED:
        return value
    value = await _admitted(frame, task, args, kwargs)
    if type(value) not in CALL_TYPES:
        await journal.keep(place, task, value, now=task.policies.journal)
    return value


def _admitted(
    frame: Frame, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Coroutine[Any, Any, Any]:
    """Start the chain from admission to the function."""
    services = frame.run.services
    direct = task.is_direct and not services.overrides_builtin_resource
    work: _Work = _without_policies if direct else call_in_attempts
    is_held = services.admission.has_constraints and task.role == "function"
    if is_held or task.policies.demands:
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
    on_hold = partial(emit_throttled, run, task)
    ticket = await admission.acquire(task, run.id, on_hold, run.priority)
    before, here = held.set(ticket), position.get()
    admission.counted[here] = ticket
    try:
        return await _with_events(frame, task, args, kwargs, work)
    finally:
        held.reset(before)
        del admission.counted[here]
        admission.release(ticket)


async def _with_events(
    frame: Frame, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], work: _Work
) -> Any:
    """Run a task between the two events that tell of it, if anybody listens."""
    run = frame.run
    events, clock = run.services.events, run.loop.time
    if not events.listeners:
        return await work(frame, task, args, kwargs)
    started = clock()
    call = LazyResult(task, args, kwargs)
    events.emit(TaskStarted(run.id, started, task.name, call))
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
        duration = now - started
        events.emit(
            TaskFinished(run.id, now, task.name, outcome, duration, error=failure, call=call)
        )
