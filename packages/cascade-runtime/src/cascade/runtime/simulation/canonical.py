"""Values as text that reads the same wherever they are equal: what a trace is made of.

A plain `repr` will not do: it shows addresses of objects, sets in an order of their own, and of a large
array the first and last few numbers only.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, TypeAlias
from uuid import UUID

from cascade.spec.containers import field_names
from cascade.spec.content import NoContentError, digest_of
from cascade.spec.identity import place_of

__all__ = ["canonical", "without_addresses"]

_PLAIN = frozenset({str, int, float, bool, bytes, type(None)})
_SHOWN = frozenset({Decimal, Fraction, UUID, date, datetime, time, timedelta, timezone})
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")

_Above: TypeAlias = frozenset[int]
"""Ids of what the value stands in: it may hold itself."""


def without_addresses(text: str) -> str:
    """Leave out where objects lie in memory.

    Examples:
        >>> without_addresses("<Lamp object at 0x7f3a>")
        '<Lamp object>'
    """
    return _ADDRESS.sub("", text)


_Write: TypeAlias = Callable[[Any], str]
"""Writes a part of a value."""

_Parts: TypeAlias = list[str] | str
"""What stands in parentheses behind the type, or all of the text."""


def canonical(value: Any, above: _Above = frozenset()) -> str:
    """Write a value so that equal ones read the same in every process, and different ones differently.

    Functions and classes are written by their names, arrays and tables as a digest of all they hold, and
    other objects by their attributes.

    Args:
        value: what to write.
        above: ids of what it stands in.

    Examples:
        >>> canonical({"tags": {"b", "a"}}) == canonical({"tags": {"a", "b"}})
        True
        >>> canonical(len)
        '<builtins:len>'
    """
    kind: Any = type(value)
    if kind in _PLAIN or kind in _SHOWN:
        return repr(value)
    if id(value) in above:
        return "..."
    inner = above | {id(value)}

    def write(part: Any) -> str:
        return canonical(part, inner)

    parts: _Parts | None = _parts_of_container(value, write)
    if parts is None:
        parts = _parts_of_named(value, write)
    if parts is None:
        parts = _parts_of_object(value, write)
    return parts if isinstance(parts, str) else f"{kind.__qualname__}({', '.join(parts)})"


def _parts_of_container(value: Any, write: _Write) -> list[str] | None:
    if isinstance(value, Mapping):
        return [f"{write(key)}: {write(item)}" for key, item in value.items()]
    if isinstance(value, (set, frozenset)):
        return sorted(map(write, value))
    if isinstance(value, (list, tuple, deque)):
        return [write(item) for item in value]
    return None


def _parts_of_named(value: Any, write: _Write) -> _Parts | None:
    """Write what has a name of its own, with what it is bound to."""
    for kind, writer in _NAMED.items():
        if isinstance(value, kind):
            return writer(value, write)
    return None


def _function(value: FunctionType, _write: _Write) -> str:
    """Write a function, with its line too, since lambdas share a name."""
    return f"<{place_of(value)}:{value.__code__.co_firstlineno}>"


def _builtin(value: BuiltinFunctionType, write: _Write) -> _Parts:
    if value.__self__ is None or isinstance(value.__self__, ModuleType):
        return f"<{place_of(value)}>"
    return [value.__name__, write(value.__self__)]


_NAMED: dict[type, Callable[[Any, _Write], _Parts]] = {
    FunctionType: _function,
    BuiltinFunctionType: _builtin,
    MethodType: lambda value, write: [write(value.__func__), write(value.__self__)],
    partial: lambda value, write: [write(value.func), write(value.args), write(value.keywords)],
    type: lambda value, _write: f"<{place_of(value)}>",
    ModuleType: lambda value, _write: f"<{value.__name__}>",
    Enum: lambda value, _write: [value.name],
    BaseException: lambda value, write: [write(each) for each in value.args],
}


def _parts_of_object(value: Any, write: _Write) -> _Parts:
    names = field_names(type(value))
    if names is not None:
        return [f"{name}={write(getattr(value, name, None))}" for name in names]
    try:
        return [digest_of(value)]
    except NoContentError:
        return _parts_without_content(value, write)


def _parts_without_content(value: Any, write: _Write) -> _Parts:
    """Write an array of objects by its items, another object by its attributes, else what it shows."""
    if hasattr(value, "to_numpy"):  # a table: its names, and all of its cells
        named = [write(list(getattr(value, name, ()))) for name in ("columns", "index")]
        return [*named, write(value.to_numpy())]
    if hasattr(value, "tolist"):
        return [write(value.shape), write(value.tolist())]
    kind: Any = type(value)
    slots = [name for each in kind.__mro__ for name in _slots_of(each)]
    attributes = {name: getattr(value, name) for name in slots if hasattr(value, name)}
    attributes |= getattr(value, "__dict__", {})
    if attributes or kind.__repr__ is object.__repr__:
        return [f"{name}={write(item)}" for name, item in attributes.items()]
    return without_addresses(repr(value))


def _slots_of(kind: type) -> list[str]:
    slots = vars(kind).get("__slots__", ())
    names = [slots] if isinstance(slots, str) else slots
    return [_mangled(kind, name) for name in names if name not in {"__dict__", "__weakref__"}]


def _mangled(kind: type, name: str) -> str:
    is_private = name.startswith("__") and not name.endswith("__")
    return f"_{kind.__name__.lstrip('_')}{name}" if is_private else name
