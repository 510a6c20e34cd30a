"""What a callback is: told once at the door, so that a delivery need not look."""

from __future__ import annotations

import inspect
from functools import partial
from types import CoroutineType, FunctionType
from typing import Any

from cascade.interfaces.protocols import MessageCallback

__all__ = ["checked_callback", "comes_from_outside"]

_CO_COROUTINE = inspect.CO_COROUTINE
_A_CALLBACK_IS = "a callback is an async function of (topic, payload)"


def checked_callback(callback: Any) -> MessageCallback:
    """Return a callback that gives coroutines: what cannot be seen to do so is looked at when called.

    Raises:
        TypeError: it cannot be called, or is a generator function.

    Examples:
        >>> async def hear(topic, payload):
        ...     pass
        >>> checked_callback(hear) is hear
        True
    """
    code_flags = _flags_of(callback)
    if code_flags & _CO_COROUTINE:
        return callback  # type: ignore[no-any-return]  # just looked at
    if not callable(callback):
        raise TypeError(f"{_A_CALLBACK_IS}, not {callback!r}")
    if code_flags & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR):
        raise TypeError(f"{_A_CALLBACK_IS}, and {callback!r} is a generator: it has a 'yield'")

    async def call(topic: str, payload: Any) -> None:
        made = callback(topic, payload)
        if type(made) is not CoroutineType and not inspect.isawaitable(made):
            raise TypeError(
                f"{_A_CALLBACK_IS}; {callback!r} is none: it returned {made!r}. "
                "Write 'async def', and let slow work go to asyncio.to_thread"
            )
        await made

    call.backlog = getattr(callback, "backlog", None)  # type: ignore[attr-defined]  # see `Subscription.backlog`
    return call


def _flags_of(callback: Any) -> int:
    """Return what kind of function it is in the end: behind partials, methods and objects."""
    if type(callback) is FunctionType:
        return callback.__code__.co_flags
    while isinstance(callback, partial):
        callback = callback.func
    function = getattr(callback, "__func__", callback)
    code = getattr(function, "__code__", None)
    if code is None and callable(callback):
        code = getattr(type(callback).__call__, "__code__", None)
    return 0 if code is None else code.co_flags


def comes_from_outside(error: GeneratorExit) -> bool:
    """Return whether what runs a callback is closed itself, and not the callback raised this."""
    return error.__traceback__ is None or error.__traceback__.tb_next is None
