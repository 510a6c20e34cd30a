"""The containers that are searched for calls: what their parts are, and how a copy gets others.

list, tuple, named tuple, deque, dict and their kinds, dataclasses, and classes of attrs, pydantic
and msgspec, whose libraries are not imported for that. In a set or as a key a call is refused, since
their order is no function of the program. Everything else is opaque: it is handed over as it is.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, fields
from typing import Any, Final, NoReturn

from cascade.interfaces.errors import InvalidTaskError
from cascade.spec.lazy_types import LazyResult, MappedLazyResult
from cascade.spec.quoting import Quoted
from cascade.spec.resource import Inject

__all__ = ["ATOMS", "CALL_TYPES", "KINDS", "NEEDED", "Kind", "field_names"]

ATOMS = frozenset({int, float, str, bool, bytes, complex, type(None)})
"""Types of the values that most containers hold nothing but."""

CALL_TYPES = frozenset({LazyResult, MappedLazyResult})

_MAX_TYPES = 4096  # that are remembered; past that it begins anew


@dataclass(frozen=True, slots=True)
class Kind:
    """How a type of container is looked into, and how a copy of one gets other parts."""

    parts: Callable[[Any], Collection[Any]]
    """Return what it holds, in order."""

    keys: Callable[[Any], Iterable[Any]] | None = None
    """Return where each part stands; None where it cannot be changed, and `build` makes another."""

    put: Callable[[Any, Any, Any], object] = list.__setitem__
    """``put(copy, key, part)`` changes a copy."""

    build: Callable[[type, list[Any]], Any] = lambda kind, parts: kind(parts)
    """``build(type, parts)`` makes one that cannot be changed."""

    unordered: Callable[[Any], Collection[Any]] | None = None
    """Return what may hold no calls: elements of a set, keys of a dict."""

    returned: bool = False
    """Whether calls in one that a task returns are evaluated."""


NEEDED: Final = Kind(parts=lambda _value: ())
"""Stands for calls and quoted values: they have no parts, a value takes their place."""


def _nothing(_value: Any) -> Collection[Any]:
    return ()


def _itself(value: Any) -> Any:
    return value


def _places(value: Any) -> Iterable[int]:
    return range(len(value))


def _put_item(copy: Any, key: Any, part: Any) -> None:
    copy[key] = part


_LIST = Kind(_itself, _places, _put_item, returned=True)
_DEQUE = Kind(_itself, _places, _put_item)
_TUPLE = Kind(_itself, returned=True)
_NAMED_TUPLE = Kind(_itself, build=lambda kind, parts: kind(*parts), returned=True)
_DICT = Kind(
    lambda value: value.values(), _itself, _put_item, unordered=lambda value: value, returned=True
)
_SET = Kind(_nothing, unordered=_itself)


def _record(
    names: tuple[str, ...],
    put: Callable[[Any, str, Any], object] = object.__setattr__,
    *,
    returned: bool = False,
) -> Kind:
    """Return the kind of a class with fields; one that is frozen is changed all the same, as a copy."""
    return Kind(
        lambda value: [getattr(value, name, None) for name in names],
        lambda _value: names,
        put,
        returned=returned,
    )


_BY_BASE: tuple[tuple[type, Kind], ...] = (
    (list, _LIST),
    (deque, _DEQUE),
    (dict, _DICT),
    (set, _SET),
    (frozenset, _SET),
)


def _kind_of(kind: Any) -> Kind | None:
    if kind in CALL_TYPES or kind is Quoted:
        return NEEDED
    if issubclass(kind, tuple):
        named = hasattr(kind, "_fields")
        return _NAMED_TUPLE if named else _TUPLE if kind is tuple else None
    builtin = next((known for base, known in _BY_BASE if issubclass(kind, base)), None)
    return builtin or _record_kind_of(kind)


def _refuse_injection(value: Inject) -> NoReturn:
    """Refuse a resource by position: only the name of a parameter says what it is for.

    Raises:
        InvalidTaskError: always.
    """
    raise InvalidTaskError(
        f"cs.inject({value.name!r}) is given by position; give it by the parameter's name"
    )


def _record_kind_of(kind: Any) -> Kind | None:
    if kind is Inject:
        return Kind(_refuse_injection)
    names = field_names(kind)
    if names is None:
        return None
    if hasattr(kind, "__pydantic_fields__"):
        return _record(names, lambda copy, *part: copy.__dict__.update([part]))
    if hasattr(kind, "__struct_fields__"):
        return _record(names, sys.modules["msgspec"].structs.force_setattr)
    return _record(names, returned=hasattr(kind, "__dataclass_fields__"))


def field_names(kind: Any) -> tuple[str, ...] | None:
    """Return the names of a class's fields; None where it has none that are declared."""
    if hasattr(kind, "__pydantic_fields__"):
        return tuple(kind.__pydantic_fields__)
    if hasattr(kind, "__struct_fields__"):
        return tuple(kind.__struct_fields__)
    if hasattr(kind, "__attrs_attrs__"):
        return tuple(each.name for each in kind.__attrs_attrs__)
    if hasattr(kind, "__dataclass_fields__"):
        return tuple(each.name for each in fields(kind))
    return getattr(kind, "_fields", None) if issubclass(kind, tuple) else None


class _Kinds(dict[type, Kind | None]):
    """By type, what kind of container it is; None for what is opaque. Worked out once each."""

    def __missing__(self, kind: type) -> Kind | None:
        if len(self) >= _MAX_TYPES:
            self.clear()
        found = self[kind] = _kind_of(kind)
        return found


KINDS = _Kinds()
