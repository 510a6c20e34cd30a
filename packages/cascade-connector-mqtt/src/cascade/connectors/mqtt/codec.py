"""Payloads on the wire: JSON, or bytes as they are.

JSON is all that is read: nothing that arrives is unpickled or executed. What JSON cannot say is
refused when it is published, and never changed on the way without a word.
"""

from __future__ import annotations

from typing import Any

import msgspec

from cascade.interfaces.errors import PayloadError
from cascade.interfaces.protocols import Payload

__all__ = ["Codec", "UnreadablePayloadError"]

_write = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder().decode

# What JSON says without a second look; a float may be infinite, and anything else may hold one.
_PLAIN = frozenset({str, int, bool, type(None)})


class UnreadablePayloadError(Exception):
    """What arrived is no payload; it is reported, and goes no further than the connector."""


class Codec:
    """Turn payloads into bytes and back."""

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
            return _read(data)
        except (ValueError, RecursionError) as error:
            raise UnreadablePayloadError(f"not JSON: {error}") from None


def _own(topic: str, payload: Payload) -> bytes:
    if not isinstance(payload, (bytes, bytearray, memoryview)):
        kind = type(payload).__name__
        raise PayloadError(topic, f"with payloads='bytes' it is bytes, not {kind}")
    return bytes(payload)


def _to_json(topic: str, payload: Payload) -> bytes:
    try:
        data = _write(payload)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise PayloadError(topic, f"it cannot be written as JSON ({error})") from None
    if type(payload) in _PLAIN:
        return data
    # Dates, dataclasses, bytes and sets are written as text, objects and lists, infinity and NaN as
    # null: reading it back tells.
    back = _read(data)
    if back == payload or back == _with_lists(payload):
        return data
    hint = "; payloads='bytes' carries bytes as they are" if isinstance(payload, bytes) else ""
    raise PayloadError(
        topic, f"JSON has no word for a part of it, and would change it to {back!r:.200}{hint}"
    )


def _with_lists(payload: Any) -> Any:
    """Return a payload with lists for its tuples, which JSON does not tell apart."""
    if isinstance(payload, (list, tuple)):
        return [_with_lists(part) for part in payload]
    if isinstance(payload, dict):
        return {key: _with_lists(value) for key, value in payload.items()}
    return payload
