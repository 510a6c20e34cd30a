"""`MemoryCache`: the default cache, as large as it is told to become."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from heapq import heappop, heappush
from itertools import count
from types import MappingProxyType
from typing import Any, NamedTuple

from cascade.interfaces.cache import CachedValue, CacheEntry, CacheKey
from cascade.runtime.concurrency.clock import unix_time
from cascade.spec.containers import ATOMS, KINDS

__all__ = ["MemoryCache"]

_NOTHING: Mapping[str, str] = MappingProxyType({})


class _Kept(NamedTuple):
    """A value, with what is said of it."""

    cached: CachedValue
    entry: CacheEntry


class MemoryCache:
    """Keeps the values that were used last, in this process; what is past its time goes with the next new one.

    Values are kept as they are: who changes one changes it for all who get it.

    Examples:
        >>> import cascade as cs
        >>> @cs.task
        ... def load(year: int) -> list[int]:
        ...     return [year] * 1000
        >>> cache = MemoryCache(max_bytes=100_000)
        >>> _ = cs.run([load.with_cache()(year) for year in range(50)], cache=cache)
        >>> len(cache)
        12
    """

    is_lasting = False

    def __init__(self, max_entries: int = 10_000, *, max_bytes: int | None = None) -> None:
        """Begin empty.

        Args:
            max_entries: how many values are kept at most.
            max_bytes: how many bytes these take at most, as far as that can be told from outside: what
                arrays, tables, texts and containers of these take. Without a bound nothing is counted.

        Raises:
            ValueError: a bound is below 1.
        """
        if max_entries < 1 or (max_bytes is not None and max_bytes < 1):
            raise ValueError(
                f"max_entries and max_bytes are at least 1, not {max_entries} and {max_bytes}"
            )
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._ends: list[tuple[float, int, str]] = []  # a heap
        self._numbers = count()

    def __len__(self) -> int:
        """Return how many values there are."""
        return len(self._kept)

    async def get(self, key: CacheKey) -> CachedValue | None:
        """Return the value that is remembered and still good, or None."""
        kept = self._kept.get(key.digest)
        if kept is None:
            return None
        end = kept.entry.good_until
        if end is not None and end <= unix_time():
            return None
        self._kept.move_to_end(key.digest)
        return kept.cached

    async def put(
        self,
        key: CacheKey,
        value: Any,
        *,
        good_until: float | None = None,
        outputs: Mapping[str, str] = _NOTHING,
    ) -> None:
        """Remember a value, instead of what is past its time or was not used for longest."""
        now = unix_time()
        size = 0 if self._max_bytes is None else _bytes_of(value)
        entry = CacheEntry.of(key, now, good_until, outputs, size=size)
        self._drop(key.digest)
        self._drop_expired(now)
        if self._max_bytes is not None and size > self._max_bytes:
            return
        self._kept[key.digest] = _Kept(CachedValue(value, entry.outputs), entry)
        self._bytes += size
        if good_until is not None:
            heappush(self._ends, (good_until, next(self._numbers), key.digest))
        self._evict()

    def lock(self, key: CacheKey) -> AbstractAsyncContextManager[None]:
        """Do nothing: no other process has these values."""
        del key
        return nullcontext()

    async def entries(self, task: str | None = None) -> Sequence[CacheEntry]:
        """Return what there is, the newest first; ``used_at`` stays the time of writing."""
        found = [kept.entry for kept in self._kept.values() if task in {None, kept.entry.task}]
        found.sort(key=lambda entry: -entry.created_at)
        return [replace(entry) for entry in found]

    async def clear(self, task: str | None = None) -> int:
        """Forget what there is, of a task or of all."""
        found = [entry.digest for entry in await self.entries(task)]
        for digest in found:
            self._drop(digest)
        return len(found)

    async def aclose(self) -> None:
        """Do nothing: what is remembered stays."""

    def _drop(self, digest: str) -> None:
        kept = self._kept.pop(digest, None)
        if kept is not None:
            self._bytes -= kept.entry.size

    def _drop_expired(self, now: float) -> None:
        while self._ends and self._ends[0][0] <= now:
            end, _, digest = heappop(self._ends)
            kept = self._kept.get(digest)
            if kept is not None and kept.entry.good_until == end:  # else it was renewed since
                self._drop(digest)

    def _evict(self) -> None:
        most = self._max_bytes
        while len(self._kept) > self._max_entries or (most is not None and self._bytes > most):
            self._drop(next(iter(self._kept)))


def _bytes_of(value: Any) -> int:
    """Return how many bytes a value takes, with what it holds; what it holds twice counts once."""
    total, waiting, seen = 0, [value], set()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        total += max(sys.getsizeof(each, 0), _data_of(each))
        kind = KINDS[type(each)]
        if kind is not None:
            waiting.extend(kind.parts(each))
            waiting.extend(kind.unordered(each) if kind.unordered is not None else ())
        elif type(each) not in ATOMS:
            waiting.extend(getattr(each, "__dict__", {}).values())
    return total


def _data_of(value: Any) -> int:
    """Return the size of what an array or a view shows of memory that may be another's."""
    size = getattr(value, "nbytes", 0)
    return size if isinstance(size, int) else 0
