"""A ``recv`` that waits in a mailbox."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from cascade.interfaces.topics import Filters
from cascade.runtime.signals.source import Signal, Source

__all__ = ["Waiter", "give_up"]


class Waiter(asyncio.Future[Signal | None]):
    """A ``recv`` that waits; it gets a signal, or None when its time is over."""

    __slots__ = ("deadline", "filters", "own", "timer")

    filters: Filters
    deadline: float | None
    timer: asyncio.TimerHandle | None
    own: Sequence[Source]


def give_up(waiter: Waiter) -> None:
    """Let a ``recv`` go on without a signal: the time is over."""
    if not waiter.done():
        waiter.set_result(None)
