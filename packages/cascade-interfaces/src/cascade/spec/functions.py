"""What can be known of a task's function by looking at it: is it async, its mode, its parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from inspect import Parameter
from typing import (
    TYPE_CHECKING,
    Any,
    NamedTuple,
    ParamSpec,
    Protocol,
    TypedDict,
    TypeVar,
    get_args,
    overload,
)

from cascade.interfaces.errors import InvalidTaskError, near_name
from cascade.interfaces.protocols import Mode
from cascade.spec.identity import Upgrade
from cascade.spec.resource import Inject, parameters_of

if TYPE_CHECKING:
    from cascade.spec.task import Task

__all__ = [
    "Parameters",
    "TaskDecorator",
    "TaskOptions",
    "checked_mode",
    "is_async_function",
    "look_at_parameters",
    "order_of_injections",
]


P = ParamSpec("P")
R = TypeVar("R")


class TaskOptions(TypedDict, total=False):
    """What ``@task(...)`` takes."""

    name: str | None
    """What to call it in messages, events and constraints; the function's own if left out."""

    mode: Mode | None
    """``async`` (the default of ``async def``): on the event loop; ``thread`` (the default of ``def``): in
    a worker thread, so that it blocks nobody; ``inline``: at once, inside the step, for short pure
    functions; ``process``: in a worker process, for heavy ones; ``remote``: where the engine's executor
    likes, such as on another machine; the default executor takes a process. The last two are for
    ``async def`` too, which then runs on an event loop of its own."""

    version: str | int | None
    """Another one makes it another task, whose values no cache has yet."""

    aliases: Iterable[str]
    """Ids that it had before, so that stored calls find it: ``module:name``, or a name in its module."""

    upgrade: Upgrade | None
    """``upgrade(version, arguments)`` gives the arguments of a stored call of an earlier version as they are
    now: plain data by name; it is given those names that the parameters had then."""


class TaskDecorator(Protocol):
    """What ``task(name=…)`` gives: a decorator for async and plain functions alike."""

    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> Task[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Task[P, R]: ...


def is_async_function(function: Callable[..., Any]) -> bool:
    """Return whether calling it gives a coroutine."""
    call = getattr(function, "__call__", None)  # noqa: B004 - an object whose call is async counts too
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


class Parameters(NamedTuple):
    """What a function takes."""

    positions: tuple[str, ...]
    """Names of those that may be given by position, in order."""

    names: frozenset[str]
    """Names of those that may be given by name."""

    needed: frozenset[str]
    """Names of those without a default."""

    counts: frozenset[int]
    """Numbers of arguments by position that are right without any by name; not all where any are."""

    most: float
    """Arguments by position that it takes at most; infinity for any number."""

    takes_any_name: bool

    defaults: Mapping[str, Any]
    """What stands in for those that are left out, but for resources."""

    known: set[tuple[object, ...]]
    """Shapes of arguments that were right, each their number by position and their names."""

    def check(self, task: str, args: Collection[Any], kwargs: Mapping[str, Any]) -> None:
        """Refuse arguments that the function would refuse, by their number and names.

        Raises:
            InvalidTaskError: a name is unknown or given twice, one is missing, or there are too many.
        """
        shape = (len(args), *kwargs)
        if shape in self.known:
            return
        by_position = self.positions[: len(args)]
        if len(args) > self.most:
            raise InvalidTaskError(
                f"{task}() takes {self.most} arguments by position, not {len(args)}"
            )
        for name in kwargs:
            if name in self.names and name in by_position:
                raise InvalidTaskError(f"{task}() got {name!r} by position and by name")
            if name not in self.names and not self.takes_any_name:
                near = near_name(name, self.names)
                raise InvalidTaskError(f"{task}() has no parameter {name!r}.{near}")
        missing = self.needed.difference(by_position, kwargs)
        if missing:
            raise InvalidTaskError(f"{task}() is missing {', '.join(map(repr, sorted(missing)))}")
        if len(self.known) < _KNOWN:
            self.known.add(shape)


_KNOWN = 64  # shapes of calls that are remembered for each task

_FOR_BOTH = ("process", "remote")  # where `async def` functions run too, each on a loop of its own

_MORE = 16  # arguments for ``*args`` that a call has without a closer look

_ANYTHING = Parameters(
    (),
    frozenset(),
    frozenset(),
    frozenset(range(_MORE)),
    float("inf"),
    takes_any_name=True,
    defaults={},
    known=set(),
)


def look_at_parameters(function: Callable[..., Any]) -> Parameters:
    """Return what a function takes; a built-in that does not say so takes anything."""
    try:
        inspect.signature(function)
    except ValueError:
        return _ANYTHING
    parameters = parameters_of(function)
    kinds = {each.kind for each in parameters}
    by_position = [each for each in parameters if each.kind <= Parameter.POSITIONAL_OR_KEYWORD]
    without_default = [
        each
        for each in parameters
        if each.default is Parameter.empty
        and each.kind not in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    ]
    some = len(by_position) + _MORE * (Parameter.VAR_POSITIONAL in kinds)
    by_name_alone = any(each.kind is Parameter.KEYWORD_ONLY for each in without_default)
    return Parameters(
        positions=tuple(each.name for each in by_position),
        names=frozenset(
            each.name
            for each in parameters
            if each.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
        ),
        needed=frozenset(each.name for each in without_default),
        counts=frozenset(() if by_name_alone else range(len(without_default), some + 1)),
        most=float("inf") if Parameter.VAR_POSITIONAL in kinds else len(by_position),
        takes_any_name=Parameter.VAR_KEYWORD in kinds,
        defaults={
            each.name: each.default
            for each in parameters
            if each.default is not Parameter.empty and not isinstance(each.default, Inject)
        },
        known=set(),
    )


def order_of_injections(
    positions: tuple[str, ...], injections: Mapping[str, Inject]
) -> tuple[int, tuple[str, ...] | None]:
    """Return before which position resources are asked for, and which, where nothing else follows."""
    asks_from = min(
        (positions.index(name) for name in injections if name in positions),
        default=len(positions),
    )
    asked = positions[asks_from:]
    in_line = injections.keys() == set(asked)
    return asks_from, tuple(injections[name].name for name in asked) if in_line else None


def checked_mode(
    name: str, function: Callable[..., Any], mode: Mode | None, *, is_async: bool
) -> Mode:
    """Return the mode that a task of this function has; by default the one that fits it.

    Raises:
        InvalidTaskError: it is no function, a generator function, or the mode does not fit it.
    """
    if not callable(function):
        raise InvalidTaskError(f"@task goes above a function, not above {function!r}")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise InvalidTaskError(
            f"the task {name!r} is a generator function; a task returns its value "
            "(a resource is what yields: use @resource)"
        )
    if mode is None:
        return "async" if is_async else "thread"
    if mode not in get_args(Mode):
        raise InvalidTaskError(
            f"the task {name!r} has mode {mode!r}; choose {', '.join(get_args(Mode))}"
        )
    if mode not in _FOR_BOTH and is_async != (mode == "async"):
        kind = "async def" if is_async else "def"
        raise InvalidTaskError(
            f"the task {name!r} is a plain '{kind}', which mode {mode!r} does not fit"
        )
    return mode
