"""What the arguments of a task are, by its annotations."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from types import GenericAlias, SimpleNamespace
from typing import Any, NamedTuple, Union, Unpack, get_args, get_origin, get_type_hints

from cascade.spec.identity import owner_of
from cascade.spec.lazy_types import LazyResult
from cascade.spec.resource import parameters_of
from cascade.spec.routing import ROUTE
from cascade.spec.task import BoundTask, DerivedTask, Task

__all__ = ["Each", "Keyed", "Kinds", "Unreadable", "kind_of", "kinds_of"]


class Each:
    """The kind of a tuple whose items have kinds of their own, by position."""

    def __init__(self, items: tuple[Any, ...], more: Any) -> None:
        """Keep the kinds, and that of all further items."""
        self.items = items
        self.more = more


class Keyed:
    """The kind of a dict whose values have kinds of their own, by key."""

    def __init__(self, values: Mapping[str, Any], more: Any) -> None:
        """Keep the kinds, and that of all other values."""
        self.values = values
        self.more = more


class Unreadable:
    """The kind of a parameter whose annotation names what is not there."""

    def __init__(self, reason: str) -> None:
        """Keep what Python says of it."""
        self.reason = reason


class Kinds(NamedTuple):
    """What a call's arguments are."""

    by_position: tuple[tuple[str, Any], ...]
    """Names and kinds of the parameters that may be given by position."""

    more: tuple[str, Any]
    """The name and kind of all further arguments by position."""

    by_name: Mapping[str, Any]
    more_by_name: Any

    def at(self, position: int) -> tuple[str, Any]:
        """Return for an argument by position how its place is called, and its kind."""
        if position < len(self.by_position):
            return self.by_position[position]
        name, kind = self.more
        return f"{name}[{position - len(self.by_position)}]", kind

    def of(self, name: str) -> Any:
        """Return the kind of an argument by name."""
        return self.by_name.get(name, self.more_by_name)


def kinds_of(task: Task[..., Any], first: Any) -> Kinds:
    """Return what a task's arguments are; of a mapping and a choice the first one says what the others are."""
    if task.base.role == "mapping" and isinstance(first, Task):
        return _of_mapping(first)
    kinds = _of_parameters(task.base)
    if task.base is ROUTE and isinstance(first, LazyResult):
        routes = ("routes", _routes_by(first.task.base))
        return kinds._replace(by_position=(kinds.by_position[0], routes))
    return kinds


@lru_cache(maxsize=1024)
def _routes_by(task: Task[..., Any]) -> Any:
    """Return what routes are whose keys are a task's values, or what JSON has."""
    try:
        returned = inspect.signature(task.function).return_annotation
    except ValueError:  # a built-in that does not tell
        returned = Any
    kind = kind_of(returned, task.function)
    key = Any if isinstance(kind, Unreadable) else Union[kind, Any]  # noqa: UP007 - known at run time only
    return GenericAlias(dict, (key, Any))


def _of_mapping(mapped: Task[..., Any]) -> Kinds:
    """Return what a mapping is given: columns of what the mapped task takes."""
    given = 0
    while isinstance(mapped, DerivedTask):
        given += isinstance(mapped, BoundTask)
        mapped = mapped.task
    return _of_columns(mapped.base, given)


@lru_cache(maxsize=1024)
def _of_columns(task: Task[..., Any], given: int) -> Kinds:
    """Return the same for a task some of whose first arguments are given."""
    kinds = _of_parameters(task)
    columns = tuple(_column_of(kind) for _, kind in kinds.by_position[given:])
    by_name = {name: _column_of(kind) for name, kind in kinds.by_name.items()}
    return Kinds(
        by_position=(
            ("task", Any),
            ("iterables", Each(columns, _column_of(kinds.more[1]))),
            ("iterables", Keyed(by_name, _column_of(kinds.more_by_name))),
            ("same", Keyed(kinds.by_name, kinds.more_by_name)),
        ),
        more=("", Any),
        by_name={},
        more_by_name=Any,
    )


def _column_of(kind: Any) -> Any:
    return GenericAlias(Iterable, (kind,))


@lru_cache(maxsize=1024)
def _of_parameters(task: Task[..., Any]) -> Kinds:
    function = task.function
    by_position: list[tuple[str, Any]] = []
    by_name: dict[str, Any] = {}
    more: tuple[str, Any] = ("", Any)
    more_by_name: Any = Any
    for each in parameters_of(function):
        kind = kind_of(each.annotation, function)
        if each.kind is each.VAR_POSITIONAL:
            more = (each.name, kind)
        elif each.kind is each.VAR_KEYWORD and get_origin(kind) is Unpack:
            by_name.update(get_type_hints(get_args(kind)[0]))
        elif each.kind is each.VAR_KEYWORD:
            more_by_name = kind
        else:
            by_name[each.name] = kind
            if each.kind is not each.KEYWORD_ONLY:
                by_position.append((each.name, kind))
    if by_position and by_position[0][1] is Any:
        by_position[0] = (by_position[0][0], _owner_of_method(task))
    return Kinds(tuple(by_position), more, by_name, more_by_name)


def _owner_of_method(task: Task[..., Any]) -> Any:
    """Return the class that a method's first argument is of; anything, if the task is no method."""
    owner = owner_of(task.id)
    if isinstance(owner, type) and task in vars(owner).values():
        return owner
    return Any


def kind_of(annotation: Any, function: Callable[..., Any]) -> Any:
    """Return what an annotation of a function says; `Unreadable` where it names what is not there."""
    if annotation is inspect.Signature.empty:
        return Any
    space = getattr(inspect.unwrap(function), "__globals__", {})
    holder: Any = SimpleNamespace(__annotations__={"it": annotation})
    try:
        return get_type_hints(holder, space, include_extras=True)["it"]
    except (NameError, AttributeError, TypeError) as error:
        return Unreadable(str(error))
