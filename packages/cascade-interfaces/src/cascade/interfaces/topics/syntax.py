"""The syntax of topic names and topic filters, and the matching of one against the other."""

from __future__ import annotations

import re
import unicodedata
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

_ENDS_OF_PLANES = "".join(
    chr(plane + end) for plane in range(0, 0x110000, 0x10000) for end in (0xFFFE, 0xFFFF)
)
_FORBIDDEN = re.compile(f"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef{_ENDS_OF_PLANES}]")
_MOST_BYTES_OF_A_CHARACTER = 4
_MAX_BYTES = 65_535  # MQTT 5.0 §1.5.4: the length of a string is a two-byte integer


def as_filters(topic: str | Sequence[str]) -> Filters:
    """Return one filter, or a list or tuple of filters, as a tuple; nothing else is checked.

    Raises:
        InvalidTopicError: the list is empty, or holds something that is no text.

    Examples:
        >>> as_filters("door/+"), as_filters(["a", "b", "a"])
        (('door/+',), ('a', 'b'))
    """
    if type(topic) is str:  # as mostly
        return (topic,)
    if not isinstance(topic, (list, tuple)):
        _require_text(topic)
        return (topic,)  # type: ignore[return-value]  # a str, so not any other sequence
    if not topic:
        raise InvalidTopicError(topic, "at least one topic filter is needed")
    for each in topic:
        _require_text(each)  # before anything looks it up
    once = dict.fromkeys(topic)
    return topic if isinstance(topic, tuple) and len(once) == len(topic) else tuple(once)


def validate_filters(filters: Filters) -> None:
    """Check what is about to be subscribed to.

    Raises:
        InvalidTopicError: one of them is not a valid filter, or a shared one is not alone.

    Examples:
        >>> validate_filters(("door/+", "window/+"))
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
    """Return whether a valid filter can match more than one topic.

    Examples:
        >>> has_wildcard("door/+"), has_wildcard("door/front")
        (True, False)
    """
    return "+" in topic_filter or "#" in topic_filter


def validate_topic(topic: str) -> None:
    """Check a topic name that is about to be published.

    Raises:
        InvalidTopicError: it is no text, empty, too long, not UTF-8, or holds a control or
            non-character or a wildcard.

    Examples:
        >>> validate_topic("door/+")
        Traceback (most recent call last):
        ...
        cascade.interfaces.errors.connector.InvalidTopicError: invalid topic ...
    """
    _validate_text(topic)
    if has_wildcard(topic):
        for number, level in enumerate(topic.split("/"), 1):
            if has_wildcard(level):
                raise InvalidTopicError(topic, "a published topic has no wildcards", number)


def validate_filter(topic_filter: str) -> None:
    """Check a topic filter that is about to be subscribed to.

    Raises:
        InvalidTopicError: it is no text, empty, too long, not UTF-8, holds a control or non-character,
            or a wildcard stands where MQTT does not allow it.

    Examples:
        >>> validate_filter("door/#/bell")
        Traceback (most recent call last):
        ...
        cascade.interfaces.errors.connector.InvalidTopicError: invalid topic ...
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


def _require_text(topic: object) -> None:
    if not isinstance(topic, str):
        raise InvalidTopicError(topic, f"a topic is a str, not {type(topic).__name__}")


def _validate_text(topic: str) -> None:
    _require_text(topic)
    if not topic:
        raise InvalidTopicError(topic, "a topic has at least one character")
    if not topic.isprintable():  # quick, and it finds some that are allowed
        _validate_characters(topic)
    if len(topic) * _MOST_BYTES_OF_A_CHARACTER > _MAX_BYTES:
        size = len(topic.encode())
        if size > _MAX_BYTES:
            reason = f"{size} bytes of UTF-8, at most {_MAX_BYTES} are allowed"
            raise InvalidTopicError(topic, reason)


def _validate_characters(topic: str) -> None:
    """Refuse what a broker may close the connection at (MQTT 5.0 §1.5.4)."""
    found = _FORBIDDEN.search(topic)
    if found is None:
        return
    category = unicodedata.category(found[0])
    if found[0] == "\0":
        reason = "NUL is not allowed"
    elif category == "Cs":
        reason = "a lone surrogate cannot be written as UTF-8"
    else:
        kind = "a control character" if category == "Cc" else "no character"
        reason = f"U+{ord(found[0]):04X} is {kind}"
    raise InvalidTopicError(topic, reason, _level_of(topic, found.start()))


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
