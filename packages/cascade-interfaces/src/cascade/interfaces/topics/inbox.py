"""The topics on which agents are reached by their names."""

from __future__ import annotations

__all__ = ["INBOXES", "inbox_of", "name_of_inbox"]

INBOXES = "cascade/agents/+/inbox"
"""The filter of all of them."""

_BEFORE, _BEHIND = INBOXES.split("+")


def inbox_of(name: str) -> str:
    """Return the topic of what is sent to an agent by its name.

    Examples:
        >>> inbox_of("monday")
        'cascade/agents/monday/inbox'
    """
    return f"{_BEFORE}{name}{_BEHIND}"


def name_of_inbox(topic: str) -> str | None:
    """Return whose inbox a topic is, or None.

    Examples:
        >>> name_of_inbox(inbox_of("monday")), name_of_inbox("monday")
        ('monday', None)
    """
    if not (topic.startswith(_BEFORE) and topic.endswith(_BEHIND)):
        return None
    name = topic[len(_BEFORE) : -len(_BEHIND)]
    return name if name and "/" not in name else None
