"""What data an annotation asks for, and how a value is made of it.

A kind is understood once: `understood` gives the function ``(read, data)`` that makes values of it, where
``read(data, kind)`` reads what is inside.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Mapping,
    MutableMapping,
    MutableSequence,
    MutableSet,
    Sequence,
)
from collections.abc import Set as AbstractSet
from functools import partial
from types import UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Required,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from cascade.spec.codec.kinds import Each, Keyed, Unreadable
from cascade.spec.codec.making import (
    EXACT,
    Read,
    convert,
    make_dict,
    make_exact,
    make_first,
    make_items,
    make_json,
    make_keyed,
    make_literal,
    make_number,
    make_registered,
    make_tuple,
    refuse,
)
from cascade.spec.codec.records import Record
from cascade.spec.containers import field_names
from cascade.spec.registry import registered_for

__all__ = ["clear", "understood"]

Make: TypeAlias = Callable[[Read, Any], Any]

_ITEMS: dict[Any, Callable[[list[Any]], Any]] = {
    **dict.fromkeys((list, MutableSequence), list),
    **dict.fromkeys((Sequence, Collection, Iterable), list),
    **dict.fromkeys((set, AbstractSet, MutableSet), set),
    frozenset: frozenset,
    deque: deque,
}
_EITHER = (Sequence, Collection, Iterable)  # a tuple is one of these as well
_DICTS: dict[Any, Callable[[Any], Any]] = {
    **dict.fromkeys((dict, Mapping, MutableMapping), dict),
    OrderedDict: OrderedDict,
}


_SIMPLE: dict[Any, Make] = {
    Any: make_json,
    object: make_json,
    float: make_number,
    **{kind: partial(make_exact, kind) for kind in EXACT},
}


# By the ids of kinds, since kinds that are equal may name their members in another order.
_known: dict[int, tuple[Any, Make]] = {}
_MOST_KNOWN = 4096  # past that it begins anew


def understood(kind: Any) -> Make:
    """Return what makes values of a kind."""
    known = _known.get(id(kind))
    if known is None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        known = _known[id(kind)] = (kind, _understood(_in_plain_words(kind)))
    return known[1]


def _in_plain_words(kind: Any) -> Any:
    """Return what a kind says by another name."""
    if kind is None:
        return type(None)
    if get_origin(kind) in (Annotated, Required, NotRequired):
        return _in_plain_words(get_args(kind)[0])
    if isinstance(kind, TypeVar):
        return _in_plain_words(kind.__bound__ or Any)
    for name in ("__supertype__", "__value__"):  # a NewType, an alias
        if hasattr(kind, name):
            return _in_plain_words(getattr(kind, name))
    return kind


def _understood(kind: Any) -> Make:
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    origin, arguments = get_origin(kind) or kind, get_args(kind)
    for family in (_choice, _registered_type, _container, _fields):
        make = family(kind, origin, arguments)
        if make is not None:
            return make
    return partial(convert, kind)


def _choice(kind: Any, origin: Any, arguments: tuple[Any, ...]) -> Make | None:
    if origin in (Union, UnionType):
        return partial(make_first, arguments)
    if origin is Literal:
        return partial(make_literal, arguments)
    return partial(refuse, kind.reason) if isinstance(kind, Unreadable) else None


def _registered_type(_kind: Any, origin: Any, _arguments: tuple[Any, ...]) -> Make | None:
    registered = registered_for(origin)
    return None if registered is None else partial(make_registered, registered)


def _container(kind: Any, origin: Any, arguments: tuple[Any, ...]) -> Make | None:
    if origin in _ITEMS:
        return partial(
            make_items, _ITEMS[origin], arguments[0] if arguments else Any, origin in _EITHER
        )
    if origin in _DICTS:
        return partial(make_dict, _DICTS[origin], *(arguments or (Any, Any)))
    if origin is tuple:
        return partial(make_tuple, _each_of(kind, arguments))
    return partial(make_tuple, kind) if isinstance(kind, Each) else None


def _fields(kind: Any, origin: Any, arguments: tuple[Any, ...]) -> Make | None:
    if isinstance(kind, Keyed):
        return partial(make_keyed, kind)
    if is_typeddict(origin):
        return partial(make_keyed, Keyed(get_type_hints(origin), Unreadable("it has no such key")))
    if isinstance(origin, type) and field_names(origin) is not None:
        return Record(origin, arguments)
    return None


def _each_of(kind: Any, arguments: tuple[Any, ...]) -> Each:
    if kind is tuple:
        return Each((), Any)
    if len(arguments) == 2 and arguments[1] is ...:  # noqa: PLR2004 - tuple[X, ...]
        return Each((), arguments[0])
    return Each(arguments, Unreadable("the tuple is longer than its annotation"))


def clear() -> None:
    """Forget what was understood, since a type has been registered."""
    _known.clear()
