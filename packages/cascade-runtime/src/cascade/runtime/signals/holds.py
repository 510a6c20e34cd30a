"""Acknowledgements that wait for signals to be taken from a mailbox; where none are owed, nothing is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cascade.interfaces.acknowledgement import Hold
from cascade.runtime.concurrency.bounded_queue import BoundedQueue
from cascade.runtime.signals.source import Signal

__all__ = ["Holds"]


class Holds:
    """What is held for the signals of one mailbox, by their numbers."""

    __slots__ = ("_releases",)

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._releases: dict[int, Callable[[], None]] = {}

    def keep(self, signal: Signal, queue: BoundedQueue[Signal], hold: Hold) -> Holds:
        """Hold for a signal that is about to be put into a queue, unless that will drop it; return this."""
        is_full = len(queue) >= queue.limit
        if is_full and queue.policy == "drop_oldest" and queue.items:
            self.release([queue.items[0]])
        if not is_full or queue.policy in {"wait", "drop_oldest"}:
            self._releases[signal.number] = hold()
        return self

    def release(self, signals: Iterable[Signal]) -> None:
        """Hold no longer for signals that were taken."""
        for signal in signals:
            release = self._releases.pop(signal.number, None)
            if release is not None:
                release()
