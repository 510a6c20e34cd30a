"""Which entries a cache lets go: what was not used for too long, and then what is too much."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cascade.interfaces.cache import CacheEntry

__all__ = ["to_evict"]


def to_evict(
    entries: Iterable[CacheEntry],
    total: int,
    now: float,
    *,
    max_bytes: int | None,
    max_age: float | None,
) -> Iterator[CacheEntry]:
    """Yield the entries that go, one by one.

    Args:
        entries: all there are, those first that were not used for longest.
        total: the bytes of all of them.
        now: the Unix time.
        max_bytes: bytes that may stay; None for any number.
        max_age: seconds that one may stay unused; None for ever.
    """
    for entry in entries:
        is_old = max_age is not None and entry.used_at < now - max_age
        is_much = max_bytes is not None and total > max_bytes
        if not (is_old or is_much):
            return
        yield entry
        total -= entry.size
