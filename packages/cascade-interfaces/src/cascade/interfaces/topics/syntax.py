"""The syntax of topic names and topic filters, and the matching of one against the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from cascade.interfaces.errors import InvalidTopicError

__all__ = [
    "Filters",
    "as_filters",
    "has_wildcard",
    "matches",
    "shared_filter",
    "validate_filter",
    "validate_filters",
    "validate_topic",
]

Filters: TypeAlias = tuple[str, ...]
"""One topic filter or several, none of them twice."""

_MAX_BYTES = 65_535  # MQTT 5.0 §1.5.4: the length of a string is a two-byte integer


def as_filters(topic: str | Sequence[str]) -> Filters:
    """Return one filter, or a list or tuple of filters, as a tuple; nothing else is checked.

    Raises:
        InvalidTopicError: the list is empty.
    """
    if not isinstance(topic, (list, tuple)):
        return (topic,)  # type: ignore[return-value]  # what is no text, `validate_filter` refuses
    if not topic:
        raise InvalidTopicError(topic, "at least one topic filter is needed")
    once = dict.fromkeys(topic)
    return topic if isinstance(topic, tuple) and len(once) == len(topic) else tuple(once)


def validate_filters(filters: Filters) -> None:
    """Check what is about to be subscribed to.

    Raises:
        InvalidTopicError: one of them is not a valid filter, or a shared one is not alone.
    """
    for topic_filter in filters:
        validate_filter(topic_filter)
        if len(filters) > 1 and shared_filter(topic_filter):
            reason = "a shared subscription is one of its own: subscribe to it alone"
            raise InvalidTopicError(topic_filter, reason, 1)


def shared_filter(topic_filter: str) -> str:
    """Return the filter whose messages a valid ``$share/<group>/<filter>`` shares; else an empty text.

    Examples:
        >>> shared_filter("$share/workers/jobs/+"), shared_filter("jobs/+")
        ('jobs/+', '')
    """
    return topic_filter.split("/", 2)[2] if topic_filter.startswith("$share/") else ""


def has_wildcard(topic_filter: str) -> bool:
    """Return whether a valid filter can match more than one topic."""
    return "+" in topic_filter or "#" in topic_filter


def validate_topic(topic: str) -> None:
    """Check a topic name that is about to be published.

    Raises:
        InvalidTopicError: it is empty, too long, not UTF-8, or holds NUL or a wildcard.
    """
    _validate_text(topic)
    if has_wildcard(topic):
        for number, level in enumerate(topic.split("/"), 1):
            if has_wildcard(level):
                raise InvalidTopicError(topic, "a published topic has no wildcards", number)


def validate_filter(topic_filter: str) -> None:
    """Check a topic filter that is about to be subscribed to.

    Raises:
        InvalidTopicError: it is empty, too long, not UTF-8, holds NUL, or a wildcard stands
            where MQTT does not allow it.
    """
    _validate_text(topic_filter)
    if topic_filter.startswith("$share/"):
        _validate_shared(topic_filter)
    if not has_wildcard(topic_filter):
        return
    levels = topic_filter.split("/")
    for number, level in enumerate(levels, 1):
        if "#" in level and (level != "#" or number != len(levels)):
            raise InvalidTopicError(topic_filter, "'#' must be the whole of the last level", number)
        if "+" in level and level != "+":
            raise InvalidTopicError(topic_filter, "'+' must be the whole of its level", number)


def _validate_shared(topic_filter: str) -> None:
    """Check the form ``$share/<group>/<filter>`` (MQTT 5.0 §4.8.2)."""
    _, group, rest = [*topic_filter.split("/", 2), ""][:3]
    if not group or has_wildcard(group):
        raise InvalidTopicError(topic_filter, "a share name is not empty and has no wildcards", 2)
    if not rest:
        raise InvalidTopicError(topic_filter, "a shared subscription names a filter", 3)


def _validate_text(topic: str) -> None:
    if not isinstance(topic, str):
        raise InvalidTopicError(topic, f"a topic is a str, not {type(topic).__name__}")
    if not topic:
        raise InvalidTopicError(topic, "a topic has at least one character")
    if "\0" in topic:
        raise InvalidTopicError(topic, "NUL is not allowed", _level_of(topic, topic.index("\0")))
    try:
        size = len(topic.encode())
    except UnicodeEncodeError as error:
        reason = "a lone surrogate cannot be written as UTF-8"
        raise InvalidTopicError(topic, reason, _level_of(topic, error.start)) from None
    if size > _MAX_BYTES:
        raise InvalidTopicError(topic, f"{size} bytes of UTF-8, at most {_MAX_BYTES} are allowed")


def _level_of(topic: str, position: int) -> int:
    return topic.count("/", 0, position) + 1


def matches(topic_filter: str, topic: str) -> bool:
    """Return whether a valid filter matches a valid topic name.

    Examples:
        >>> matches("home/+/light", "home/kitchen/light"), matches("home/#", "home")
        (True, True)
    """
    if topic[0] == "$" and topic_filter[0] in "+#":
        return False
    wanted = topic_filter.split("/")
    levels = topic.split("/")
    for position, level in enumerate(wanted):
        if level == "#":
            return True
        if position == len(levels):
            return False
        if level not in ("+", levels[position]):
            return False
    return len(wanted) == len(levels)
