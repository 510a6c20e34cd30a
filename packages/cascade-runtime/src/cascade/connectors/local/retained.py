"""The retained messages of a broker: the last payload of each topic that has one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from operator import attrgetter

from cascade.connectors.local.message import Message
from cascade.interfaces.topics import Filters, TopicTrie, has_wildcard

__all__ = ["RetainedMessages"]

_by_number = attrgetter("number")


class _Entry:
    """A topic's last payload, and when it came."""

    __slots__ = ("message", "number")

    def __init__(self, message: Message, number: int) -> None:
        self.message = message
        self.number = number


class RetainedMessages:
    """Keeps one message for each topic; the broker's lock guards it.

    Attributes:
        by_topic: the topics that have one; only to be looked at.
    """

    __slots__ = ("_numbers", "_trie", "by_topic")

    def __init__(self) -> None:
        """Keep nothing yet."""
        self.by_topic: dict[str, _Entry] = {}
        self._trie: TopicTrie[_Entry] = TopicTrie()
        self._numbers: Iterator[int] = count()

    def keep(self, message: Message) -> None:
        """Keep a message instead of its topic's last one."""
        topic = message[0]
        entry = self.by_topic.get(topic)
        if entry is not None:
            entry.message, entry.number = message, next(self._numbers)
        else:
            entry = self.by_topic[topic] = _Entry(message, next(self._numbers))
            self._trie.add(topic, entry)

    def discard(self, topic: str) -> None:
        """Keep no message for a topic."""
        entry = self.by_topic.pop(topic, None)
        if entry is not None:
            self._trie.remove(topic, entry)

    def match(self, filters: Filters) -> list[Message]:
        """Return what is kept for any of the filters, the oldest first, each message once."""
        found: list[_Entry] = []
        for topic_filter in filters:
            if has_wildcard(topic_filter):
                found += self._trie.match(topic_filter)
            elif topic_filter in self.by_topic:
                found.append(self.by_topic[topic_filter])
        if len(filters) > 1:  # a topic may match several
            found = list(dict.fromkeys(found))
        found.sort(key=_by_number)
        return [entry.message for entry in found]
