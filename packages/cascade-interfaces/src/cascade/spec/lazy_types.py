"""Lazy results: a call of a task, kept as data until an engine runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from cascade.interfaces.errors import LazyUseError

if TYPE_CHECKING:
    from cascade.spec.task import Task

__all__ = ["LazyResult", "MappedLazyResult"]

R = TypeVar("R")

_SHOWN_DEPTH = 3  # a chain may be 20,000 calls deep: repr shows the outermost few


class LazyResult(Generic[R]):
    """A call of a task that has not happened yet. Treat it as frozen.

    Hand it to another task, return it from one (a tail call), or run it. Using it as if it were
    its value (in ``if``, iterated, compared, awaited, …) is a `LazyUseError` that says so.

    Attributes:
        task: what is called; its policies are ``task.policies``.
        args: positional arguments; lazies among them, also inside lists, tuples, dicts and
            dataclasses, are run first.
        kwargs: keyword arguments, likewise.
    """

    __slots__ = ("args", "kwargs", "task")

    def __init__(self, task: Task[..., R], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Keep the call; `Task.__call__` is the usual way to come here."""
        self.task = task
        self.args = args
        self.kwargs = kwargs

    def __repr__(self) -> str:
        """Show the call, as in ``total(fetch('a'), scale=2)``."""
        return _show(self, _SHOWN_DEPTH)

    __hash__ = object.__hash__

    def __getattr__(self, name: str) -> NoReturn:
        """Explain why the value's attribute is not here; dunder look-ups fail in the usual way."""
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        raise AttributeError(
            f"{self!r} is a lazy result and has no attribute {name!r}; run it first"
        )


class MappedLazyResult(LazyResult[list[R]]):
    """The call of `Task.map`: one call per item, all side by side, their values in a list."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Show the mapping, as in ``double.map([1, 2, 3])``."""
        return _show(self, _SHOWN_DEPTH)


def _show(value: object, depth: int) -> str:
    if not isinstance(value, LazyResult):
        return repr(value)
    name = value.task.name
    args, kwargs = value.args, value.kwargs
    if isinstance(value, MappedLazyResult):
        mapped, args, kwargs = args
        name = f"{mapped.name}.map"
    if depth == 0:
        return f"{name}(…)"
    shown = [_show(argument, depth - 1) for argument in args]
    shown += [f"{key}={_show(argument, depth - 1)}" for key, argument in kwargs.items()]
    return f"{name}({', '.join(shown)})"


def _trap(use: str) -> Callable[..., NoReturn]:
    def refuse(self: LazyResult[Any], *_: object) -> NoReturn:
        raise LazyUseError(repr(self), use)

    return refuse


_TRAPS = {
    "used as a condition": ["__bool__"],
    "iterated": ["__iter__", "__len__", "__contains__", "__getitem__", "__aiter__"],
    "compared": ["__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"],
    "awaited (return it from the task, or take it as an argument)": ["__await__"],
    "called": ["__call__"],
    "entered as a context": ["__enter__", "__aenter__"],
    "turned into a number": ["__int__", "__float__", "__index__"],
    "calculated with": [
        f"__{side}{operation}__"
        for operation in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or")
        for side in ("", "r")
    ],
}

for _use, _methods in _TRAPS.items():
    for _method in _methods:
        setattr(LazyResult, _method, _trap(_use))
