"""What can be known of a task's function by looking at it: is it async, its parameters, its mode."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, get_args

from cascade.interfaces.errors import InvalidTaskError
from cascade.interfaces.protocols import Mode
from cascade.spec.resource import parameters_of

__all__ = ["checked_mode", "is_async_function", "positions_of"]


def is_async_function(function: Callable[..., Any]) -> bool:
    """Return whether calling it gives a coroutine."""
    call = getattr(function, "__call__", None)  # noqa: B004 - an object whose call is async counts too
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def positions_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of its parameters that may be given by position, in order."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(each.name for each in parameters_of(function) if each.kind in kinds)


def checked_mode(
    name: str, function: Callable[..., Any], mode: Mode | None, *, is_async: bool
) -> Mode:
    """Return the mode that a task of this function has; by default the one that fits it.

    Raises:
        InvalidTaskError: it is no function, a generator function, or the mode does not fit it.
    """
    if not callable(function):
        raise InvalidTaskError(f"@task goes above a function, not above {function!r}")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise InvalidTaskError(
            f"the task {name!r} is a generator function; a task returns its value "
            "(a resource is what yields: use @resource)"
        )
    if mode is None:
        return "async" if is_async else "thread"
    if mode not in get_args(Mode):
        raise InvalidTaskError(
            f"the task {name!r} has mode {mode!r}; choose {', '.join(get_args(Mode))}"
        )
    if is_async != (mode == "async"):
        kind = "async def" if is_async else "def"
        raise InvalidTaskError(
            f"the task {name!r} is a plain '{kind}', which mode {mode!r} does not fit"
        )
    return mode
