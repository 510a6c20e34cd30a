"""What a mailbox hears by: its sources, each one subscription and the share of signals it brought."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, NamedTuple, Protocol, cast

from cascade.interfaces.protocols import (
    Connector,
    MessageCallback,
    ServesReceivers,
    SubscriptionHandle,
)
from cascade.interfaces.topics import Filters, matches, shared_filter
from cascade.runtime.concurrency.bounded_queue import BoundedQueue

__all__ = [
    "Receiver",
    "Signal",
    "Source",
    "by_number",
    "is_asked_for",
    "match",
    "oldest_in",
    "split",
]


class Signal(NamedTuple):
    """A message in a mailbox."""

    number: int
    """Its place in the order of arrival."""

    topic: str
    payload: Any
    """Where something came beside it, a `Carried`."""

    source: Source


class Receiver(Protocol):
    """Where a source brings what it hears."""

    connector: Connector

    @property
    def is_direct(self) -> bool:
        """Whether it takes messages inside their delivery, by `accept`."""

    def accept(self, source: Source, message: tuple[str, Any], is_over: Callable[[], bool]) -> bool:
        """Take a message inside its delivery; False says that its publisher has to wait."""

    async def receive(self, source: Source, topic: str, payload: Any) -> None:
        """Take a message."""

    def backlog(self, source: Source) -> int | None:
        """Return how many signals lie before the next one of a source; None where it takes none."""


class Source:
    """One subscription of a mailbox, and what came by it."""

    __slots__ = (
        "filters",
        "had",
        "handle",
        "is_opening",
        "is_shared",
        "is_spent",
        "keeps",
        "mailbox",
        "pass_on",
        "queue",
    )

    def __init__(
        self, mailbox: Receiver, filters: Filters, queue: BoundedQueue[Signal] | None
    ) -> None:
        self.mailbox = mailbox
        self.filters = filters
        self.queue = queue
        """None where nothing is kept, for a ``recv`` that waits alone."""
        self.handle: SubscriptionHandle | None = None
        self.had: tuple[str, Any] | None = None
        """A message that is on its way to it, and that its mailbox has had already."""
        self.is_opening = True
        self.is_spent = False
        self.is_shared = filters[0].startswith("$share/")
        self.pass_on: Callable[[list[tuple[str, Any]]], int] | None = None
        """Gives what was left unread to others who share it, where the connector can."""
        self.keeps = queue is not None
        """Whether it brings signals that are kept until somebody takes them."""

    @property
    def brings_more(self) -> bool:
        """Whether it is subscribed, and not only holds what was given back."""
        return self.is_opening or self.handle is not None

    @property
    def accept(self) -> Callable[[tuple[str, Any], Callable[[], bool]], bool]:
        """How a connector hands over a message inside its delivery."""
        return partial(self.mailbox.accept, self)

    def backlog(self) -> int | None:
        """Return how many signals lie before its next one; None where it takes none."""
        return self.mailbox.backlog(self)

    def callback(self) -> MessageCallback:
        """Return what is called with each message."""
        return _Member(self) if self.is_shared else partial(self.mailbox.receive, self)

    async def open(self) -> None:
        """Subscribe; one filter alone goes as plain text, which any connector takes."""
        filters = self.filters
        topic = filters[0] if len(filters) == 1 else filters
        mailbox = self.mailbox
        if mailbox.is_direct:
            serving = cast("ServesReceivers", mailbox.connector)  # so `is_direct` says
            self.handle = await serving.subscribe_receiver(topic, self)
        else:
            self.handle = await mailbox.connector.subscribe(topic, self.callback())
        self.is_opening = False
        if self.is_shared:
            self.pass_on = getattr(self.handle, "pass_on", None)

    async def close(self) -> None:
        """Unsubscribe."""
        handle, self.handle = self.handle, None
        if handle is not None:
            await handle.unsubscribe()

    def leave_unread(self) -> int:
        """Pass on what was never taken, where it is shared; return how many signals nobody gets."""
        if self.queue is None:
            return 0
        left = [(signal.topic, signal.payload) for signal in self.queue.drain()]
        return len(left) - (self.pass_on(left) if left and self.pass_on is not None else 0)


class _Member:
    """A source as one of those who share messages: it says how it stands."""

    __slots__ = ("_source",)

    def __init__(self, source: Source) -> None:
        self._source = source

    def __call__(self, topic: str, payload: Any) -> Coroutine[Any, Any, None]:
        return self._source.mailbox.receive(self._source, topic, payload)

    def backlog(self) -> int | None:
        return self._source.mailbox.backlog(self._source)


def split(filters: Filters) -> list[Filters]:
    """Separate what is subscribed to apart: each shared filter from all the others."""
    shared: list[Filters] = [(each,) for each in filters if shared_filter(each)]
    others = tuple([each for each in filters if not shared_filter(each)])
    return [others, *shared] if others else shared


def match(filters: Filters, topic: str) -> bool:
    """Return whether a message on a topic comes by these filters, a shared one left aside."""
    return any(each == topic or (each[0] != "$" and matches(each, topic)) for each in filters)


def is_asked_for(signal: Signal, filters: Filters) -> bool:
    """Return whether a signal is one that these filters ask for, by the share it came by, too."""
    came_by = signal.source.filters
    if came_by is filters or came_by == filters:
        return True
    if signal.source.is_shared:
        return came_by[0] in filters
    return match(filters, signal.topic)


def oldest_in(source: Source, items: Any, filters: Filters) -> Signal | None:
    """Return a source's oldest signal that matches."""
    if source.filters is filters or source.filters == filters:
        return items[0]  # type: ignore[no-any-return]  # a deque of signals
    return next((each for each in items if is_asked_for(each, filters)), None)


def by_number(signal: Signal) -> int:
    """Return a signal's place in the order of arrival."""
    return signal.number
