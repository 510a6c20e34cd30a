"""Which filters the broker is asked for, by how many subscriptions, and which copy counts.

A broker may send a message once for each of a client's filters that match it (MQTT 5.0 §3.3.4), and
a subscription here wants it once. Where two filters overlap, both get a subscription identifier, the
broker says with each copy which filter it is for, and the copy for the oldest filter counts. It goes to
everybody whose filter matches, in the order of subscribing.

A filter with options of its own, and a shared one, stand apart: their copies are not those of others, so
each goes to the subscriptions of just that filter.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from cascade.connectors.local import Subscription
from cascade.interfaces.topics import Filters, FilterTrie, TopicTrie, has_wildcard

__all__ = ["FilterOptions", "SubscriptionTable", "overlap"]

_NUMBERS = 268_435_455  # MQTT 5.0 §3.8.2.1.2: the largest subscription identifier


class FilterOptions(NamedTuple):
    """How a filter is subscribed to (MQTT 5.0 §3.8.3.1)."""

    qos: int
    """The highest quality of service that messages arrive with."""

    no_local: bool = False
    """Whether to leave out what this client published itself."""

    stands_apart: bool = False
    """Whether its copies are its own: it is shared, or has other options than the connector."""


@dataclass(slots=True)
class _Wanted:
    """One filter."""

    topic_filter: str
    options: FilterOptions
    age: int
    number: int | None = None
    subscribers: int = 0
    refused: bool = False
    private: dict[Subscription, None] = field(default_factory=dict)
    """Those that its copies go to, where it stands apart."""


@dataclass(slots=True)
class _Copies:
    """The copies of the message that came last."""

    topic: str
    payload: bytes
    seen: set[int]
    counted: bool
    view: int
    """Which state of the table the first of them was judged by."""


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
        has_numbers: whether it has been.
    """

    def __init__(self) -> None:
        """Want nothing yet."""
        self.may_number = False
        self.has_numbers = False
        self._wanted: dict[str, _Wanted] = {}
        self._ended: dict[str, _Wanted] = {}  # whose copies may still be on their way
        self._by_number: dict[int, _Wanted] = {}
        self._exact: TopicTrie[str] = TopicTrie()
        self._wildcards: FilterTrie[str] = FilterTrie()
        self._patterns: dict[str, None] = {}
        self._clock = count()
        self._view = 0
        self._last = _Copies("", b"", set(), counted=False, view=0)

    def __contains__(self, topic_filter: str) -> bool:
        """Return whether anybody wants that filter."""
        return topic_filter in self._wanted

    def filters(self) -> list[str]:
        """Return the filters, the oldest first."""
        return list(self._wanted)

    def number(self, topic_filter: str) -> int | None:
        """Return the subscription identifier of a wanted filter, if it has one."""
        return self._wanted[topic_filter].number

    def options(self, topic_filter: str) -> FilterOptions:
        """Return how a wanted filter is subscribed to."""
        return self._wanted[topic_filter].options

    # --- what is wanted -----------------------------------------------------------------------

    def check(self, filters: Filters, options: FilterOptions) -> None:
        """Refuse filters that are wanted already, with other options.

        Raises:
            ValueError: one of them is.
        """
        for topic_filter in filters:
            wanted = self._wanted.get(topic_filter)
            if wanted is not None and wanted.options != options:
                raise ValueError(
                    f"{topic_filter!r} is subscribed to with other options already, and a client has one "
                    "subscription for each filter: use another connector"
                )

    def acquire(self, topic_filter: str, options: FilterOptions) -> list[str]:
        """Want a filter once more.

        Returns:
            Older filters that were just given a number, and that the broker has to be told of.
        """
        wanted = self._wanted.get(topic_filter)
        if wanted is not None:
            wanted.subscribers += 1
            return []
        self.left(topic_filter)
        wanted = _Wanted(topic_filter, options, next(self._clock), subscribers=1)
        overlapping = [] if options.stands_apart else self._overlapping(topic_filter)
        self._wanted[topic_filter] = wanted
        if options.stands_apart:
            if self.may_number:
                self._give_number(wanted)
            return []
        self._enter(topic_filter)
        fresh = [older for older in overlapping if self._wanted[older].number is None]
        for each in (*fresh, topic_filter) if overlapping and self.may_number else ():
            self._give_number(self._wanted[each])
        return fresh if self.may_number else []

    def release(self, topic_filter: str) -> bool:
        """Want a filter once less; True means: nobody wants it now, until `left` it is on its way out."""
        wanted = self._wanted[topic_filter]
        wanted.subscribers -= 1
        if wanted.subscribers:
            return False
        self._ended[topic_filter] = self._wanted.pop(topic_filter)
        return True

    def left(self, topic_filter: str) -> None:
        """Hear that the broker sends nothing more for a filter that ended."""
        ended = self._ended.pop(topic_filter, None)
        if ended is None:
            return
        self._view += 1
        if ended.number is not None:
            self._by_number.pop(ended.number, None)
        if not ended.options.stands_apart:
            self._strike(topic_filter)

    def begin_anew(self) -> None:
        """Hear that there is a new connection: no copies are on their way."""
        for topic_filter in list(self._ended):
            self.left(topic_filter)

    def refuse(self, topic_filter: str, *, refused: bool) -> None:
        """Note whether the broker refuses a filter that it granted once; no copies come for it then."""
        if topic_filter in self._wanted:
            self._wanted[topic_filter].refused = refused

    # --- which copy counts, and for whom ------------------------------------------------------

    def join(self, topic_filter: str, subscription: Subscription) -> None:
        """Have the copies of a filter that stands apart go to a subscription as well."""
        self._wanted[topic_filter].private[subscription] = None

    def leave(self, topic_filter: str, subscription: Subscription) -> None:
        """Have no more copies go there."""
        self._wanted[topic_filter].private.pop(subscription, None)

    def apart(self, numbers: Collection[int]) -> dict[int, tuple[str, list[Subscription]]]:
        """Return, of the filters with these numbers, those that stand apart, with their subscriptions."""
        named = [(number, self._by_number.get(number)) for number in numbers]
        return {
            number: (each.topic_filter, list(each.private))
            for number, each in named
            if each is not None and each.options.stands_apart
        }

    def is_extra(self, topic: str, payload: bytes, numbers: Collection[int]) -> bool:
        """Return whether a message with these numbers is a copy of one that counts."""
        extra = self._is_extra(topic, numbers)
        last = self._last
        is_copy = topic == last.topic and payload == last.payload and last.seen.isdisjoint(numbers)
        if not is_copy:
            self._last = _Copies(topic, payload, set(numbers), not extra, self._view)
            return extra
        if last.view != self._view:  # filters came or went between the copies of one message
            extra = last.counted
        last.seen.update(numbers)
        last.counted |= not extra
        return extra

    def _is_extra(self, topic: str, numbers: Collection[int]) -> bool:
        matching = [self._ended.get(each) or self._wanted[each] for each in self._matching(topic)]
        granted = [each for each in matching if not each.refused]
        if not granted:
            return False
        oldest = min(granted, key=lambda each: each.age)
        return oldest.number is not None and oldest.number not in numbers

    def _matching(self, topic: str) -> list[str]:
        return self._wildcards.match(topic) + self._exact.match(topic)

    # --- the books ----------------------------------------------------------------------------

    def _overlapping(self, topic_filter: str) -> list[str]:
        if not has_wildcard(topic_filter):
            found = self._wildcards.match(topic_filter)
        else:
            patterns = [other for other in self._patterns if overlap(topic_filter, other)]
            found = self._exact.match(topic_filter) + patterns
        return [each for each in found if each in self._wanted]

    def _give_number(self, wanted: _Wanted) -> None:
        """Number a filter by its text, so that it means the same to the process that comes after this one."""
        number = zlib.crc32(wanted.topic_filter.encode()) % _NUMBERS + 1
        while number in self._by_number:
            number = number % _NUMBERS + 1
        wanted.number = number
        self._by_number[number] = wanted
        self.has_numbers = True

    def _enter(self, topic_filter: str) -> None:
        if has_wildcard(topic_filter):
            self._patterns[topic_filter] = None
            self._wildcards.add(topic_filter, topic_filter)
        else:
            self._exact.add(topic_filter, topic_filter)

    def _strike(self, topic_filter: str) -> None:
        if has_wildcard(topic_filter):
            del self._patterns[topic_filter]
            self._wildcards.remove(topic_filter, topic_filter)
        else:
            self._exact.remove(topic_filter, topic_filter)
