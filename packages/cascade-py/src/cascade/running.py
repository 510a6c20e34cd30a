"""``cs.run`` and ``cs.run_async``: run a target on an engine made for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, Unpack, overload

from cascade.interfaces.cache import Cache
from cascade.interfaces.errors import near_name
from cascade.interfaces.errors.frames import hide_own_frames
from cascade.interfaces.protocols import Connector, Executor, OverflowPolicy
from cascade.interfaces.store import Store
from cascade.runtime.engine import Engine
from cascade.runtime.observation.telemetry import TelemetrySettings
from cascade.runtime.options import RunOptions
from cascade.spec.resource import ResourceDefinition
from cascade.spec.task import Task
from cascade.termination import run_to_end

if TYPE_CHECKING:
    from cascade.runtime.evaluation.dry_run import DryRun

__all__ = ["EngineOptions", "Options", "check_no_loop_runs", "run", "run_async"]

R = TypeVar("R")


class EngineOptions(TypedDict, total=False):
    """What an `Engine` is made with; see there."""

    connector: Connector | str | None
    store: Store | str | PathLike[str] | None
    executor: Executor | str | None
    capacities: Mapping[str, float] | None
    cache: Cache | str | PathLike[str] | None
    max_queued: int
    overflow: OverflowPolicy
    seed: int | None
    shutdown_timeout: float
    telemetry: TelemetrySettings | bool


class Options(EngineOptions, RunOptions, total=False):
    """What `run` and `run_async` take beside a target and its parameters; ``name`` is the engine's as well."""

    resources: Sequence[ResourceDefinition[Any]]
    """Resources to register."""


@overload
def run(
    target: Any,
    params: Mapping[str, Any] | None = None,
    *,
    dry_run: Literal[True],
    **options: Unpack[Options],
) -> DryRun: ...
@overload
def run(
    target: Task[..., R],
    params: Mapping[str, Any] | None = None,
    *,
    dry_run: Literal[False] = False,
    **options: Unpack[Options],
) -> R: ...
@overload
def run(
    target: R,
    params: Mapping[str, Any] | None = None,
    *,
    dry_run: Literal[False] = False,
    **options: Unpack[Options],
) -> R: ...
def run(
    target: Any,
    params: Mapping[str, Any] | None = None,
    *,
    dry_run: bool = False,
    **options: Unpack[Options],
) -> Any:
    """Run a target in a script and return its value.

    Ctrl-C, SIGTERM and SIGHUP cancel it, and it ends when its resources are closed.

    Args:
        target: a call, a list, tuple or dict of calls, or a task.
        params: what `param` gives; for a task, its keyword arguments.
        dry_run: run nothing, and return what would run; see `Engine.run`.
        **options: those of `Engine` and of `Engine.run`, and ``resources``; see `Options`.

    Raises:
        RuntimeError: an event loop is running already; await `run_async` there.
        TypeError: an option has a name that nobody knows.
        SystemExit: SIGTERM came, with status 143, or SIGHUP, with 129.

    Examples:
        >>> import cascade as cs
        >>> @cs.task
        ... def double(x: int) -> int:
        ...     return 2 * x
        >>> cs.run(double(double(10)))
        40
    """
    _check_names(options)
    check_no_loop_runs("cs.run", "use 'await cs.run_async(...)' instead")
    try:
        given: Any = {**options, "dry_run": dry_run}
        return run_to_end(run_async(target, params, **given))
    except BaseException as error:
        hide_own_frames(error)
        raise


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
    target: Any,
    params: Mapping[str, Any] | None = None,
    *,
    dry_run: Literal[True],
    **options: Unpack[Options],
) -> DryRun: ...
@overload
async def run_async(
    target: Task[..., R],
    params: Mapping[str, Any] | None = None,
    *,
    dry_run: Literal[False] = False,
    **options: Unpack[Options],
) -> R: ...
@overload
async def run_async(
    target: R,
    params: Mapping[str, Any] | None = None,
    *,
    dry_run: Literal[False] = False,
    **options: Unpack[Options],
) -> R: ...
async def run_async(
    target: Any,
    params: Mapping[str, Any] | None = None,
    *,
    dry_run: bool = False,
    **options: Unpack[Options],
) -> Any:
    """Run a target inside a running event loop; everything else is as with `run`.

    Examples:
        >>> import asyncio
        >>> import cascade as cs
        >>> @cs.task
        ... def double(x: int) -> int:
        ...     return 2 * x
        >>> asyncio.run(cs.run_async(double(21)))
        42
    """
    _check_names(options)
    of_engine: Any = {name: value for name, value in options.items() if name in _ENGINE_OPTIONS}
    engine = Engine(name=options.get("name"), **of_engine)
    for definition in options.get("resources", ()):
        engine.register(definition)
    of_run: Any = {name: value for name, value in options.items() if name in _RUN_OPTIONS}
    try:
        if dry_run:
            return await engine.run(target, params, dry_run=True, **of_run)
        return await engine.run(target, params, **of_run)
    except BaseException as error:
        hide_own_frames(error)
        raise


_ENGINE_OPTIONS = frozenset(EngineOptions.__annotations__)
_RUN_OPTIONS = frozenset(RunOptions.__annotations__)


def _check_names(options: Mapping[str, Any]) -> None:
    for name in options:
        if name not in Options.__annotations__:
            near = near_name(name, Options.__annotations__)
            raise TypeError(f"cs.run and cs.run_async have no option {name!r}.{near}")
