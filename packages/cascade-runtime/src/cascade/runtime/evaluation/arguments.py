"""The calls among a call's arguments: found, and replaced by their values.

They are looked for inside lists, tuples, dicts and dataclasses too, but not inside `cascade.quote`.
`find_calls` and `resolve` walk the arguments in the same order, so the values of what the first one
found are put in place by the second, one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import fields
from functools import lru_cache
from typing import Any, NoReturn, TypeAlias

from cascade.interfaces.errors import GraphError
from cascade.spec.lazy_types import LazyResult, MappedLazyResult
from cascade.spec.quoting import Quoted

__all__ = ["CALL_TYPES", "Needed", "find_calls", "resolve"]

CALL_TYPES = frozenset({LazyResult, MappedLazyResult})
_NEEDED_TYPES = CALL_TYPES | {Quoted}

_ATOMS = frozenset({int, float, str, bool, bytes, complex, type(None)})

_MAX_TYPES = 4096  # of arguments that are remembered; past that it begins anew

Needed: TypeAlias = LazyResult[Any] | Quoted[Any]
"""What stands in an argument for a value: a call, or a value that is marked not to be looked into."""


def find_calls(call: LazyResult[Any]) -> Sequence[Needed]:
    """Return every occurrence of a call or a quoted value in a call's arguments, in `resolve`'s order.

    Raises:
        GraphError: a container among the arguments holds itself.
    """
    found: list[Needed] = []
    try:
        for part in call.args:
            parts_of = _PARTS_OF[type(part)]
            if parts_of is None:
                continue
            if parts_of is _is_needed:
                found.append(part)
            else:
                _collect(parts_of(part), found)
        if call.kwargs:
            _collect(call.kwargs.values(), found)
    except RecursionError:
        raise GraphError(
            f"an argument of {call.task.name!r} is a container that holds itself, or is nested too deep"
        ) from None
    return found or ()  # a waiting run holds the answer: mostly nothing, and then no list


def _collect(parts: Iterable[Any], found: list[Needed]) -> None:
    for part in parts:
        parts_of = _PARTS_OF[type(part)]
        if parts_of is None:
            continue
        if parts_of is _is_needed:
            found.append(part)
            continue
        inner = parts_of(part)
        if inner and not _ATOMS.issuperset(map(type, inner)):
            _collect(inner, found)


def resolve(call: LazyResult[Any], values: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return a call's arguments with every call and quoted value in them replaced by its value.

    Args:
        call: the call.
        values: one for each of `find_calls`, in that order.
    """
    if not values:
        return call.args, call.kwargs
    if len(values) == 1:  # as in most calls that need others: it is an argument, and not inside one
        args = call.args
        if args and type(args[-1]) in _NEEDED_TYPES:
            return args[:-1] + (values[0],), call.kwargs  # noqa: RUF005 - unpacking takes half as long again
        for position, argument in enumerate(args):
            if type(argument) in _NEEDED_TYPES:
                return (*args[:position], values[0], *args[position + 1 :]), call.kwargs
    left = iter(values)
    args = tuple([a if type(a) in _ATOMS else _replace(a, left) for a in call.args])
    kwargs = call.kwargs
    if kwargs:
        kwargs = {k: a if type(a) in _ATOMS else _replace(a, left) for k, a in kwargs.items()}
    return args, kwargs


def _replace(value: Any, values: Iterator[Any]) -> Any:
    kind: Any = type(value)
    if kind in _NEEDED_TYPES:
        return next(values)
    parts_of = _PARTS_OF[kind]
    if parts_of is None:
        return value
    parts = list(parts_of(value))
    new = [part if type(part) in _ATOMS else _replace(part, values) for part in parts]
    if all(old is replaced for old, replaced in zip(parts, new, strict=True)):
        return value
    return _rebuild(value, new)


def _rebuild(value: Any, new: list[Any]) -> Any:
    """Return a container of the same kind with other parts."""
    kind: Any = type(value)
    if kind is dict:
        return dict(zip(value, new, strict=True))
    if kind is list or kind is tuple:
        return kind(new)
    if issubclass(kind, tuple):
        return kind(*new)
    changed = copy(value)
    for name, part in zip(_field_names(kind), new, strict=True):
        object.__setattr__(changed, name, part)  # a dataclass may be frozen
    return changed


def _itself(value: Any) -> Any:
    return value


def _is_needed(value: Any) -> NoReturn:
    """Stand for calls and quoted values among the types: they have no parts, a value takes their place."""
    raise AssertionError(f"{value!r} is not looked into")


class _PartsOf(dict[type, Callable[[Any], Any] | None]):
    """By type, what gives the parts of a container; None for whatever is none.

    `_is_needed` stands for calls and quoted values.

    Worked out once each.
    """

    def __missing__(self, kind: type) -> Callable[[Any], Any] | None:
        if len(self) >= _MAX_TYPES:
            self.clear()
        parts_of = self[kind] = _find_parts_of(kind)
        return parts_of


_PARTS_OF = _PartsOf()


def _find_parts_of(kind: Any) -> Callable[[Any], Any] | None:
    if kind in _NEEDED_TYPES:
        return _is_needed
    if kind in (list, tuple) or (issubclass(kind, tuple) and hasattr(kind, "_fields")):
        return _itself
    if kind is dict:
        return dict.values
    if hasattr(kind, "__dataclass_fields__"):
        names = _field_names(kind)
        return lambda value: [getattr(value, name, None) for name in names]
    return None


@lru_cache(maxsize=_MAX_TYPES)
def _field_names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))
