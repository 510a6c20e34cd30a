"""What a cache's author gives to the conformance suite, and what its tests share."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Protocol

from cascade.interfaces.cache import Cache, CacheKey

__all__ = ["BYTES", "CacheHarness", "a_key", "a_value", "value_of"]

BYTES = 100_000
"""What `a_value` takes, and a little less than what it takes written."""


class CacheHarness(Protocol):
    """Makes caches that lie on the same data, which belong to one test alone."""

    def cache(self, max_bytes: int | None = None) -> Cache:
        """Return a new cache; it may be the same one again where that alone has the data."""


def a_key(name: str = "a", task: str = "shop:load", **fields: Any) -> CacheKey:
    """Return the key of a call that is told from others by its name.

    Examples:
        >>> a_key("a") == a_key("a"), a_key("a") == a_key("b")
        (True, False)
    """
    digest = sha256(f"{task} {name}".encode()).hexdigest()
    given = {"arguments": {"name": digest[:8]}, "code": {task: "c0de"}, **fields}
    return CacheKey(digest, task, **given)


def a_value(letter: str) -> str:
    """Return a text of `BYTES` letters."""
    return letter * BYTES


async def value_of(cache: Cache, key: CacheKey) -> Any:
    """Return the value that is remembered, or None."""
    found = await cache.get(key)
    return None if found is None else found.value
