"""A queue with a limit and a stated policy for when it is full; subscriptions and mailboxes share it."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Collection
from typing import Generic, TypeVar, get_args

from cascade.common.messaging import bus
from cascade.interfaces.protocols import OverflowPolicy
from cascade.interfaces.topics import Filters
from cascade.runtime.concurrency.futures import release

__all__ = ["DEFAULT_LIMIT", "BoundedQueue", "check_bounds"]

T = TypeVar("T")

DEFAULT_LIMIT = 65_536
"""How many messages a queue holds where nobody says otherwise."""


def check_bounds(limit: int, policy: OverflowPolicy) -> None:
    """Refuse a limit or policy that makes no sense.

    Raises:
        ValueError: the limit is below 1, or the policy has another name.
    """
    if limit < 1:
        raise ValueError(f"a queue holds at least 1 message, not {limit}")
    if policy not in get_args(OverflowPolicy):
        raise ValueError(
            f"an overflow policy is one of {', '.join(get_args(OverflowPolicy))}, not {policy!r}"
        )


class BoundedQueue(Generic[T]):
    """First in, first out, at most ``limit`` items; the policy decides about one more.

    ``wait`` is back-pressure: the item is taken, and the producer is asked to await
    `wait_for_capacity`; ``drop_oldest`` and ``drop_newest`` drop, count and report; ``error`` refuses.

    One loop gets; others may put and wait for capacity from other threads. An empty queue that was
    never used, or was emptied at once, holds next to no memory: agents have one each.

    Attributes:
        limit: how many items it holds.
        policy: what happens to one more.
        items: what waits, the oldest first, or None; only to be looked at.
        dropped: how many items were dropped.
    """

    __slots__ = (
        "_is_own",
        "_lock",
        "_name",
        "_waiters",
        "_warn_at",
        "dropped",
        "items",
        "limit",
        "policy",
    )

    def __init__(
        self,
        name: str | Filters,
        limit: int,
        policy: OverflowPolicy,
        is_own: Callable[[], bool] | None = None,
    ) -> None:
        """Make an empty queue.

        Args:
            name: what reports show, such as the topic filters.
            limit: how many items it holds.
            policy: what happens to one more.
            is_own: tells, in a producer's context, whether that is the very one who empties it.
        """
        self.items: deque[T] | None = None
        self._name = name
        self._is_own = is_own
        self.limit = limit
        self.policy = policy
        self._lock = threading.Lock()
        self._waiters: list[asyncio.Future[None]] | tuple[()] = ()
        self._warn_at = 1
        self.dropped = 0

    def __len__(self) -> int:
        """Return how many items wait."""
        return len(self.items) if self.items else 0

    @property
    def name(self) -> str:
        """What reports call it."""
        return self._name if isinstance(self._name, str) else ", ".join(self._name)

    def put_nowait(self, item: T) -> bool:
        """Add an item as the policy says; False means that the queue is full.

        With ``wait`` a False still took the item; with ``error`` it did not.
        """
        items = self.items
        if items is None:
            items = self._allocate()
        if len(items) < self.limit:
            items.append(item)
            return True
        if self.policy == "wait":
            items.append(item)
            return False
        if self.policy == "error":
            return False
        if self.policy == "drop_oldest":
            items.popleft()
            items.append(item)
        self.count_drop()
        return True

    def _allocate(self) -> deque[T]:
        with self._lock:  # two threads may come with the first item
            if self.items is None:
                self.items = deque()
            return self.items

    def insert(self, item: T, number: Callable[[T], int]) -> None:
        """Put back an item that was not used after all, by its number among those that wait."""
        items = self._allocate()
        place = sum(number(each) < number(item) for each in items)
        items.insert(place, item)

    def remove(self, item: T) -> None:
        """Remove an item, wherever it waits.

        Raises:
            ValueError: it is not here.
        """
        items = self.items or deque()
        if items and items[0] is item:
            self.get_nowait()
            return
        del items[[each is item for each in items].index(True)]
        if self._waiters and len(items) <= self.limit:
            self._wake_waiters()

    def get_nowait(self) -> T:
        """Remove and return the oldest item.

        Raises:
            IndexError: there is none.
        """
        items = self.items
        if items is None:
            raise IndexError("the queue is empty")
        item = items.popleft()
        if not items:
            self._warn_at = 1
        if self._waiters and len(items) <= self.limit:
            self._wake_waiters()
        return item

    def drain(self) -> Collection[T]:
        """Remove and return every item, the oldest first; not while another thread puts some."""
        items, self.items = self.items or (), None
        self._warn_at = 1
        if self._waiters:
            self._wake_waiters()
        return items

    def clear(self) -> None:
        """Drop all items without counting them, and let whoever waits for capacity go on."""
        if self.items is not None:
            self.items.clear()
        if self._waiters:
            self._wake_waiters()

    def over_capacity(self) -> bool:
        """Return whether more items wait than the limit allows, so that producers have to wait."""
        return len(self) > self.limit

    async def wait_for_capacity(self) -> None:
        """Wait until the queue is within its limit."""
        while self.over_capacity():
            waiter = asyncio.get_running_loop().create_future()
            with self._lock:
                self._waiters = [*self._waiters, waiter]
            if not self.over_capacity():  # since we looked: the consumer may have missed the waiter
                self._wake_waiters()
            await waiter

    async def hold_producer(self) -> None:
        """Wait until the queue is within its limit; who empties it itself must not wait for that."""
        if self._is_own is not None and self._is_own():
            self.report_growth()
        else:
            await self.wait_for_capacity()

    def report_growth(self) -> None:
        """Report that the queue grows past its limit because its producer must not wait."""
        excess = len(self) - self.limit
        if excess >= self._warn_at:  # each time it has doubled: a flood is not echoed
            self._warn_at = 2 * excess
            bus.warning("queue.growing", topic=self.name, queued=len(self), limit=self.limit)

    def count_drop(self) -> None:
        """Count and report an item that was dropped, or refused before it was put."""
        self.dropped += 1
        if self.dropped & (self.dropped - 1) == 0:
            bus.warning("queue.overflow", topic=self.name, policy=self.policy, dropped=self.dropped)

    def _wake_waiters(self) -> None:
        with self._lock:
            waiters, self._waiters = self._waiters, ()
        for waiter in waiters:
            loop = waiter.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(release, waiter)
