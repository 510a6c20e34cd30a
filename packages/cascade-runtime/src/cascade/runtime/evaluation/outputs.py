"""Files that a task says it writes: what they hold is compared with what they held when it wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cascade.interfaces.errors import InvalidTaskError, MissingOutputError
from cascade.runtime.evaluation.cache_keys import aside, named_arguments
from cascade.runtime.state.run import Run
from cascade.spec.file import File
from cascade.spec.task import Task

__all__ = ["Outputs", "outputs_of"]


def outputs_of(
    run: Run, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Outputs | None:
    """Return what a call says it writes; None where it says nothing.

    Raises:
        InvalidTaskError: a path asks for an argument that there is not.
    """
    if not task.policies.outputs:
        return None
    named = named_arguments(task, args, kwargs)
    try:
        paths = [each.format_map(named) for each in task.policies.outputs]
    except (LookupError, ValueError, AttributeError) as error:
        takes = ", ".join(f"{{{name}}}" for name in named) or "none"
        raise InvalidTaskError(
            f"an output of {task.name!r} cannot be named: {type(error).__name__}: {error}; "
            f"its arguments are {takes}"
        ) from None
    return Outputs(run, task.name, paths)


class Outputs:
    """The files of one call."""

    def __init__(self, run: Run, task: str, paths: list[str]) -> None:
        """Take the paths; nothing is read."""
        self._run = run
        self._task = task
        self._paths = paths

    async def digests(self) -> Mapping[str, str]:
        """Return what they hold, by path; one that cannot be read holds nothing."""
        return await aside(self._run, lambda: {path: _digest(path) for path in self._paths})

    async def written(self) -> Mapping[str, str]:
        """Return what they hold, now that the task has written them.

        Raises:
            MissingOutputError: one is not there.
        """
        found = await self.digests()
        for path, digest in found.items():
            if not digest:
                raise MissingOutputError(self._task, path)
        return found


def _digest(path: str) -> str:
    try:
        return File(path).digest()
    except OSError:
        return ""
