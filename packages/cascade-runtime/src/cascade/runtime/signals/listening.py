"""What an agent's mailbox listens to: its sources, opened and closed, and by which of them a message counts.

Each set of filters that the agent listens to is a source: a subscription, and the share of the queue
that came by it, bounded on its own. A ``recv`` that waits for more than the sources bring widens them
by one of its own, until it returns.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from cascade.interfaces.protocols import Connector, OverflowPolicy
from cascade.interfaces.topics import Filters
from cascade.runtime.concurrency.bounded_queue import BoundedQueue
from cascade.runtime.signals.heard import Heard
from cascade.runtime.signals.source import Signal, Source, match, split
from cascade.runtime.signals.waiter import Waiter

__all__ = ["Listening"]


class Listening(ABC):
    """The listening half of a mailbox.

    Attributes:
        connector: where its signals come from.
        carries: whether a payload may be a `Carried`.
        is_direct: whether its connector hands messages to `accept`, and not to `receive`.
    """

    __slots__ = (
        "_heard",
        "_is_own",
        "_limit",
        "_overflow",
        "_sources",
        "carries",
        "connector",
        "is_direct",
    )

    def __init__(
        self,
        connector: Connector,
        limit: int,
        overflow: OverflowPolicy,
        is_own: Callable[[], bool] | None,
    ) -> None:
        """Listen to nothing yet.

        Args:
            connector: where signals come from.
            limit: signals that are held for each filter.
            overflow: what happens to one more.
            is_own: tells whether it is the agent itself that publishes just now.
        """
        self.connector = connector
        self.carries = getattr(connector, "carries_properties", False)
        self.is_direct = not self.carries and hasattr(connector, "subscribe_receiver")
        self._is_own = is_own
        self._limit = limit
        self._overflow: OverflowPolicy = overflow
        self._sources: list[Source] = []
        self._heard: Heard | None = None

    @abstractmethod
    def accept(self, source: Source, message: tuple[str, Any], is_over: Callable[[], bool]) -> bool:
        """Take a message inside its delivery."""

    @abstractmethod
    async def receive(self, source: Source, topic: str, payload: Any) -> None:
        """Take a message."""

    @abstractmethod
    def backlog(self, source: Source) -> int | None:
        """Return how many signals lie before the next one of a source; None where it takes none."""

    def listens_to(self, filters: Filters) -> bool:
        """Return whether everything that these filters match is kept in any case."""
        for source in self._sources:
            if source.keeps and (source.filters is filters or source.filters == filters):
                return True
        kept = [each.filters for each in self._sources if each.keeps]
        return all(any(each in known for known in kept) for each in filters)

    async def listen(self, filters: Filters) -> None:
        """Keep what arrives on these filters, from now until `close`."""
        for each in split(filters):
            await self._open(Source(self, each, self._queue(each)))

    def _queue(self, filters: Filters) -> BoundedQueue[Signal]:
        return BoundedQueue(filters, self._limit, self._overflow, self._is_own)

    async def widen(self, waiter: Waiter) -> None:
        """Bring what somebody waits for and the mailbox does not listen to; keep nothing of it."""
        waiter.own = [Source(self, each, None) for each in split(waiter.filters)]
        for source in waiter.own:
            await self._open(source)

    async def _open(self, source: Source) -> None:
        self._sources.append(source)
        try:
            await source.open()
        except BaseException:
            self._drop(source)
            raise

    def _drop(self, source: Source) -> None:
        """Take nothing more from a source; it is still to be closed."""
        self._sources = [each for each in self._sources if each is not source]

    async def close(self) -> int:
        """End all subscriptions; return how many signals were never taken."""
        sources, self._sources = self._sources, []
        for source in sources:
            await source.close()
        return sum(source.leave_unread() for source in sources)

    # --- a message comes once -----------------------------------------------------------------

    def _refuses(self, source: Source, topic: str, payload: Any) -> bool:
        """Return whether a message is not for this mailbox, since it has it already."""
        for other in self._sources:
            if other is source:
                break
            if source.is_shared:  # which comes beside all others
                continue
            if other.brings_more and match(other.filters, topic):
                return not (source.is_opening and other.is_spent)  # it comes by that one
        else:
            return True  # the source has been dropped
        if source.is_opening and self._heard is not None and self._heard.last(topic, payload):
            return True  # it is retained, and was here before
        if source.queue is None:
            self._heard = self._heard or Heard()
            self._heard.note(topic, payload)
        return False

    def _kept_by(self, source: Source, topic: str) -> Source | None:
        """Return the source that keeps what another one brought, if any does."""
        if source.is_shared:
            return None
        kept = (each for each in self._sources if each.keeps)
        return next((each for each in kept if match(each.filters, topic)), None)

    def _mark_had(self, source: Source, message: tuple[str, Any]) -> None:
        """Have the sources behind this one, which get a message next, leave it aside."""
        for other in self._sources[self._sources.index(source) + 1 :]:
            if not other.is_shared and match(other.filters, message[0]):
                other.had = message
