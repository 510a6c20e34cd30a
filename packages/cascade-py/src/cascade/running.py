"""``cs.run`` and ``cs.run_async``: run a target on an engine made for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, overload

from cascade.interfaces.protocols import Connector
from cascade.runtime.engine import Engine
from cascade.spec.resource import ResourceDefinition
from cascade.spec.task import Task

__all__ = ["run", "run_async"]

R = TypeVar("R")


@overload
def run(
    target: Task[..., R],
    params: Mapping[str, Any] | None = None,
    *,
    connector: Connector | None = None,
    resources: Sequence[ResourceDefinition[Any]] = (),
    listen: Sequence[str | Sequence[str]] = (),
) -> R: ...
@overload
def run(
    target: R,
    params: Mapping[str, Any] | None = None,
    *,
    connector: Connector | None = None,
    resources: Sequence[ResourceDefinition[Any]] = (),
    listen: Sequence[str | Sequence[str]] = (),
) -> R: ...
def run(
    target: Any,
    params: Mapping[str, Any] | None = None,
    *,
    connector: Connector | None = None,
    resources: Sequence[ResourceDefinition[Any]] = (),
    listen: Sequence[str | Sequence[str]] = (),
) -> Any:
    """Run a target in a script and return its value.

    Args:
        target: a lazy result, a list or tuple of lazies, or a task.
        params: what `param` gives; for a task, its keyword arguments.
        connector: for `recv` and `send`; none by default.
        resources: resources to register.
        listen: filters on which signals are kept from the start; see `Engine.run`.

    Raises:
        RuntimeError: an event loop is running already; await `run_async` there.

    Example:
        >>> import cascade as cs
        >>> @cs.task
        ... def double(x: int) -> int:
        ...     return 2 * x
        >>> cs.run(double(double(10)))
        40
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        raise RuntimeError(
            "cs.run(...) starts an event loop of its own, and one is running here already; "
            "use 'await cs.run_async(...)' instead"
        )
    return asyncio.run(
        run_async(target, params, connector=connector, resources=resources, listen=listen)
    )


@overload
async def run_async(
    target: Task[..., R],
    params: Mapping[str, Any] | None = None,
    *,
    connector: Connector | None = None,
    resources: Sequence[ResourceDefinition[Any]] = (),
    listen: Sequence[str | Sequence[str]] = (),
) -> R: ...
@overload
async def run_async(
    target: R,
    params: Mapping[str, Any] | None = None,
    *,
    connector: Connector | None = None,
    resources: Sequence[ResourceDefinition[Any]] = (),
    listen: Sequence[str | Sequence[str]] = (),
) -> R: ...
async def run_async(
    target: Any,
    params: Mapping[str, Any] | None = None,
    *,
    connector: Connector | None = None,
    resources: Sequence[ResourceDefinition[Any]] = (),
    listen: Sequence[str | Sequence[str]] = (),
) -> Any:
    """Run a target inside a running event loop; everything else is as with `run`."""
    engine = Engine(connector=connector)
    for definition in resources:
        engine.register(definition)
    return await engine.run(target, params, listen=listen)
