"""Calls of tasks, kept as data until an engine evaluates them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar

from cascade.interfaces.errors import LazyUseError
from cascade.interfaces.errors.frames import line_of_caller

if TYPE_CHECKING:
    from cascade.spec.task import Task

__all__ = ["LazyResult", "MappedLazyResult", "line_of"]

R = TypeVar("R")

_KEEPS_LINES = bool(os.environ.get("CASCADE_DEBUG"))  # else no call pays for it

_SHOWN_DEPTH = 3  # a chain may be 20,000 calls deep: repr shows the outermost few
_SHOWN_ITEMS = 8  # a list of calls may be long too: repr shows the first few


class LazyResult(Generic[R]):
    """A call of a task that has not happened yet. Treat it as frozen.

    Hand it to another task, return it from one (a tail call), or run it. Using it as if it were
    its value (in ``if``, iterated, compared, awaited, …) is a `LazyUseError` that says so.

    Attributes:
        task: what is called; its policies are ``task.policies``.
        args: positional arguments; calls among them, also inside lists, tuples, dicts and
            dataclasses, are run first.
        kwargs: keyword arguments, likewise.

    Examples:
        >>> import cascade as cs
        >>> @cs.task
        ... def double(x: int) -> int:
        ...     return 2 * x
        >>> call = double(double(3))
        >>> call, call.task, cs.run(call)
        (double(double(3)), <task 'double' (thread)>, 12)
    """

    __slots__ = ("_line", "args", "kwargs", "task")

    _line: str | None  # where it was written; set only where lines are kept

    def __init__(self, task: Task[..., R], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Keep the call; `Task.__call__` is the usual way to come here."""
        self.task = task
        self.args = args
        self.kwargs = kwargs

    def __repr__(self) -> str:
        """Show the call, as in ``total(fetch('a'), scale=2)``."""
        return _show(self, _SHOWN_DEPTH)

    __hash__ = object.__hash__

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        """Pickle task and arguments."""
        return type(self), (self.task, self.args, self.kwargs)

    def __getattr__(self, name: str) -> NoReturn:
        """Explain why the value's attribute is not here; dunder look-ups fail in the usual way."""
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        raise AttributeError(
            f"{self!r} is a call, and has no attribute {name!r}; evaluate it first"
        )


def line_of(call: LazyResult[Any]) -> str | None:
    """Return ``file:line`` where a call was written; None where that was not kept, or it is the engine's."""
    return call._line if _KEEPS_LINES else None  # noqa: SLF001 - its own module


def _init_with_line(
    self: LazyResult[Any], task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    self.task = task
    self.args = args
    self.kwargs = kwargs
    self._line = line_of_caller()


if _KEEPS_LINES:
    LazyResult.__init__ = _init_with_line  # type: ignore[method-assign]  # the same, and the line


class MappedLazyResult(LazyResult[list[R]]):
    """The call of `Task.map`: one call per item, all side by side, their values in a list.

    Examples:
        >>> import cascade as cs
        >>> @cs.task
        ... def double(x: int) -> int:
        ...     return 2 * x
        >>> call = double.map([1, 2])
        >>> type(call).__name__, cs.run(call)
        ('MappedLazyResult', [2, 4])
    """

    __slots__ = ()

    def __repr__(self) -> str:
        """Show the mapping, as in ``double.map([1, 2, 3])``."""
        return _show(self, _SHOWN_DEPTH)


def _show(value: object, depth: int) -> str:
    """Show an argument; what may hold calls is not left to repr, which would begin anew in each."""
    if isinstance(value, LazyResult):
        return _show_call(value, depth)
    if type(value) is list:
        return f"[{_show_items((_show(item, depth) for item in value), len(value))}]"
    if type(value) is tuple:
        comma = "," if len(value) == 1 else ""
        return f"({_show_items((_show(item, depth) for item in value), len(value))}{comma})"
    if type(value) is dict:
        items = (f"{key!r}: {_show(item, depth)}" for key, item in value.items())
        return f"{{{_show_items(items, len(value))}}}"
    if is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value) if field.repr]
        items = (f"{name}={_show(getattr(value, name), depth)}" for name in names)
        return f"{type(value).__name__}({_show_items(items, len(names))})"
    return repr(value)


def _show_items(shown: Iterable[str], count: int) -> str:
    more = ["…"] if count > _SHOWN_ITEMS else []
    return ", ".join([*islice(shown, _SHOWN_ITEMS), *more])


def _show_call(value: LazyResult[Any], depth: int) -> str:
    name = value.task.name
    args, kwargs = value.args, value.kwargs
    if value.task.as_written is not None:
        args, kwargs = value.task.as_written(args)
    if isinstance(value, MappedLazyResult):
        mapped, args, by_name, same = args
        kwargs = {**by_name, **same}
        name = f"{mapped.name}.map"
    if depth == 0:
        return f"{name}(…)"
    shown = [_show(argument, depth - 1) for argument in args]
    shown += [f"{key}={_show(argument, depth - 1)}" for key, argument in kwargs.items()]
    return f"{name}({', '.join(shown)})"


def _trap(use: str) -> Callable[..., NoReturn]:
    def refuse(self: LazyResult[Any], *_: object, **__: object) -> NoReturn:
        raise LazyUseError(repr(self), use)

    return refuse


_OPERATIONS = (
    *("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow"),
    *("and", "or", "xor", "lshift", "rshift"),
)
_TRAPS = {
    "used as a condition": ["__bool__"],
    "iterated": ["__iter__", "__next__", "__reversed__", "__aiter__", "__anext__"],
    "looked into": ["__len__", "__contains__", "__getitem__", "__setitem__", "__delitem__"],
    "formatted into text": ["__format__"],
    "compared": ["__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"],
    "awaited": ["__await__"],
    "called": ["__call__"],
    # Python asks for the way out before it takes the way in.
    "entered as a context": ["__enter__", "__exit__", "__aenter__", "__aexit__"],
    "turned into a number": ["__int__", "__float__", "__complex__", "__index__"],
    "calculated with": [
        *(f"__{operation}__" for operation in ("neg", "pos", "abs", "invert", "round")),
        *(f"__{operation}__" for operation in ("trunc", "floor", "ceil")),
        *(f"__{side}{operation}__" for operation in _OPERATIONS for side in ("", "r")),
    ],
}

for _use, _methods in _TRAPS.items():
    for _method in _methods:
        setattr(LazyResult, _method, _trap(_use))
