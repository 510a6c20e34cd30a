"""What is delivered in memory: a message, and the signs beside it that dispatcher and tasks share."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, TypeAlias

__all__ = ["DRAIN", "IDLE", "Message", "inside_callback"]

Message: TypeAlias = tuple[str, Any]
"""Topic and payload."""

DRAIN: Message = ("", None)
"""Not a message: run the callback for what the queue holds."""

IDLE = object()
"""What ``send`` returns when the callback waits for nothing."""

inside_callback: ContextVar[bool] = ContextVar("inside_callback", default=False)
"""True in every callback, and in what it starts: there a publish never waits."""
