"""How far runs have come: the tasks that run, that wait, and that have ended."""

from __future__ import annotations

from collections import Counter

__all__ = ["Progress"]


class Progress:
    """Counts tasks as they wait, start and end; as text it is those that run.

    Attributes:
        finished: how many have ended.
        reason: why one of those that wait does so; the last one heard of.
    """

    def __init__(self, known: int = 0) -> None:
        """Begin with none.

        Args:
            known: how many tasks there are at least.
        """
        self._known = known
        self._running: Counter[str] = Counter()
        self._waiting: Counter[str] = Counter()
        self.finished = 0
        self.reason = ""

    @property
    def waiting(self) -> int:
        """How many wait to start."""
        return self._waiting.total()

    @property
    def total(self) -> int:
        """How many there are, as far as is known."""
        running = sum(count for count in self._running.values() if count > 0)
        return max(self._known, self.finished + running + self.waiting)

    def throttle(self, task: str, reason: str) -> None:
        """Count a task that has to wait."""
        self._waiting[task] += 1
        self.reason = reason

    def start(self, task: str) -> None:
        """Count a task that starts."""
        self._running[task] += 1
        if self._waiting[task] > 0:
            self._waiting[task] -= 1

    def end(self, task: str) -> None:
        """Count a task that ends; its start may have gone unseen."""
        self._running[task] -= 1
        self.finished += 1

    def __str__(self) -> str:
        """Name the tasks that run, with how many of each."""
        return ", ".join(f"{task} × {n}" for task, n in self._running.items() if n > 0)
