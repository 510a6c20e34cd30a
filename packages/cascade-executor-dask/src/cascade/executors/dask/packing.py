"""How a call is written for a worker of another machine, which may not have the caller's modules.

A function that stands in a module is written by its place, and the worker imports the module. One of the
program that runs (`__main__`), of a notebook, or of a module that `cloudpickle.register_pickle_by_value`
was given, is written by its code.
"""

from __future__ import annotations

import io
import pickle
from functools import lru_cache
from types import FunctionType
from typing import Any

from cloudpickle import (  # type: ignore[import-untyped]  # it comes without types
    Pickler,
    list_registry_pickle_by_value,
)

from cascade.executors.pool.transfer import pack_call, reduced
from cascade.interfaces.executor import Invocation

__all__ = ["by_value", "module_of", "pack", "pickled"]

_MAIN = "__main__"


class _ByPlace(Pickler):  # type: ignore[misc]  # it comes without types
    """Writes functions of tasks by their place, and what else no module has by its code."""

    def reducer_override(self, value: Any) -> Any:
        if not by_value(value):
            found = reduced(value)
            if found is not None:
                return found
        return super().reducer_override(value)


def by_value(function: Any) -> bool:
    """Return whether a function is written by its code, since workers do not have its module."""
    module = getattr(function, "__module__", None) or _MAIN
    if module == _MAIN:
        return True
    registered = list_registry_pickle_by_value()
    parents = module.split(".") if registered else []
    return any(".".join(parents[:end]) in registered for end in range(1, len(parents) + 1))


def module_of(function: Any) -> str | None:
    """Return the module that a worker imports to find a function; None where it goes by its code."""
    return None if by_value(function) else getattr(function, "__module__", None)


def pack(invocation: Invocation) -> bytes:
    """Return a call as bytes.

    Raises:
        ProcessTransferError: the function or an argument cannot be written.
    """
    return pack_call(invocation, pickled, _pickled_function)


def _pickled_function(function: Any) -> bytes:
    """Write a function; one that has a place only once, since that takes most of the time."""
    if type(function) is FunctionType and not by_value(function):
        return _pickled_once(function)
    return pickled(function)


@lru_cache(maxsize=256)
def _pickled_once(function: FunctionType) -> bytes:
    return pickled(function)


def pickled(value: Any) -> bytes:
    """Return a value as bytes."""
    buffer = io.BytesIO()
    _ByPlace(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(value)
    return buffer.getvalue()
