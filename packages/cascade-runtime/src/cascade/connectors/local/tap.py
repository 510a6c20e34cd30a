"""What shows every message to an observer: a receiver that keeps nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from cascade.connectors.local.message import Message, RetainedMessage
from cascade.runtime.concurrency.bounded_queue import BoundedQueue

__all__ = ["Observer", "Tap"]


class Observer(Protocol):
    """A plain function that is shown messages."""

    def __call__(self, topic: str, payload: Any, /, *, retain: bool) -> None:
        """Look at one; ``retain`` says whether it was published to be retained."""


class Tap:
    """Hands each message to an observer, inside its delivery."""

    __slots__ = ("_observe",)

    queue: BoundedQueue[Any] | None = None

    def __init__(self, observe: Observer) -> None:
        """Begin to show messages."""
        self._observe = observe

    def accept(self, message: Message, _is_over: Callable[[], bool]) -> bool:
        """Show one; it is always taken."""
        topic, payload = message
        self._observe(topic, payload, retain=type(message) is RetainedMessage)
        return True

    def backlog(self) -> int:
        """Return 0: nothing waits here."""
        return 0
