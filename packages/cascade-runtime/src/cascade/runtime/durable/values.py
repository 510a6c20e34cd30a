"""Results, signals and journaled values as JSON: read by the annotations of the task that gave them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, get_type_hints

import msgspec

from cascade.interfaces.errors import DecodeError, EncodeError
from cascade.spec.task import Task

__all__ = ["read_payload", "read_value", "write_payload", "write_value"]


def write_payload(topic: str, payload: Any) -> bytes:
    """Return a signal's payload as JSON.

    Raises:
        EncodeError: it is nothing that JSON can say.
    """
    return _write(payload, Any, f"the signal on {topic!r}")


def read_payload(data: bytes) -> Any:
    """Return the payload that `write_payload` has written."""
    return msgspec.json.decode(data)


def write_value(task: Task[..., Any], value: Any) -> bytes:
    """Return what a task returned as JSON, once it is sure that `read_value` gives an equal one.

    Raises:
        EncodeError: it would not come back.
    """
    return _write(value, _returned_by(task), f"the value of {task.name}(…)")


def read_value(task: Task[..., Any], data: bytes) -> Any:
    """Return the value that `write_value` has written.

    Raises:
        DecodeError: it does not fit the task any more.
    """
    try:
        return msgspec.json.decode(data, type=_returned_by(task))
    except msgspec.DecodeError as error:
        raise DecodeError(f"the value of {task.name}(…)", str(error)) from error


def _write(value: Any, kind: Any, place: str) -> bytes:
    try:
        data = msgspec.json.encode(value)
        back = msgspec.json.decode(data, type=kind)
    except (TypeError, ValueError, RecursionError) as error:
        raise EncodeError(
            place, f"{error}; annotate what it returns, or return plain data"
        ) from error
    if type(back) is not type(value) or (back != value and back == back):  # noqa: PLR0124 - NaN is equal here
        raise EncodeError(
            place, f"{value!r} would come back as {back!r}; annotate it, or return plain data"
        )
    return data


@lru_cache(maxsize=4096)
def _returned_by(task: Task[..., Any]) -> Any:
    """Return the annotation of what a task returns; `Any` where there is none that msgspec knows."""
    try:
        kind = get_type_hints(task.function).get("return", Any)
        msgspec.json.Decoder(kind)
    except Exception:  # noqa: BLE001 - annotations may hold anything: then plain data is what is taken
        return Any
    return kind
