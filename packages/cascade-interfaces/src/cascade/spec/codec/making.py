"""Values of the kinds that annotations name, made of plain data."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from itertools import chain, repeat
from typing import Any, TypeAlias

import msgspec

from cascade.spec.codec.kinds import Each, Keyed
from cascade.spec.codec.mismatch import Mismatch, for_each, shown
from cascade.spec.registry import Registered

__all__ = [
    "EXACT",
    "Read",
    "convert",
    "make_dict",
    "make_exact",
    "make_first",
    "make_items",
    "make_json",
    "make_keyed",
    "make_literal",
    "make_number",
    "make_registered",
    "make_tuple",
    "refuse",
]

Read: TypeAlias = Callable[[Any, Any], Any]
"""``read(data, kind)``: how what is inside a value is read."""

EXACT = (bool, int, str, type(None))
"""Types that JSON tells apart."""

_JSON_ATOMS = frozenset({*EXACT, float})


# --- single values ----------------------------------------------------------------------------------


def _form(data: Any) -> tuple[str, Any]:
    """Return the key of a dict that stands for something else, and its content."""
    if type(data) is dict and len(data) == 1:
        ((key, content),) = data.items()
        if key.startswith("$"):
            return key, content
    return "", data


def _unfit(data: Any, wanted: str) -> Mismatch:
    return Mismatch(f"{wanted} is asked for, and not {shown(data)}")


def refuse(reason: str, _read: Read, _data: Any) -> Any:
    """Refuse whatever there is, for a reason."""
    raise Mismatch(reason)


def make_json(read: Read, data: Any) -> Any:
    """Read what has no annotation: JSON's own types."""
    if type(data) in _JSON_ATOMS:
        return data
    if type(data) is list:
        if _JSON_ATOMS.issuperset(map(type, data)):
            return data
        return for_each(data, lambda item: read(item, Any))
    form, content = _form(data)
    if form == "$float":
        return make_number(read, data)
    if form == "$tuple":
        raise Mismatch("a tuple is none of JSON's types; annotate the parameter, or give a list")
    if form == "$dict" and not all(type(key) is str for key, _ in content):
        raise Mismatch(
            "keys that are no text are not JSON's; annotate the parameter: dict[int, Any]"
        )
    return make_dict(dict, str, Any, read, data)


def make_exact(kind: type, _read: Read, data: Any) -> Any:
    """Read what JSON has, too."""
    if type(data) is not kind:
        raise _unfit(data, kind.__name__)
    return data


def make_number(_read: Read, data: Any) -> Any:
    """Read a float; a whole number stays one, as it may stand for a float."""
    form, content = _form(data)
    if form == "$float" and content in ("nan", "inf", "-inf"):
        return float(content)
    if type(data) not in (float, int):
        raise _unfit(data, "float")
    return data


def make_literal(values: tuple[Any, ...], _read: Read, data: Any) -> Any:
    """Read one of several values."""
    for value in values:
        plain = value.value if isinstance(value, Enum) else value
        if type(plain) is type(data) and plain == data:
            return value
    raise _unfit(data, f"one of {shown(values)}")


def make_registered(registered: Registered, read: Read, data: Any) -> Any:
    """Read a value of a type that was given a form."""
    try:
        return registered.decode(read(data, Any))
    except (TypeError, ValueError, LookupError, ArithmeticError) as error:
        raise Mismatch(f"{shown(data)} cannot be decoded: {error}") from error


def make_first(kinds: tuple[Any, ...], read: Read, data: Any) -> Any:
    """Read as the first of several kinds that fits."""
    failures = []
    for kind in kinds:
        try:
            return read(data, kind)
        except Mismatch as mismatch:
            failures.append(mismatch)
    raise max(failures, key=lambda each: len(each.path))


def convert(kind: Any, _read: Read, data: Any) -> Any:
    """Leave it to msgspec: dates, enums, bytes, numbers of other kinds."""
    try:
        return msgspec.convert(data, kind)
    except (msgspec.ValidationError, TypeError) as error:
        raise Mismatch(str(error)) from error


# --- containers -------------------------------------------------------------------------------------


def make_items(
    make: Callable[[list[Any]], Any], kind: Any, or_tuple: bool, read: Read, data: Any
) -> Any:
    """Read a list or the like, or a tuple where the kind is what both are."""
    form, content = _form(data)
    if type(content) is not list or form not in (("", "$tuple") if or_tuple else ("",)):
        raise _unfit(data, make.__name__)
    if kind in EXACT and {kind}.issuperset(map(type, content)):
        items = content
    else:
        items = for_each(content, lambda item: read(item, kind))
    try:
        return tuple(items) if form else make(items)
    except TypeError as error:  # what cannot be hashed
        raise Mismatch(str(error)) from error


def make_tuple(kinds: Each, read: Read, data: Any) -> Any:
    """Read a tuple, each item by its own kind."""
    form, content = _form(data)
    if form != "$tuple" or type(content) is not list:
        raise _unfit(data, "a tuple")
    items = zip(content, chain(kinds.items, repeat(kinds.more)), strict=False)
    return tuple(for_each(items, lambda item: read(*item)))


def _pairs(data: Any) -> list[Any]:
    form, content = _form(data)
    if form == "$dict" and type(content) is list:
        return content
    if form or type(content) is not dict:
        raise _unfit(data, "dict")
    return list(content.items())


def make_dict(
    make: Callable[[Any], Any], key_kind: Any, value_kind: Any, read: Read, data: Any
) -> Any:
    """Read a dict, with keys and values of one kind each."""
    pairs = _pairs(data)
    keys = for_each(pairs, lambda pair: read(pair[0], key_kind), ".keys()[{}]".format)
    values = for_each(
        pairs, lambda pair: read(pair[1], value_kind), lambda place: f"[{shown(keys[place])}]"
    )
    try:
        return make(zip(keys, values, strict=True))
    except TypeError as error:  # what cannot be hashed
        raise Mismatch(str(error)) from error


def make_keyed(kinds: Keyed, read: Read, data: Any) -> Any:
    """Read a dict whose values have kinds of their own."""
    pairs = _pairs(data)
    values = for_each(
        pairs,
        lambda pair: read(pair[1], kinds.values.get(pair[0], kinds.more)),
        lambda place: f"[{shown(pairs[place][0])}]",
    )
    return {key: value for (key, _), value in zip(pairs, values, strict=True)}
