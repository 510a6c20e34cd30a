"""Small calls that steer others: `route` picks one of several, `param` reads a run's parameter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, overload

from cascade.interfaces.errors import InvalidTaskError, UnknownParameterError, near_name
from cascade.spec.identity import Sentinel
from cascade.spec.inputs import InputKind, converted
from cascade.spec.quoting import quote
from cascade.spec.resource import inject
from cascade.spec.task import Task

__all__ = ["PARAM", "REQUIRED", "ROUTE", "param", "route"]

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")

REQUIRED = Sentinel("cascade.spec.routing:REQUIRED")


def route(selector: K, routes: Mapping[K, V]) -> V:
    """Run only the branch that the selector's value names.

    Args:
        selector: a value, or a call that gives one.
        routes: from each possible value to the call to evaluate (or the value to give) for it.

    Raises:
        InvalidTaskError: at run time, where no branch has the selector's value.

    Examples:
        >>> from cascade.spec.task import task
        >>> @task
        ... def kind(path: str) -> str:
        ...     return path.rpartition(".")[2]
        >>> route(kind("a.csv"), {"csv": kind("read a table"), "txt": kind("read a text")})
        route(kind('a.csv'), …)
    """
    return ROUTE(selector, quote(dict(routes)))  # type: ignore[no-any-return] # a call for a V


def _route(selector: Any, routes: dict[Any, Any]) -> Any:
    if selector not in routes:
        known = ", ".join(map(repr, routes))
        near = near_name(str(selector), map(str, routes))
        raise InvalidTaskError(f"no route for {selector!r}; there are {known}.{near}")
    return routes[selector]


@overload
def param(name: str, *, type: type[T], description: str = "") -> T: ...
@overload
def param(name: str, default: T, *, type: type[T], description: str = "") -> T: ...
@overload
def param(name: str, default: Any = ..., *, type: Any = None, description: str = "") -> Any: ...
def param(
    name: str,
    default: Any = REQUIRED,
    *,
    type: Any = None,  # noqa: A002 - what people call it
    description: str = "",
) -> Any:
    """Stand for a parameter that the run is given: ``run(target, {"name": value})``.

    Args:
        name: what it is given by; on the command line ``--name``.
        default: its value where it is not given; a call is evaluated all the same.
        type: what it is: `int`, `bool`, ``list[int]``, a date, an enumeration, a dataclass. Text and plain
            data become that.
        description: what the command line says about it.

    Raises:
        UnknownParameterError: at run time, where the run has no such parameter and no default is given.
        InvalidInputError: at run time, where it is not of its type.

    Examples:
        >>> param("count", 1, type=int)
        param('count', 1, type=int)
    """
    given: dict[str, Any] = {} if type is None else {"type": InputKind(type)}
    if description:
        given["description"] = description
    return PARAM(name, **given) if default is REQUIRED else PARAM(name, default, **given)


def _param(
    name: str,
    default: object = REQUIRED,
    type: InputKind | None = None,  # noqa: A002 - as `param` has it
    description: str = "",  # noqa: ARG001 - for who reads the call
    params: Mapping[str, Any] = inject("params"),
) -> Any:
    if name in params:
        value = params[name]
        return (
            value if type is None else converted(value, type.annotation, f"the parameter {name!r}")
        )
    if default is REQUIRED:
        raise UnknownParameterError(name, params)
    return default


ROUTE: Task[..., Any] = Task(_route, name="route", mode="inline", role="choice")
PARAM: Task[..., Any] = Task(_param, name="param", mode="inline", role="builtin")
"""Reads a parameter; its arguments are those of `param`."""
