"""From a target to its value: a run carried from step to step until a value is no longer a lazy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import CoroutineType
from typing import Any

from cascade.interfaces.errors import CyclicGraphError, InvalidTaskError
from cascade.interfaces.topics import Filters
from cascade.runtime.graph import LAZY_TYPES, circle_in, find_lazies, resolve
from cascade.runtime.perform import begin, call_directly, note_failure
from cascade.runtime.run import Run
from cascade.runtime.step import Step
from cascade.spec.lazy_types import LazyResult
from cascade.spec.task import COLLECT, Task

__all__ = ["as_lazy", "execute"]

_DEEP = 64  # calls on the stack from which on a circle is looked for


def as_lazy(target: Any, params: Mapping[str, Any]) -> LazyResult[Any]:
    """Return a target as one lazy: a task is called with the parameters, a list becomes a list of values.

    Raises:
        InvalidTaskError: the target is nothing that can be run.
    """
    if type(target) in LAZY_TYPES:
        return target  # type: ignore[no-any-return]  # looked up by its very type
    if isinstance(target, (list, tuple)):
        return LazyResult(COLLECT, (target,), {})
    if isinstance(target, Task):
        return LazyResult(target, (), dict(params))
    raise InvalidTaskError(
        f"cannot run {target!r}: a target is a lazy result (call a task), a task, or a list or tuple of these"
    )


async def execute(  # noqa: C901, PLR0912 - one loop: a call for each part would cost more than the part
    run: Run, value: Any, listen: Sequence[Filters]
) -> Any:
    """Work out lazy after lazy until a value comes that is none; return it, with everything closed.

    A call that needs no other is called; one that needs a single other waits for it on a stack;
    only one that needs several is a graph, and takes a `Step`.
    """
    equipment = run.equipment
    tick = run.tick
    waiting: list[LazyResult[Any]] = []
    failure: BaseException | None = None
    try:
        for filters in listen:
            await run.open_mailbox(filters)
        while True:
            if type(value) in LAZY_TYPES:
                run.steps += not waiting
                lazy = value
                while len(needed := find_lazies(lazy)) == 1:
                    if lazy.task.prepare is not None:
                        await lazy.task.prepare(run, lazy)
                    waiting.append(lazy)
                    if len(waiting) >= _DEEP:
                        _check_for_circle(waiting)
                    lazy = needed[0]
                if needed:
                    value = await Step(run, lazy).evaluate()
                    continue
                args, kwargs = lazy.args, lazy.kwargs  # and nothing to prepare: it is its turn
            elif waiting:
                lazy = waiting.pop()
                args, kwargs = resolve(lazy, (value,))
            else:
                return value
            task = lazy.task
            try:
                if equipment.is_watched or not task.is_direct:
                    value = begin(run, task, args, kwargs)
                elif task.is_bare:
                    value = task.function(*args, **kwargs)
                else:
                    value = call_directly(run, task, args, kwargs)
                if type(value) is CoroutineType:
                    value = await value
            except Exception as error:
                note_failure(error, task, run)
                raise
            if tick() > run.next_breath:
                await run.breathe()
    except BaseException as error:
        failure = error
        raise
    finally:
        await run.close(failure)


def _check_for_circle(waiting: list[LazyResult[Any]]) -> None:
    """Look whether the call that was put on the stack last waits for itself.

    Raises:
        CyclicGraphError: it does.
    """
    depth = len(waiting)
    if not depth & (depth - 1):  # at powers of two: next to nothing per call
        circle = circle_in(waiting)
        if circle:
            raise CyclicGraphError(circle)
