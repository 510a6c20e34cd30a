"""Small calls that steer others: `route` picks one of several, `param` reads a run's parameter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from cascade.interfaces.errors import InvalidTaskError, UnknownParameterError, near_name
from cascade.spec.identity import Sentinel
from cascade.spec.quoting import quote
from cascade.spec.resource import inject
from cascade.spec.task import Task

__all__ = ["ROUTE", "param", "route"]

K = TypeVar("K")
V = TypeVar("V")

_REQUIRED = Sentinel("cascade.spec.routing:_REQUIRED")


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


def param(name: str, default: Any = _REQUIRED) -> Any:
    """Stand for a parameter that the run is given: ``run(target, {"name": value})``.

    Raises:
        UnknownParameterError: at run time, where the run has no such parameter and no default is given.
    """
    return _PARAM(name, default)


def _param(name: str, default: object, params: Mapping[str, Any] = inject("params")) -> Any:
    if name in params:
        return params[name]
    if default is _REQUIRED:
        raise UnknownParameterError(name, params)
    return default


ROUTE: Task[..., Any] = Task(_route, name="route", mode="inline", role="choice")
_PARAM: Task[..., Any] = Task(_param, name="param", mode="inline", role="builtin")
