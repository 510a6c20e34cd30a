"""`MemoryCache`: the default cache, as large as it is told to become."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator, MutableMapping
from heapq import heappop, heappush
from itertools import count
from typing import Any, TypeAlias

from cascade.runtime.concurrency.clock import unix_time

__all__ = ["MemoryCache"]

Entry: TypeAlias = tuple[Any, float | None]
"""A value, and the Unix time in seconds until which it is good; None is for ever."""


class MemoryCache(MutableMapping[Hashable, Entry]):
    """Keeps the entries that were used last; what is past its time goes with the next new one.

    Examples:
        >>> cache = MemoryCache(max_entries=2)
        >>> for key in "abc":
        ...     cache[key] = (key.upper(), None)
        >>> list(cache)
        ['b', 'c']
    """

    def __init__(self, max_entries: int = 10_000) -> None:
        """Begin empty.

        Raises:
            ValueError: ``max_entries`` is below 1.
        """
        if max_entries < 1:
            raise ValueError(f"max_entries is at least 1, not {max_entries}")
        self._max_entries = max_entries
        self._entries: OrderedDict[Hashable, Entry] = OrderedDict()
        self._ends: list[tuple[float, int, Hashable]] = []  # a heap
        self._numbers = count()  # keys need not compare

    def __getitem__(self, key: Hashable) -> Entry:
        """Return an entry, which counts as used."""
        entry = self._entries[key]
        self._entries.move_to_end(key)
        return entry

    def __setitem__(self, key: Hashable, entry: Entry) -> None:
        """Keep an entry, instead of what is past its time or was not used for longest."""
        self._entries[key] = entry
        self._entries.move_to_end(key)
        if entry[1] is not None:
            heappush(self._ends, (entry[1], next(self._numbers), key))
            self._drop_expired()
        if len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)

    def __delitem__(self, key: Hashable) -> None:
        """Drop an entry."""
        del self._entries[key]

    def __iter__(self) -> Iterator[Hashable]:
        """Go through the keys, what was not used for longest first."""
        return iter(self._entries)

    def __len__(self) -> int:
        """Return how many entries there are."""
        return len(self._entries)

    def _drop_expired(self) -> None:
        now = unix_time()
        while self._ends and self._ends[0][0] <= now:
            end, _, key = heappop(self._ends)
            entry = self._entries.get(key)
            if entry is not None and entry[1] == end:  # else it was renewed since
                del self._entries[key]
