"""The books of a broker: who stands under which filter, and so whom a topic reaches.

Filters without wildcards lie in a dict, the others in a trie.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TypeAlias

from cascade.connectors.local.dispatcher import Dispatcher
from cascade.connectors.local.recipient import Delivery
from cascade.connectors.local.share import ShareGroup
from cascade.connectors.local.subscription import Subscription
from cascade.interfaces.topics import Filters, FilterTrie, has_wildcard, shared_filter

__all__ = ["FilterBook", "Listener"]

Listener: TypeAlias = Subscription | ShareGroup
"""Who stands under a filter."""

_NOBODY: dict[Listener, None] = {}
_by_number = attrgetter("number")


class FilterBook:
    """Filters, each with those who listen to it.

    Attributes:
        exact: those under filters without wildcards, which are topics.
    """

    def __init__(self, post: Callable[[Dispatcher, Delivery], None]) -> None:
        """Begin with none; ``post`` leaves a message at another loop."""
        self.exact: dict[str, dict[Listener, None]] = {}
        self._wildcards: FilterTrie[Listener] = FilterTrie()
        self._groups: dict[str, ShareGroup] = {}
        self._post = post

    def add(self, subscription: Subscription) -> Filters | None:
        """Enter a subscription; return the topics that go somewhere else now, or None where many may."""
        share = subscription.filters[0]
        if share[0] != "$" or not (shared := shared_filter(share)):
            return self._enter(subscription.filters, subscription)
        group = self._groups.get(share)
        if group is None:
            group = self._groups[share] = ShareGroup(subscription.number, self._post)
            self._enter((shared,), group)
        group.join(subscription)
        return None

    def remove(self, subscription: Subscription) -> Filters | None:
        """Strike a subscription out; return the topics that go somewhere else now, or None where many may.

        Raises:
            KeyError: it does not stand here.
        """
        share = subscription.filters[0]
        if share[0] != "$" or not (shared := shared_filter(share)):
            return self._strike(subscription.filters, subscription)
        group = self._groups[share]
        group.leave(subscription)
        if not group.members:
            del self._groups[share]
            self._strike((shared,), group)
        return None

    def match(self, topic: str) -> list[Listener]:
        """Return those whom a topic reaches, each once, in the order they subscribed."""
        found = dict.fromkeys(self._wildcards.match(topic))
        found.update(self.exact.get(topic, _NOBODY))
        return sorted(found, key=_by_number)

    def _enter(self, filters: Filters, listener: Listener) -> Filters | None:
        topics: Filters | None = filters
        for topic_filter in filters:
            if has_wildcard(topic_filter):
                self._wildcards.add(topic_filter, listener)
                topics = None
            else:
                self.exact.setdefault(topic_filter, {})[listener] = None
        return topics

    def _strike(self, filters: Filters, listener: Listener) -> Filters | None:
        topics: Filters | None = filters
        for topic_filter in filters:
            if has_wildcard(topic_filter):
                self._wildcards.remove(topic_filter, listener)
                topics = None
                continue
            same = self.exact[topic_filter]
            del same[listener]
            if not same:
                del self.exact[topic_filter]
        return topics
