"""Types that people give a JSON form themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from cascade.spec.file import File

__all__ = ["REGISTERED", "Registered", "registered_for"]


class Registered(NamedTuple):
    """How a type is written and read."""

    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]


# For the whole process, as the types are.
REGISTERED: dict[type, Registered] = {
    MappingProxyType: Registered(dict, MappingProxyType),
    Path: Registered(str, Path),
    File: Registered(str, File),
}


def registered_for(kind: Any) -> Registered | None:
    """Return how values of a type are written, also where one of its bases is registered."""
    bases = kind.__mro__ if isinstance(kind, type) else ()
    return next((REGISTERED[base] for base in bases if base in REGISTERED), None)
