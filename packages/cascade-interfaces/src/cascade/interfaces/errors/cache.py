"""What goes wrong with a cache, and with the files that a task says it writes."""

from __future__ import annotations

from cascade.interfaces.errors.base import CascadeError

__all__ = ["CacheError", "MissingOutputError"]


class CacheError(CascadeError, RuntimeError):
    """A cache that cannot be opened, read or written; its text says why, and what to do."""


class MissingOutputError(CascadeError, RuntimeError):
    """A task did not write a file that it says it writes.

    Attributes:
        task: the task's name.
        path: the file's path.
    """

    def __init__(self, task: str, path: str) -> None:
        """Name the task and the file."""
        super().__init__(
            f"the task {task!r} did not write its output {path!r}; write it there, or change with_outputs"
        )
        self.task = task
        self.path = path
