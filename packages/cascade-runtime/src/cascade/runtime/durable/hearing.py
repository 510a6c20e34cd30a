"""Mailboxes whose subscriptions bring signals into the store, and can go from one of them to another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextvars import Context
from typing import TYPE_CHECKING, Any, NamedTuple

from cascade.common.messaging import bus
from cascade.interfaces.acknowledgement import hold
from cascade.interfaces.errors import EncodeError
from cascade.interfaces.store import Letter, Store
from cascade.interfaces.topics import Filters
from cascade.runtime.concurrency.clock import unix_time
from cascade.runtime.durable.values import write_payload
from cascade.runtime.signals.heard import Heard
from cascade.runtime.signals.mailbox import Mailbox
from cascade.runtime.signals.muting import Muted
from cascade.runtime.signals.source import Source, split

if TYPE_CHECKING:
    from cascade.runtime.durable.said import Said
    from cascade.runtime.signals.waiter import Waiter

__all__ = ["Hearing", "Moved", "topic_of"]

_SHARE_ENDS = "\n"  # which no topic has


def topic_of(stored: str) -> tuple[str, str]:
    """Return the share that a stored signal came by, empty for none, and its topic."""
    share, _, topic = stored.rpartition(_SHARE_ENDS)
    return share, topic


class StoredSource(Source):
    """A subscription that may go from one mailbox to another."""

    __slots__ = ()

    async def open(self) -> None:
        """Subscribe apart from the step that asks for it, which is not kept in memory by that."""
        loop = asyncio.get_running_loop()
        await loop.create_task(super().open(), context=Context())

    def callback(self) -> Any:
        """Return what has the mailbox of that moment take a message."""
        return super().callback() if self.is_shared else self._receive

    async def _receive(self, topic: str, payload: Any) -> None:
        await self.mailbox.receive(self, topic, payload)


class Moved(NamedTuple):
    """What one mailbox hands over to another."""

    sources: Sequence[Source]
    heard: Heard | None
    muted: Muted | None


class Hearing(Mailbox):
    """Has what its subscriptions bring put into the store.

    Attributes:
        name: whose signals these are.
        arriving: what is not in the store yet.
        looking: how many messages it is just looking at.
    """

    __slots__ = ("_releases", "_said", "arriving", "looking", "name")

    def __init__(self, name: str, said: Said, *mailbox: Any) -> None:
        """Be the mailbox of an agent."""
        super().__init__(*mailbox)
        self.is_direct = False  # a signal goes to the store first
        self.name = name
        self.arriving: list[Letter] = []
        self.looking = 0
        self._said = said
        self._releases: list[Any] = []

    def store_soon(self) -> object:
        """Have what arrives stored."""
        raise NotImplementedError

    # --- subscriptions ------------------------------------------------------------------------

    async def widen(self, waiter: Waiter) -> None:
        """Bring what somebody waits for and the mailbox does not listen to."""
        waiter.own = [StoredSource(self, each, None) for each in split(waiter.filters)]
        for source in waiter.own:
            await self._open(source)

    def take_over(self, moved: Moved) -> None:
        """Go on hearing what another mailbox heard."""
        self._heard, self._muted = moved.heard, moved.muted
        for source in moved.sources:
            source.mailbox = self
            self._sources.append(source)

    def hears(self, filters: Filters) -> bool:
        """Return whether it is subscribed to all of these filters."""
        subscribed = {
            each for source in self._sources if source.handle is not None for each in source.filters
        }
        return subscribed.issuperset(filters)

    # --- arriving -----------------------------------------------------------------------------

    async def receive(self, source: Source, topic: str, payload: Any) -> None:
        """Take a message that a source brought, unless a durable agent of this store said it."""
        self.looking += 1
        try:
            if await self._said.has(topic, payload):
                return  # it comes by the store
        finally:
            self.looking -= 1
        if self._refuses(source, topic, payload):
            return
        if self._muted is not None and self._is_muted(source.filters, topic):
            return
        try:
            data = write_payload(topic, payload)
        except EncodeError as error:
            bus.error("durable.signal_refused", agent=self.name, topic=topic, error=error)
            return
        stored = f"{source.filters[0]}{_SHARE_ENDS}{topic}" if source.is_shared else topic
        self.arriving.append(Letter(stored, data, to=self.name))
        if (held := hold.get()) is not None:
            self._releases.append(held())
        self.store_soon()

    async def put_into(self, store: Store) -> None:
        """Put what arrived into the store."""
        letters, releases = [*self.arriving], [*self._releases]
        if letters:
            await store.deliver(letters, unix_time())
            del self.arriving[: len(letters)]
        for release in releases:
            release()
        del self._releases[: len(releases)]
