"""Payloads on the wire: JSON, or bytes as they are.

JSON is all that is read: nothing that arrives is unpickled or executed. What JSON cannot say is
refused when it is published, and never changed on the way without a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from cascade.interfaces.errors import PayloadError
from cascade.interfaces.protocols import Payload

__all__ = ["Codec", "UnreadablePayloadError"]

# orjson would write dates and dataclasses as text or objects, which nobody turns back on the way in.
_STRICT = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_STRICT |= orjson.OPT_PASSTHROUGH_SUBCLASS


class UnreadablePayloadError(Exception):
    """What arrived is no payload; it is reported, and goes no further than the connector."""


class Codec:
    """TimeSlice payloads into bytes and back."""

    def __init__(self, *, raw: bool, limit: int) -> None:
        """Carry JSON, or with ``raw`` bytes only; at most ``limit`` bytes either way."""
        self._raw = raw
        self._limit = limit

    def encode(self, topic: str, payload: Payload) -> bytes:
        """Return the payload as bytes.

        Raises:
            PayloadError: it is too large, or JSON has no words for it.
        """
        data = _own(topic, payload) if self._raw else _to_json(topic, payload)
        if len(data) > self._limit:
            raise PayloadError(
                topic, f"{len(data)} bytes, at most {self._limit} are allowed (max_payload)"
            )
        return data

    def decode(self, data: bytes | bytearray) -> Payload:
        """Return what the bytes say; no bytes at all are the empty dict of a clearing message.

        Raises:
            UnreadablePayloadError: they are too many, or not JSON.
        """
        if not data:
            return {}
        if len(data) > self._limit:
            raise UnreadablePayloadError(f"{len(data)} bytes, over max_payload={self._limit}")
        if self._raw:
            return bytes(data)
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise UnreadablePayloadError(f"not JSON: {error}") from None


def _own(topic: str, payload: Payload) -> bytes:
    if not isinstance(payload, (bytes, bytearray, memoryview)):
        kind = type(payload).__name__
        raise PayloadError(topic, f"with payloads='bytes' it is bytes, not {kind}")
    return bytes(payload)


def _to_json(topic: str, payload: Payload) -> bytes:
    try:
        data = orjson.dumps(payload, option=_STRICT)
    except orjson.JSONEncodeError as error:
        hint = "; payloads='bytes' carries bytes as they are" if isinstance(payload, bytes) else ""
        raise PayloadError(topic, f"it cannot be written as JSON ({error}){hint}") from None
    # JSON has no infinity and no "not a number"; orjson writes both as null.
    if b"null" in data and _has_strange_number(payload):
        raise PayloadError(topic, "JSON has no word for an infinite number or NaN")
    return data


def _has_strange_number(payload: Any) -> bool:
    waiting = [payload]
    while waiting:
        part = waiting.pop()
        if isinstance(part, float):
            if part - part != 0:
                return True
        elif isinstance(part, Mapping):
            waiting += part.values()
        elif isinstance(part, (list, tuple)):
            waiting += part
    return False
