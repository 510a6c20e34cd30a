"""A hash of everything that was said: two runs with the same hash went the same way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from hashlib import blake2b
from typing import Any

__all__ = ["TraceHash", "canonical"]

_PLAIN = frozenset({str, int, float, bool, bytes, type(None)})


class TraceHash:
    """A rolling BLAKE2b (RFC 7693) over time, topic and payload of every message.

    Examples:
        >>> import asyncio
        >>> trace = TraceHash(lambda: 0.0)
        >>> asyncio.run(trace.add("door", "open"))
        >>> len(trace.hexdigest())
        32
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin with nothing said; the clock gives the time in seconds."""
        self._clock = clock
        self._hash = blake2b(digest_size=16)

    async def add(self, topic: str, payload: Any) -> None:
        """Take in a message; to be given to `LocalBroker.tap`."""
        said = repr(payload) if type(payload) in _PLAIN else canonical(payload)
        line = f"{self._clock()!r} {topic!r} {said}\n"
        self._hash.update(line.encode("utf-8", "surrogatepass"))

    def hexdigest(self) -> str:
        """Return the hash of all messages so far, 32 hexadecimal digits."""
        return self._hash.hexdigest()


def canonical(value: Any) -> str:
    """Write a payload so that equal ones read the same in every process.

    A plain `repr` will not do: it shows addresses of objects, and sets in an order of their own.
    """
    kind: Any = type(value)
    if kind in _PLAIN:
        return repr(value)
    if isinstance(value, Mapping):
        parts = [f"{canonical(key)}: {canonical(item)}" for key, item in value.items()]
    elif isinstance(value, (set, frozenset)):
        parts = sorted(map(canonical, value))
    elif isinstance(value, (list, tuple)):
        parts = [canonical(item) for item in value]
    elif is_dataclass(value) and not isinstance(value, type):
        parts = [f"{field.name}={canonical(getattr(value, field.name))}" for field in fields(value)]
    elif kind.__repr__ is not object.__repr__:
        return repr(value)
    else:
        parts = [
            f"{name}={canonical(item)}" for name, item in getattr(value, "__dict__", {}).items()
        ]
    return f"{kind.__qualname__}({', '.join(parts)})"
