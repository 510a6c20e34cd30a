"""What is delivered in memory: a message, and the signs beside it that dispatcher and tasks share."""

from __future__ import annotations

from typing import Any, TypeAlias

__all__ = ["DRAIN", "IDLE", "Message", "RetainedMessage"]

Message: TypeAlias = tuple[str, Any]
"""Topic and payload."""


class RetainedMessage(tuple[str, Any]):
    """One that was published to be retained: no matter for who receives it, but for who traces."""

    __slots__ = ()


DRAIN: Message = ("", None)
"""Not a message: run the callback for what the queue holds."""

IDLE = object()
"""What ``send`` returns when the callback waits for nothing."""
