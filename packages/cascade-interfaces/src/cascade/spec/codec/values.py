"""What a task returned, as JSON, by the annotation of what it returns."""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import Any

import msgspec

from cascade.interfaces.errors import DecodeError, EncodeError, UnknownTaskError
from cascade.spec.codec.comparing import compare
from cascade.spec.codec.kinds import Unreadable, kind_of
from cascade.spec.codec.mismatch import Mismatch
from cascade.spec.codec.reading import Reader
from cascade.spec.codec.writing import Writer
from cascade.spec.task import Task

__all__ = ["decode_value", "encode_value", "kind_returned_by"]

_PLACE = "the value"
_READER = Reader(())  # without calls it keeps nothing but tasks that it was asked for


@lru_cache(maxsize=4096)
def kind_returned_by(task: Task[..., Any]) -> Any:
    """Return the annotation of what a task returns; `Any` where there is none that can be read."""
    try:
        returned = inspect.signature(task.function).return_annotation
    except ValueError:  # a built-in that does not tell
        return Any
    kind = kind_of(returned, task.function)
    return Any if isinstance(kind, Unreadable) else kind


def encode_value(value: Any, kind: Any) -> bytes:
    """Return a value as JSON, once it is sure that `decode_value` gives an equal one.

    Raises:
        EncodeError: it would not come back as an equal value of the same type.

    Examples:
        >>> encode_value((1, 2), tuple[int, int])
        b'{"$tuple":[1,2]}'
    """
    writer = Writer()
    try:
        data = msgspec.json.encode(writer.write(value))
        if not writer.calls:
            compare(value, _READER.read(msgspec.json.decode(data), kind))
    except Mismatch as mismatch:
        raise EncodeError(_PLACE + mismatch.path, mismatch.reason) from mismatch.__cause__
    except (ValueError, UnknownTaskError, RecursionError) as error:
        raise EncodeError(_PLACE, str(error)) from error
    if writer.calls:
        raise EncodeError(_PLACE, "it holds a call, and not its value")
    return data


def decode_value(data: bytes, kind: Any) -> Any:
    """Return the value that `encode_value` has written.

    Raises:
        DecodeError: it is none, or not of that kind any more.
    """
    try:
        return _READER.read(msgspec.json.decode(data), kind)
    except Mismatch as mismatch:
        raise DecodeError(_PLACE + mismatch.path, mismatch.reason) from mismatch.__cause__
    except (msgspec.DecodeError, UnknownTaskError, RecursionError) as error:
        raise DecodeError(_PLACE, str(error)) from error
