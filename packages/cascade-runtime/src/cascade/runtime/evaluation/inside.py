"""What a task's function may ask of the evaluation that called it: ``cs.current``, ``cs.evaluate``."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import Context, copy_context
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from cascade.interfaces.errors import InvalidTaskError
from cascade.interfaces.executor import Current
from cascade.runtime.admission.ticket import Ticket, held
from cascade.runtime.concurrency.thread_call import current_thread_call
from cascade.runtime.evaluation.graph import Node
from cascade.runtime.signals.source import Signal
from cascade.runtime.state.agent import Frame, NestedFrame
from cascade.runtime.state.position import (
    Elsewhere,
    Position,
    call_id_of,
    frame_of,
    place_of,
    position,
)
from cascade.spec.lazy_types import LazyResult
from cascade.spec.task import COLLECT, NO_KWARGS, Task

__all__ = ["Current", "context_for_thread", "current", "evaluate"]

T = TypeVar("T")


@dataclass(slots=True)
class _InThread:
    """The position of a function in a worker thread: it stays, where its caller goes on without it."""

    frame: Frame
    at: Any
    attempt: int
    evaluations: int
    current: Current
    taken: list[Signal] | None = None

    def is_cancelled(self) -> bool:
        """Return whether the caller has gone on without it."""
        return _is_cancelled()


def context_for_thread() -> Context:
    """Return a copy of this context in which `current` is always what it is here, now."""
    here = position.get()
    fixed = _InThread(here.frame, here.at, here.attempt, here.evaluations, current())
    context = copy_context()
    context.run(position.set, fixed)
    return context


def current() -> Current:
    """Return what run, agent, task, step and attempt a task's function is called for.

    Its ``call_id`` is a key to make an effect happen once, however often the call is attempted.

    Raises:
        RuntimeError: no task is under way here.

    Examples:
        >>> import cascade as cs
        >>> @cs.task
        ... async def who() -> str:
        ...     return cs.current().agent
        >>> cs.run([who(), who()], name="pair")
        ['pair/0', 'pair/1']
    """
    here = _here("cs.current()")
    if isinstance(here, (_InThread, Elsewhere)):
        return replace(here.current, cancelled=here.is_cancelled())
    frame, task = frame_of(here), _task_of(here)
    agent = frame.agent
    return Current(
        frame.run.id,
        agent.name,
        task.id,
        max(1, agent.steps),
        here.attempt,
        call_id_of(here),
        _is_cancelled(),
    )


async def evaluate(call: T) -> T:
    """Evaluate a call inside an ``async def`` task, in the same run and by the same agent.

    It is a graph of its own, evaluated afresh each time; so an agent may be a loop as well as a
    chain of tail calls. It works in the task's own coroutine and in asyncio tasks that this one has
    started, until the function returns.

    Args:
        call: a call, or a list, tuple or dict with some.

    Raises:
        RuntimeError: no task is under way here, or it is not on the engine's event loop.
        InvalidTaskError: it is given no call.
        Exception: whatever the call raises.

    Examples:
        >>> import cascade as cs
        >>> @cs.task(mode="inline")
        ... def double(x: int) -> int:
        ...     return 2 * x
        >>> @cs.task
        ... async def grow(limit: int) -> int:
        ...     x = 1
        ...     while x < limit:
        ...         x = await cs.evaluate(double(x))
        ...     return x
        >>> cs.run(grow(100))
        128
    """
    target: Any = call
    if not isinstance(call, (LazyResult, list, tuple, dict)):
        raise InvalidTaskError(f"cs.evaluate takes a call of a task, not {call!r}")
    if not isinstance(call, LazyResult):
        target = LazyResult(COLLECT, (call,), NO_KWARGS)
    here = _here("cs.evaluate(...)")
    if (
        isinstance(here, (_InThread, Elsewhere))
        or asyncio.get_running_loop() is not frame_of(here).run.loop
    ):
        raise RuntimeError("cs.evaluate(...) works on the event loop of the engine alone")
    outer, place = frame_of(here), place_of(here)
    here.evaluations += 1
    inner = NestedFrame(outer, f"{place}e{here.evaluations}/")
    inner.taken, inner.awaited_by = here.taken, here
    services = outer.run.services
    ticket = held.get() or services.admission.counted.get(here)
    evaluation = services.evaluate(inner, target)
    if ticket is None or ticket.controller is not services.admission:
        return await evaluation  # type: ignore[no-any-return]  # its value
    return await _suspended(ticket, evaluation)  # type: ignore[no-any-return]  # its value


async def _suspended(ticket: Ticket, evaluation: Coroutine[Any, Any, Any]) -> Any:
    """Await an evaluation; meanwhile whoever awaits it does not count as running."""
    ticket.controller.suspend(ticket)
    try:
        value = await evaluation
    except Exception:
        await ticket.controller.resume(ticket)
        raise
    await ticket.controller.resume(ticket)
    return value


def _here(what: str) -> Position:
    here = position.get(None)
    if here is None or here.at is None:
        raise RuntimeError(
            f"{what} works inside a task's function, until it returns; here no task is under way"
        )
    return here


def _task_of(here: Position) -> Task[..., Any]:
    """Return the task of the call that is under way."""
    call: LazyResult[Any] = here.at.call if isinstance(here.at, Node) else here.at
    return call.task


def _is_cancelled() -> bool:
    """Return whether a thread's caller has gone on without it, or the asyncio task was asked to stop."""
    call = current_thread_call()
    if call is not None and call.cancelled:
        return True
    try:
        asking = asyncio.current_task()
    except RuntimeError:  # a worker thread
        return False
    return asking is not None and asking.cancelling() > 0
