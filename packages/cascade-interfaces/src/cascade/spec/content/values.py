"""The content of a value, type-aware: 1, True and 1.0 are told apart, and so are a list and a tuple.

Each part is written with its type and length, so that no two values run into one another. What a
function can see counts: the order of a dict does, that of a set does not.
"""

from __future__ import annotations

import re
import struct
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import partial
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address
from pathlib import PurePath
from types import EllipsisType, MappingProxyType, MethodType, ModuleType
from typing import Any, NoReturn, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from cascade.spec.containers import field_names
from cascade.spec.content import tables
from cascade.spec.file import File
from cascade.spec.identity import place_of
from cascade.spec.quoting import Quoted
from cascade.spec.registry import registered_for

__all__ = ["BY_BASE", "WRITERS", "NoContentError", "Put", "digest_of", "refuse_content", "write"]

_DEEPEST = 100  # containers in containers
_MAX_TYPES = 4096  # that are remembered; past that it begins anew

Put: TypeAlias = Callable[[Any], None]
"""Takes bytes, or what has them without a copy."""


class NoContentError(TypeError):
    """A value has nothing that it can be known by; the text says why."""


def digest_of(value: Any) -> str:
    """Return the SHA-256 of a value's type and content.

    Raises:
        NoContentError: it is of a type that has none, or has no end.

    Examples:
        >>> digest_of([1, 2]) == digest_of([1, 2]), digest_of(1) == digest_of(True)
        (True, False)
    """
    hashed = sha256()
    write(value, hashed.update, 0)
    return hashed.hexdigest()


def refuse_content(kind: type, reason: str) -> None:
    """Have values of a class, and of those made of it, count as without content, for a reason.

    Examples:
        >>> class Session:
        ...     pass
        >>> refuse_content(Session, "a session is no data")
    """

    def refuse(*_: object) -> NoReturn:
        raise NoContentError(reason)

    BY_BASE[kind] = refuse


def write(value: Any, put: Put, depth: int) -> None:
    """Write a value's type and content.

    Raises:
        NoContentError: as with `digest_of`.
    """
    if depth > _DEEPEST:
        raise NoContentError("it is nested too deep, or holds itself")
    kind = type(value)
    writer = WRITERS.get(kind)
    if writer is None:
        writer = _writer_for(kind)
    writer(value, put, depth + 1)


def _sized(tag: bytes, data: Any, put: Put) -> None:
    put(b"%b%d:" % (tag, len(data)))
    put(data)


# --- single values ----------------------------------------------------------------------------------


def _write_int(value: int, put: Put, _depth: int) -> None:
    size = (value.bit_length() + 8) // 8
    _sized(b"i", value.to_bytes(size, "little", signed=True), put)


def _write_float(value: float, put: Put, _depth: int) -> None:
    put(b"f" + struct.pack("<d", value))


def _write_text(value: str, put: Put, _depth: int) -> None:
    _sized(b"s", value.encode("utf-8", "surrogatepass"), put)


def _write_bytes(value: Any, put: Put, _depth: int) -> None:
    view = memoryview(value)
    put(b"%b%d:" % (type(value).__name__.encode(), view.nbytes))
    put(view if view.c_contiguous else view.tobytes())


def _write_shown(value: Any, put: Put, _depth: int) -> None:
    """Write what shows itself whole."""
    _sized(_PLACES[type(value)], repr(value).encode(), put)


def _write_enum(value: Enum, put: Put, depth: int) -> None:
    put(_PLACES[type(value)])
    write((value.name, value.value), put, depth)


def _write_file(value: File, put: Put, depth: int) -> None:
    try:
        write(value.digest(), put, depth)
    except OSError as error:
        raise NoContentError(f"it cannot be read: {error}") from error


# --- what holds others ------------------------------------------------------------------------------


def _write_items(value: Iterable[Any], put: Put, depth: int) -> None:
    items = list(value)
    put(b"%b%d:" % (_PLACES[type(value)], len(items)))
    for item in items:
        write(item, put, depth)


def _write_dict(value: Mapping[Any, Any], put: Put, depth: int) -> None:
    put(b"%b%d:" % (_PLACES[type(value)], len(value)))
    for key, item in value.items():
        write(key, put, depth)
        write(item, put, depth)


def _write_set(value: Iterable[Any], put: Put, depth: int) -> None:
    digests = []
    for item in value:
        hashed = sha256()
        write(item, hashed.update, depth)
        digests.append(hashed.digest())
    put(b"%b%d:" % (_PLACES[type(value)], len(digests)))
    for digest in sorted(digests):
        put(digest)


def _write_parts(parts: Callable[[Any], Any], value: Any, put: Put, depth: int) -> None:
    """Write the parts that make a value what it is."""
    put(_PLACES[type(value)])
    write(parts(value), put, depth)


def _write_subclass(base: type, value: Any, put: Put, depth: int) -> None:
    """Write a value of a class that somebody made of a built-in one."""
    put(_PLACES[type(value)])
    WRITERS[base](base(value), put, depth)
    write(dict(getattr(value, "__dict__", {})), put, depth)


class _Places(dict[type, bytes]):
    """By type, where it stands. Worked out once each."""

    def __missing__(self, kind: type) -> bytes:
        if len(self) >= _MAX_TYPES:
            self.clear()
        place = self[kind] = f"<{place_of(kind)}>".encode()
        return place


_PLACES = _Places()


# --- which is which ---------------------------------------------------------------------------------


def _writer_for(kind: type) -> Callable[[Any, Put, int], None]:
    """Return what writes values of a type that has no writer of its own.

    Raises:
        NoContentError: nothing does.
    """
    if (table := tables.writer_for(kind)) is not None:
        return partial(table, write)
    if (registered := registered_for(kind)) is not None:
        return partial(_write_parts, registered.encode)
    if (names := field_names(kind)) is not None:
        return partial(_write_parts, lambda value: [getattr(value, name, None) for name in names])
    for base, writer in BY_BASE.items():
        if issubclass(kind, base):
            return writer
    for base in (int, float, str, bytes):
        if issubclass(kind, base):
            return partial(_write_subclass, base)
    raise NoContentError(f"values of the type {kind.__qualname__} have no content")


_SHOWN = (
    *(complex, range, Decimal, Fraction, UUID, EllipsisType, IPv4Address, IPv6Address),
    *(date, datetime, time, timedelta, timezone, ZoneInfo),
)

WRITERS: dict[type, Callable[[Any, Put, int], None]] = {
    type(None): lambda _value, put, _depth: put(b"N"),
    bool: lambda value, put, _depth: put(b"T" if value else b"F"),
    int: _write_int,
    float: _write_float,
    str: _write_text,
    bytes: _write_bytes,
    bytearray: _write_bytes,
    memoryview: _write_bytes,
    list: _write_items,
    tuple: _write_items,
    dict: _write_dict,
    set: _write_set,
    frozenset: _write_set,
    File: _write_file,
    MappingProxyType: _write_dict,
    Quoted: partial(_write_parts, lambda quoted: quoted.value),
    re.Pattern: partial(_write_parts, lambda pattern: (pattern.pattern, pattern.flags)),
    slice: partial(_write_parts, lambda each: (each.start, each.stop, each.step)),
    partial: partial(_write_parts, lambda it: (it.func, it.args, it.keywords)),
    MethodType: partial(_write_parts, lambda method: (method.__func__, method.__self__)),
    ModuleType: partial(_write_parts, lambda module: module.__name__),
    **dict.fromkeys(_SHOWN, _write_shown),
}
"""By exact type."""

BY_BASE: dict[type, Callable[[Any, Put, int], None]] = {
    Enum: _write_enum,
    PurePath: partial(_write_parts, str),
    tuple: _write_items,
    list: _write_items,
    deque: _write_items,
    dict: _write_dict,
    set: _write_set,
    frozenset: _write_set,
}
"""By a base; `code` adds functions, classes, tasks and calls to both."""
