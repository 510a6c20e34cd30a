"""What goes to a worker process and comes back: calls and outcomes, as bytes.

A task stands where its function was defined, so pickle does not find the function itself there; here
it is found, inside of arguments, partials and methods too.
"""

from __future__ import annotations

import asyncio
import inspect
import io
import pickle
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from dataclasses import fields
from functools import lru_cache, partial
from operator import attrgetter
from traceback import format_exception
from types import FunctionType
from typing import Any

from cascade.interfaces.errors import ProcessTransferError
from cascade.interfaces.executor import Current, Invocation
from cascade.interfaces.properties import Properties
from cascade.runtime.state.position import context_elsewhere
from cascade.spec.identity import place_of, standing_at
from cascade.spec.task import Task

__all__ = [
    "cannot_be_sent",
    "has_failed",
    "name_of",
    "pack_call",
    "reduced",
    "run_packed",
    "unpack_outcome",
]


_VALUE, _ERROR = b"v", b"e"
"""What an outcome begins with."""

# As a tuple it is written and read in a third of the time.
_FIELDS_OF_CURRENT = attrgetter(*(each.name for each in fields(Current)))


class _RaisedInProcessError(Exception):
    """The cause of an exception from a worker process: shows where it was raised there."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        """Write the function of a task by the place where the task stands."""
        return reduced(value) or NotImplemented


def reduced(value: Any) -> tuple[Callable[[str], Any], tuple[str]] | None:
    """Return how to pickle the function of a task: by the place where the task stands; None of all else."""
    if type(value) is FunctionType:
        found = _standing_at(place := place_of(value))
        if isinstance(found, Task) and found.function is value:
            return _function_at, (place,)
    return None


def _standing_at(place: str) -> Any:
    try:
        return standing_at(place)
    except LookupError:
        return None


def _function_at(place: str) -> Any:
    """Return what `_Pickler` wrote by its place.

    Raises:
        LookupError: no task stands there.
    """
    found = standing_at(place)
    if isinstance(found, Task):
        return found.function
    raise LookupError(f"no task stands at {place!r}")


def _pickled(value: Any, before: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    buffer.write(before)
    _Pickler(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(value)
    return buffer.getvalue()


def _pickled_function(function: Callable[..., Any]) -> bytes:
    if type(function) is FunctionType:
        standing_at(place_of(function))  # says better than pickle why nothing does
    return _pickled(function)


def name_of(function: Callable[..., Any]) -> str:
    """Return what to call a function in errors."""
    return getattr(function, "__qualname__", None) or repr(function)


def pack_call(
    invocation: Invocation,
    pickled: Callable[[Any], bytes] = _pickled,
    pickled_function: Callable[[Any], bytes] = _pickled_function,
) -> bytes:
    """Return a call as bytes.

    Args:
        invocation: the call.
        pickled: how to write it.
        pickled_function: how to write its function.

    Raises:
        ProcessTransferError: the function or an argument cannot be written.
    """
    function = invocation.function
    name = name_of(function)
    try:
        packed = pickled_function(function)
    except Exception as error:
        raise ProcessTransferError(
            f"{place_of(function)!r} cannot run in a process: {error}; or use mode='thread'"
        ) from error
    try:
        kwargs = dict(invocation.kwargs)
        here = None if (at := invocation.current) is None else _FIELDS_OF_CURRENT(at)
        return pickled((name, packed, here, invocation.trace, invocation.args, kwargs))
    except Exception as error:
        raise cannot_be_sent(name, error) from error


def cannot_be_sent(name: str, error: Exception) -> ProcessTransferError:
    """Return the error of a call with an argument that cannot be written."""
    return ProcessTransferError(
        f"an argument of {name!r} cannot be sent to its process: {error}; "
        "pass plain data, or use mode='thread'"
    )


def run_packed(
    work: bytes,
    begins: Callable[[], None],
    is_cancelled: Callable[[], bool] = bool,
    inside: Callable[[Properties], AbstractContextManager[None]] = lambda _trace: nullcontext(),
) -> bytes:
    """Run what `pack_call` made, in the worker process, and return how it ended, as bytes.

    Args:
        work: the call.
        begins: called right before the function.
        is_cancelled: says to a function that asks whether nobody waits for its value any more.
        inside: what the function is called in, given the trace that the call belongs to.
    """
    try:
        name, packed, here, trace, args, kwargs = pickle.loads(work)  # noqa: S301 - from our own parent process
        function = _function_of(packed)
    except Exception as error:  # noqa: BLE001 - the edge: whatever an import raises
        told = ProcessTransferError(
            f"what was sent to a process cannot be read there: {type(error).__name__}: {error}; "
            "a worker process imports the modules anew, and has to find the same in them"
        )
        told.module = _missing_module(error)
        return _pack_error(told)
    current = None if here is None else Current(*here)
    context = copy_context() if current is None else context_elsewhere(current, is_cancelled)
    begins()
    try:
        value = context.run(_value_of, partial(function, *args, **kwargs), inside(trace))
    except StopIteration as error:
        wrapped = RuntimeError(f"{name} raised StopIteration")
        wrapped.__cause__ = error
        return _pack_error(wrapped)
    except BaseException as error:  # noqa: BLE001 - the edge: it is raised in the parent process
        return _pack_error(error)
    try:
        return _pickled(value, _VALUE)
    except Exception as error:  # noqa: BLE001 - the edge: whatever pickling a user's class raises
        return _pack_error(
            ProcessTransferError(
                f"the result of {name!r} cannot be sent back from its process: {error}; "
                "return plain data, or use mode='thread'"
            )
        )


@lru_cache(maxsize=256)
def _function_of(packed: bytes) -> Callable[..., Any]:
    """Return a function; the same one for the same bytes, since finding it takes most of the time."""
    function: Callable[..., Any] = pickle.loads(packed)  # noqa: S301 - from our own parent process
    return function


def _missing_module(error: BaseException | None) -> str | None:
    """Return the module that could not be found, where that is what an error comes from."""
    while error is not None and not isinstance(error, ModuleNotFoundError):
        error = error.__cause__
    return None if error is None else error.name


def _pack_error(error: BaseException) -> bytes:
    """Return an exception as bytes that can be read again."""
    trace = "".join(format_exception(error))
    try:
        packed = _pickled((error, trace), _ERROR)
        pickle.loads(memoryview(packed)[1:])  # noqa: S301 - our own; many exceptions pickle well, and then cannot be made anew
    except Exception as reason:  # noqa: BLE001 - the edge: whatever pickling a user's class raises
        told = ProcessTransferError(
            f"{type(error).__name__}: {error} (was raised in a process, and cannot be sent back as it "
            f"is: {reason}; give the exception a __reduce__, or pass all its arguments to super().__init__)"
        )
        return _pickled((told, trace), _ERROR)
    return packed


def _value_of(function: Callable[[], Any], inside: AbstractContextManager[None]) -> Any:
    """Return what a function returns, awaited where it can be."""
    with inside:
        value = function()
        return asyncio.run(_awaited(value)) if inspect.isawaitable(value) else value


async def _awaited(value: Awaitable[Any]) -> Any:
    return await value


def unpack_outcome(packed: bytes, name: str) -> Any:
    """Return the value that a function had in its process, or raise what it raised there.

    Raises:
        ProcessTransferError: the value cannot be read here.
    """
    try:
        found = pickle.loads(memoryview(packed)[1:])  # noqa: S301 - from our own worker process
    except Exception as reason:
        raise ProcessTransferError(
            f"the result of {name!r} cannot be read from its process: {reason}; "
            "return plain data, or use mode='thread'"
        ) from reason
    if has_failed(packed):
        error, trace = found
        raise error from _RaisedInProcessError(trace)
    return found


def has_failed(packed: bytes) -> bool:
    """Return whether what `run_packed` returned is an error."""
    return packed[:1] == _ERROR
