"""Which filters the broker is asked for, by how many subscriptions, and which copy counts.

A broker may send a message once for each of a client's filters that match it (MQTT 5.0 §3.3.4), and
a subscription here wants it once. Where two filters overlap, both get a subscription identifier, the
broker says with each copy which filter it is for, and the copy for the oldest filter counts.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import count

from cascade.interfaces.topics import FilterTrie, TopicTrie, has_wildcard

__all__ = ["SubscriptionTable", "overlap"]


def overlap(one: str, other: str) -> bool:
    """Return whether there is a topic that both filters match."""
    if (one[0] == "$" and other[0] in "+#") or (other[0] == "$" and one[0] in "+#"):
        return False
    ours, theirs = one.split("/"), other.split("/")
    for level, against in zip(ours, theirs, strict=False):
        if "#" in (level, against):
            return True
        if level != against and "+" not in (level, against):
            return False
    shorter = min(len(ours), len(theirs))
    rest = ours[shorter:] or theirs[shorter:]
    return not rest or rest == ["#"]  # '#' also stands for its parent


class SubscriptionTable:
    """The filters that are subscribed to at the broker, and how many subscriptions want each.

    Attributes:
        may_number: whether the broker can be asked to tell copies apart.
        numbers: the subscription identifiers, of those filters that have one.
    """

    def __init__(self) -> None:
        """Want nothing yet."""
        self.may_number = False
        self._wanted: dict[str, int] = {}
        self._ages: dict[str, int] = {}
        self._exact: TopicTrie[str] = TopicTrie()
        self._wildcards: FilterTrie[str] = FilterTrie()
        self._patterns: dict[str, None] = {}
        self._clock = count()
        self._next_number = count(1)
        self.numbers: dict[str, int] = {}

    def __contains__(self, topic_filter: str) -> bool:
        """Return whether anybody wants that filter."""
        return topic_filter in self._wanted

    def filters(self) -> list[str]:
        """Return the filters, the oldest first."""
        return list(self._wanted)

    def acquire(self, topic_filter: str) -> list[str]:
        """Want a filter once more.

        Returns:
            Older filters that were just given a number, and that the broker has to be told of.
        """
        self._wanted[topic_filter] = self._wanted.get(topic_filter, 0) + 1
        if self._wanted[topic_filter] > 1:
            return []
        overlapping = self._overlapping(topic_filter) if self.may_number else []
        self._ages[topic_filter] = next(self._clock)
        if has_wildcard(topic_filter):
            self._patterns[topic_filter] = None
            self._wildcards.add(topic_filter, topic_filter)
        else:
            self._exact.add(topic_filter, topic_filter)
        if not overlapping:
            return []
        fresh = [older for older in overlapping if older not in self.numbers]
        for each in (*fresh, topic_filter):
            self.numbers[each] = next(self._next_number)
        return fresh

    def release(self, topic_filter: str) -> bool:
        """Want a filter once less; True means: nobody wants it now."""
        self._wanted[topic_filter] -= 1
        if self._wanted[topic_filter]:
            return False
        del self._wanted[topic_filter], self._ages[topic_filter]
        self.numbers.pop(topic_filter, None)
        if has_wildcard(topic_filter):
            del self._patterns[topic_filter]
            self._wildcards.remove(topic_filter, topic_filter)
        else:
            self._exact.remove(topic_filter, topic_filter)
        return True

    def is_extra(self, topic: str, numbers: Collection[int]) -> bool:
        """Return whether a message with these numbers is a copy of one that counts."""
        matching = self._wildcards.match(topic)
        if topic in self._wanted:
            matching.append(topic)
        if len(matching) < 2:  # noqa: PLR2004 - one filter alone brings no copies
            return False
        oldest = min(matching, key=self._ages.__getitem__)
        return self.numbers.get(oldest, 0) not in numbers

    def _overlapping(self, topic_filter: str) -> list[str]:
        if not has_wildcard(topic_filter):
            return self._wildcards.match(topic_filter)
        patterns = [other for other in self._patterns if overlap(topic_filter, other)]
        return self._exact.match(topic_filter) + patterns
