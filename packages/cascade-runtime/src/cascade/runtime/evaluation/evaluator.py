"""From a target to its value: a trampoline that goes from step to step until a value is no call.

The stack is explicit, so neither a long chain of calls nor a long life of tail calls costs any of
Python's::

               a call that needs one other: push it, go on with the other
                    ┌──────┐
                    ▼      │                 a call that needs several
    target ──▶ next call ──┴──────────────▶ `GraphScheduler` runs its graph ─┐
                    ▲      │                                                 │
                    │      └─ needs nothing: call its function ──▶ value ◀───┘
                    │                                               │
                    ├────────── the value is a call: a tail call ───┤
                    └─ else: pop the call that waits for it ────────┤
                                                                    ▼
                                                     nobody waits: the run's value
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import CoroutineType
from typing import Any

from cascade.interfaces.errors import CyclicGraphError, InvalidTaskError
from cascade.runtime.evaluation.arguments import (
    find_calls,
    resolve,
    with_calls_evaluated,
)
from cascade.runtime.evaluation.attempts import awaited
from cascade.runtime.evaluation.invocation import call_directly, invoke, note_failure
from cascade.runtime.evaluation.plan import cycle_in
from cascade.runtime.evaluation.scheduler import GraphScheduler
from cascade.runtime.observation.events import Outcome, RunFinished, RunStarted
from cascade.runtime.state.agent import Agent, Frame
from cascade.runtime.state.position import position
from cascade.spec.containers import ATOMS, CALL_TYPES
from cascade.spec.lazy_types import LazyResult
from cascade.spec.quoting import Quoted
from cascade.spec.roles import GATHERING
from cascade.spec.task import COLLECT, Task

__all__ = ["as_call", "evaluate", "evaluate_and_tell", "evaluate_in"]

_SETTLED = ATOMS | CALL_TYPES  # values that hold no calls, or are one

_DEEP = 64  # calls on the stack from which on a cycle is looked for


def as_call(target: Any, params: Mapping[str, Any]) -> LazyResult[Any]:
    """Return a target as one call: a task is called with the parameters, a list becomes one of values.

    Raises:
        InvalidTaskError: the target is nothing that can be run.
    """
    if type(target) in CALL_TYPES:
        return target  # type: ignore[no-any-return]  # looked up by its very type
    if isinstance(target, (list, tuple, dict)):
        return LazyResult(COLLECT, (target,), {})
    if isinstance(target, Task):
        return LazyResult(target, (), dict(params))
    raise InvalidTaskError(
        f"cannot run {target!r}: a target is a call of a task, a task, or a list, tuple or dict of these"
    )


async def evaluate(agent: Agent, target: LazyResult[Any]) -> Any:
    """Return the value of a run's target, with everything of the run closed."""
    run = agent.run
    failure: BaseException | None = None
    try:
        if target.task.role not in GATHERING:  # a list or a mapping has no mailbox of its own
            for filters in run.listen:
                await agent.listen(filters)
        if run.listen:  # so do all runs that begin in this turn, before the first speaks
            await asyncio.sleep(0)
        return await evaluate_in(agent, target)
    except BaseException as error:
        failure = error
        raise
    finally:
        try:
            if agent.has_mailbox:
                await agent.close()
        finally:
            if run.has_resources:
                await run.close(failure)


async def evaluate_and_tell(agent: Agent, target: LazyResult[Any], shown: str) -> Any:
    """Return the value of a run's target, between the two events that tell of the run."""
    run = agent.run
    events, clock = run.services.events, run.loop.time
    events.emit(RunStarted(run.id, clock(), shown))
    outcome: Outcome = "failed"
    failure: BaseException | None = None
    try:
        value = await evaluate(agent, target)
        outcome = "succeeded"
        return value
    except asyncio.CancelledError as error:
        outcome, failure = "cancelled", error
        raise
    except BaseException as error:
        failure = error
        raise
    finally:
        events.emit(RunFinished(run.id, clock(), outcome, agent.steps, failure, run.unread))


async def evaluate_in(frame: Frame, value: Any) -> Any:
    """Return a call's value, evaluated in a frame that begins and ends with it."""
    before, services = position.set(frame), frame.run.services
    services.frames.add(frame)
    try:
        return await evaluate_call(frame, value)
    finally:
        frame.at = None
        services.frames.discard(frame)
        if services.admission.counted:
            services.admission.let_go(frame)
        position.reset(before)


async def evaluate_call(  # noqa: C901, PLR0912 - one loop: a call for each part would cost more than the part
    frame: Frame, value: Any
) -> Any:
    """Evaluate call after call until a value is none, and return that.

    A call that needs no other is called; one that needs a single other waits for it on a stack;
    only one that needs several is a graph, and takes a `GraphScheduler`.
    """
    services, waiting, time_slice = frame.run.services, frame.waiting, frame.agent.time_slice
    tick = time_slice.tick
    while True:
        if type(value) in CALL_TYPES:
            if waiting:
                frame.hops += 1
            else:
                if frame.checkpoint is not None:
                    await frame.checkpoint(value)
                frame.steps, frame.hops = frame.steps + 1, 0
            call = value
            while len(needed := find_calls(call)) == 1:
                if type(needed[0]) is Quoted or call.task.needs_scheduler:
                    break
                waiting.append(call)
                if len(waiting) >= _DEEP:
                    _check_for_cycle(waiting)
                call = needed[0]
            if not needed:  # and nothing to prepare: it is its turn
                args, kwargs = call.args, call.kwargs
            elif len(needed) > 1 or call.task.needs_scheduler:
                value = await GraphScheduler(frame, call).evaluate()
                continue
            else:  # a quoted value, which is there already
                args, kwargs = resolve(call, (needed[0].value,))
        elif waiting:
            call = waiting.pop()
            args, kwargs = resolve(call, (value,))
        else:
            return value
        task, frame.at = call.task, call
        try:
            if services.needs_slow_path or not task.is_direct:
                value = invoke(frame, task, args, kwargs)
            elif task.is_bare:  # what `invoke` does too, for a call less in each step
                value = task.function(*args, **kwargs)
            else:
                value = call_directly(frame, task, args, kwargs)
            if type(value) is CoroutineType:
                value = await value
            if type(value) not in _SETTLED:
                value = with_calls_evaluated(await awaited(value), task)
        except Exception as error:
            note_failure(error, call, frame.run)
            raise
        if tick() > time_slice.ends_at:
            await time_slice.yield_to_loop()


def _check_for_cycle(waiting: list[LazyResult[Any]]) -> None:
    """Look whether the call that was put on the stack last waits for itself.

    Raises:
        CyclicGraphError: it does.
    """
    depth = len(waiting)
    if not depth & (depth - 1):  # at powers of two: next to nothing per call
        cycle = cycle_in(waiting)
        if cycle:
            raise CyclicGraphError(cycle)
