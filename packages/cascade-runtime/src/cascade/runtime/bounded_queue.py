"""A queue with a limit and a stated policy for when it is full; subscriptions and mailboxes share it."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Collection
from typing import Generic, TypeVar, get_args

from cascade.common.messaging import bus
from cascade.interfaces.protocols import OverflowPolicy
from cascade.interfaces.topics import Filters

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
    """First in, first out, at most ``limit`` items; what happens to one more is the policy's word.

    ``wait`` takes the item and asks the producer to await `room`; ``drop_oldest`` and
    ``drop_newest`` drop, count and report; ``error`` refuses.

    One loop takes; others may put and wait for room from other threads. An empty queue that was never
    used, or was emptied at once, holds next to no memory: agents have one each.

    Attributes:
        items: what waits, the oldest first, or None; only to be looked at.
        dropped: how many items were dropped.
    """

    __slots__ = ("_limit", "_lock", "_name", "_policy", "_waiters", "_warn_at", "dropped", "items")

    def __init__(self, name: str | Filters, limit: int, policy: OverflowPolicy) -> None:
        """Make an empty queue; the name is what reports show, such as the topic filters."""
        self.items: deque[T] | None = None
        self._name = name
        self._limit = limit
        self._policy = policy
        self._lock = threading.Lock()
        self._waiters: list[asyncio.Future[None]] | tuple[()] = ()
        self._warn_at = 1
        self.dropped = 0

    def __len__(self) -> int:
        """Return how many items wait."""
        return len(self.items) if self.items else 0

    def put(self, item: T) -> bool:
        """Add an item as the policy says; False means: there is no room for more.

        With ``wait`` a False still took the item; with ``error`` it did not.
        """
        items = self.items
        if items is None:
            items = self._begin()
        if len(items) < self._limit:
            items.append(item)
            return True
        if self._policy == "wait":
            items.append(item)
            return False
        if self._policy == "error":
            return False
        if self._policy == "drop_oldest":
            items.popleft()
            items.append(item)
        self._count_drop()
        return True

    def _begin(self) -> deque[T]:
        with self._lock:  # two threads may come with the first item
            if self.items is None:
                self.items = deque()
            return self.items

    def put_back(self, item: T) -> None:
        """Return an item that was taken and not used; it comes first again."""
        self._begin().appendleft(item)

    def take(self) -> T:
        """Take the oldest item.

        Raises:
            IndexError: there is none.
        """
        items = self.items
        if items is None:
            raise IndexError("an empty queue has nothing to take")
        item = items.popleft()
        if not items:
            self._warn_at = 1
        if self._waiters and len(items) <= self._limit:
            self._wake_all()
        return item

    def take_all(self) -> Collection[T]:
        """Take every item, the oldest first; not while another thread puts some."""
        items, self.items = self.items or (), None
        self._warn_at = 1
        if self._waiters:
            self._wake_all()
        return items

    def clear(self) -> None:
        """Forget all items, and let whoever waits for room go on."""
        if self.items is not None:
            self.items.clear()
        if self._waiters:
            self._wake_all()

    def has_room(self) -> bool:
        """Tell whether the queue is within its limit."""
        return len(self) <= self._limit

    async def room(self) -> None:
        """Wait until the queue is within its limit."""
        while not self.has_room():
            waiter = asyncio.get_running_loop().create_future()
            with self._lock:
                self._waiters = [*self._waiters, waiter]
            if self.has_room():  # since we looked: whoever took may not have seen the waiter
                self._wake_all()
            await waiter

    def warn_of_growth(self) -> None:
        """Report that the queue grows past its limit because its producer must not wait."""
        excess = len(self) - self._limit
        if excess >= self._warn_at:  # each time it has doubled: a flood is not echoed
            self._warn_at = 2 * excess
            bus.warning(
                "localbus.queue_growing", topic=self._shown(), queued=len(self), limit=self._limit
            )

    def _shown(self) -> str:
        return self._name if isinstance(self._name, str) else ", ".join(self._name)

    def _count_drop(self) -> None:
        self.dropped += 1
        if self.dropped & (self.dropped - 1) == 0:
            bus.warning(
                "localbus.queue_overflow",
                topic=self._shown(),
                policy=self._policy,
                dropped=self.dropped,
            )

    def _wake_all(self) -> None:
        with self._lock:
            waiters, self._waiters = self._waiters, ()
        for waiter in waiters:
            loop = waiter.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(_release, waiter)


def _release(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
