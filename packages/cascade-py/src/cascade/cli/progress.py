"""How far runs have come: the tasks that run, and how many have ended."""

from __future__ import annotations

from collections import Counter

__all__ = ["Progress"]


class Progress:
    """Counts tasks as they start and end; as text it is those that run.

    Attributes:
        finished: how many have ended.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._running: Counter[str] = Counter()
        self.finished = 0

    def start(self, task: str) -> None:
        """Count a task that starts."""
        self._running[task] += 1

    def end(self, task: str) -> None:
        """Count a task that ends; its start may have gone unseen."""
        self._running[task] -= 1
        self.finished += 1

    def __str__(self) -> str:
        """Name the tasks that run, with how many of each."""
        return ", ".join(f"{task} × {n}" for task, n in self._running.items() if n > 0)
