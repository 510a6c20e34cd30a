"""Acknowledgements: how a callback says that it is done with a message only later than it returns.

A connector that acknowledges messages to a broker does so when the callback has returned. A callback that
only puts the message somewhere, such as into a mailbox, takes a hold, and releases it when the message
has been taken from there; if the process ends before, the broker sends the message again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeAlias

__all__ = ["Hold", "hold"]

Hold: TypeAlias = Callable[[], Callable[[], None]]
"""Called inside a callback, it holds the acknowledgement of the message, and returns what releases it."""

hold: ContextVar[Hold | None] = ContextVar("cascade_hold", default=None)
"""In a callback: holds the acknowledgement of its message; None where no acknowledgement is owed."""
