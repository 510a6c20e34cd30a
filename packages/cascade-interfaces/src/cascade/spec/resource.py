"""Resources: what a task needs, and somebody else opens and closes."""

from __future__ import annotations

import inspect
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Generator,
    Hashable,
    Iterator,
    Mapping,
)
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeAlias, TypeVar, get_args, overload

from cascade.interfaces.errors import InvalidResourceError
from cascade.spec.identity import place_of, reference_to, standing_at

__all__ = [
    "BUILTIN_RESOURCES",
    "Inject",
    "ResourceDefinition",
    "ResourceMode",
    "Scope",
    "inject",
    "injections_of",
    "parameters_of",
    "resource",
]

T = TypeVar("T")

Scope: TypeAlias = Literal["task", "run", "engine"]
"""How long a resource lives, from the shortest: until the attempt of the task that asked ends, the
run, or the engine is closed."""

ResourceMode: TypeAlias = Literal["async", "thread", "inline"]
"""Where a resource opens and closes: on the event loop, in a worker thread, or at once on the loop."""

BUILTIN_RESOURCES = frozenset({"_frame", "_internal_connector", "clock", "params", "rng"})
"""Names that need no registering: what they stand for comes with every run."""

_Opener: TypeAlias = Callable[
    ..., Generator[T, None, None] | Iterator[T] | AsyncGenerator[T, None] | AsyncIterator[T]
]


@dataclass(frozen=True, slots=True)
class ResourceDefinition(Generic[T]):
    """A generator function that opens a resource, yields it once, and closes it.

    Examples:
        >>> import cascade as cs
        >>> @cs.resource(scope="engine")
        ... def database():
        ...     yield "open"
        >>> database.name, database.scope
        ('database', 'engine')
    """

    name: str
    function: Callable[..., Any]
    scope: Scope
    mode: ResourceMode
    injections: Mapping[str, Inject]
    """What it needs itself, by parameter name."""

    cache_key: Hashable = None
    """What the values of cached tasks that use it are told apart by; None: they are not cached."""

    def __reduce__(self) -> tuple[Callable[[str], Any], tuple[str]]:
        """Pickle by place, as functions are."""
        return standing_at, (reference_to(self, place_of(self.function)),)

    def __call__(self, *_args: object, **_kwargs: object) -> None:
        """Explain how a resource is used: it is not called."""
        raise InvalidResourceError(
            f"the resource {self.name!r} is not called; register it with engine.register(...) "
            f"and ask for it with a parameter: def task(it=cs.inject({self.name!r}))"
        )


@dataclass(frozen=True, slots=True)
class Inject:
    """Stands as a parameter's default: fill in the resource of that name."""

    name: str
    definition: ResourceDefinition[Any] | None = None
    """What opens it where nothing is registered under the name."""


def inject(wanted: str | ResourceDefinition[T]) -> Any:
    """Ask for a resource, as the default of a task's or a resource's parameter.

    Args:
        wanted: the resource's name, or its definition. A name must be registered with the engine; a
            definition need not be, and gives way to what is registered under its name.

    Examples:
        >>> from cascade.spec.task import task
        >>> @task
        ... def names(db=inject("db")):
        ...     return db.names()
    """
    if isinstance(wanted, ResourceDefinition):
        return Inject(wanted.name, wanted)
    return Inject(wanted)


def injections_of(function: Callable[..., Any]) -> dict[str, Inject]:
    """Return what the parameters ask for, by parameter name."""
    parameters = parameters_of(function)
    return {p.name: p.default for p in parameters if isinstance(p.default, Inject)}


def parameters_of(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return a function's parameters; a built-in that does not tell its own has none."""
    try:
        return list(inspect.signature(function).parameters.values())
    except ValueError:
        return []


@overload
def resource(function: _Opener[T], /) -> ResourceDefinition[T]: ...
@overload
def resource(
    *,
    name: str | None = None,
    scope: Scope = "run",
    mode: ResourceMode | None = None,
    cache_key: Hashable = None,
) -> Callable[[_Opener[T]], ResourceDefinition[T]]: ...
def resource(
    function: _Opener[T] | None = None,
    /,
    *,
    name: str | None = None,
    scope: Scope = "run",
    mode: ResourceMode | None = None,
    cache_key: Hashable = None,
) -> ResourceDefinition[T] | Callable[[_Opener[T]], ResourceDefinition[T]]:
    """Turn a generator function, sync or async, into a resource definition.

    What stands before its ``yield`` opens, what stands after closes; put the ``yield`` into
    ``try/finally`` and the closing happens on failure and cancellation too, with the exception
    thrown in at the ``yield``. It opens and closes in an asyncio task and a context of its own, so that
    cancel scopes and context variables may be entered before the ``yield`` and left after it.

    Args:
        function: the generator function; yields exactly once.
        name: the name to inject it by; the function's own if left out.
        scope: ``"run"``: opens at first need, closes when the run ends; ``"task"``: opened for
            each attempt of a task that asks, closed when that ends; ``"engine"``: opens at first
            need, closes when the engine does.
        mode: ``"async"`` (for ``async def``): opens and closes on the event loop; ``"thread"`` (the
            default of ``def``): in a worker thread, so that it blocks nobody, like a plain task;
            ``"inline"``: at once on the event loop, for a plain generator that never waits.
        cache_key: stands for the resource in the keys of cached tasks that use it, such as the
            address of a database; without one such a task is not cached.

    Raises:
        InvalidResourceError: it is not a generator function, the scope is unknown, or the mode does
            not fit it.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> @resource(scope="task")
        ... def folder():
        ...     with TemporaryDirectory() as name:
        ...         yield name
        >>> folder.scope, folder.mode
        ('task', 'thread')
    """
    if scope not in get_args(Scope):
        raise InvalidResourceError(
            f"a resource's scope is 'task', 'run' or 'engine', not {scope!r}"
        )

    def define(opener: _Opener[T]) -> ResourceDefinition[T]:
        own = name or str(getattr(opener, "__name__", opener))
        fitting = _mode_of(opener, mode)
        return ResourceDefinition(own, opener, scope, fitting, injections_of(opener), cache_key)

    return define if function is None else define(function)


def _mode_of(opener: Callable[..., Any], mode: ResourceMode | None) -> ResourceMode:
    """Return the mode that was asked for, or the one that fits.

    Raises:
        InvalidResourceError: it is no generator function, or the mode does not fit it.
    """
    is_async = inspect.isasyncgenfunction(opener)
    shown = getattr(opener, "__qualname__", repr(opener))
    if not is_async and not inspect.isgeneratorfunction(opener):
        raise InvalidResourceError(
            f"the resource {shown} is not a generator function; "
            "open, then 'yield' what tasks get, then close"
        )
    fitting: tuple[ResourceMode, ...] = ("async",) if is_async else ("thread", "inline")
    if mode is None:
        return fitting[0]
    if mode not in fitting:
        kind = "async def" if is_async else "def"
        raise InvalidResourceError(
            f"the resource {shown} is a generator by {kind!r}, which mode {mode!r} does not fit; "
            f"choose {' or '.join(map(repr, fitting))}"
        )
    return mode
