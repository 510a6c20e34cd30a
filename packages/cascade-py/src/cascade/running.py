"""``cs.run`` and ``cs.run_async``: run a target on an engine made for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, TypeVar, Unpack, overload

from cascade.interfaces.protocols import Connector
from cascade.runtime.engine import Engine
from cascade.spec.resource import ResourceDefinition
from cascade.spec.task import Task

__all__ = ["Options", "check_no_loop_runs", "run", "run_async"]

R = TypeVar("R")


class Options(TypedDict, total=False):
    """What `run` and `run_async` take beside a target and its parameters."""

    connector: Connector | None
    """For `recv` and `send`; none by default."""

    resources: Sequence[ResourceDefinition[Any]]
    """Resources to register."""

    listen: Sequence[str | Sequence[str]]
    """Filters on which signals are kept from the start; see `Engine.run`."""


@overload
def run(
    target: Task[..., R], params: Mapping[str, Any] | None = None, **options: Unpack[Options]
) -> R: ...
@overload
def run(target: R, params: Mapping[str, Any] | None = None, **options: Unpack[Options]) -> R: ...
def run(target: Any, params: Mapping[str, Any] | None = None, **options: Unpack[Options]) -> Any:
    """Run a target in a script and return its value.

    Args:
        target: a call, a list or tuple of calls, or a task.
        params: what `param` gives; for a task, its keyword arguments.
        **options: ``connector``, ``resources`` and ``listen``; see `Options`.

    Raises:
        RuntimeError: an event loop is running already; await `run_async` there.

    Examples:
        >>> import cascade as cs
        >>> @cs.task
        ... def double(x: int) -> int:
        ...     return 2 * x
        >>> cs.run(double(double(10)))
        40
    """
    check_no_loop_runs("cs.run", "use 'await cs.run_async(...)' instead")
    return asyncio.run(run_async(target, params, **options))


def check_no_loop_runs(caller: str, instead: str) -> None:
    """Refuse to start an event loop where one is running already, and say what to do instead."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(
        f"{caller}(...) starts an event loop of its own, and one is running here already; {instead}"
    )


@overload
async def run_async(
    target: Task[..., R], params: Mapping[str, Any] | None = None, **options: Unpack[Options]
) -> R: ...
@overload
async def run_async(
    target: R, params: Mapping[str, Any] | None = None, **options: Unpack[Options]
) -> R: ...
async def run_async(
    target: Any, params: Mapping[str, Any] | None = None, **options: Unpack[Options]
) -> Any:
    """Run a target inside a running event loop; everything else is as with `run`."""
    engine = Engine(connector=options.get("connector"))
    for definition in options.get("resources", ()):
        engine.register(definition)
    return await engine.run(target, params, listen=options.get("listen", ()))
