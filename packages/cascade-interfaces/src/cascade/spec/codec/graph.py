"""Writing a call with all that it names, and reading it again: `encode`, `decode`, `register`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal, TypeVar

import msgspec

from cascade.interfaces.errors import DecodeError, EncodeError, InvalidTaskError
from cascade.spec.codec.annotations import clear
from cascade.spec.codec.kinds import kinds_of
from cascade.spec.codec.mismatch import Mismatch
from cascade.spec.codec.reading import CallForm, Reader
from cascade.spec.codec.writing import Writer
from cascade.spec.containers import CALL_TYPES
from cascade.spec.lazy_types import LazyResult, MappedLazyResult
from cascade.spec.registry import REGISTERED, Registered
from cascade.spec.task import EXPAND, NO_KWARGS, Task

__all__ = ["decode", "encode", "register"]

T = TypeVar("T")


class _Graph(msgspec.Struct, forbid_unknown_fields=True):
    """A call with all that it names."""

    format: Literal[1]
    calls: list[CallForm]


def encode(call: Any) -> bytes:
    """Return a call as JSON, once it is sure that `decode` gives an equal one.

    Raises:
        EncodeError: it is no call, or a task, a policy or an argument in it would not come back as an
            equal value of the same type; the text says where.

    Examples:
        >>> import cascade as cs
        >>> encode(cs.wait(2.5))
        b'{"format":1,"calls":[{"task":"cascade.providers.wait:wait","args":[2.5]}]}'
    """
    if type(call) not in CALL_TYPES:
        raise EncodeError(repr(call), "it is no call; encode(task(…)) writes one")
    writer = Writer()
    writer.number(call)
    forms = [writer.form(each) for each in writer.calls]  # grows as it goes
    if any(writer.needs.values()):
        _check_acyclic(writer)
    return msgspec.json.encode({"format": 1, "calls": forms})


def _check_acyclic(writer: Writer) -> None:
    try:
        TopologicalSorter(writer.needs).prepare()
    except CycleError as error:
        names = " -> ".join(writer.calls[number].task.name for number in error.args[1])
        raise EncodeError(names, "a call cannot need itself") from None


def decode(data: bytes | str) -> Any:
    """Return the call that `encode` has written.

    Raises:
        UnknownTaskError: a task is not found by its id and version.
        DecodeError: the data is no call, or an argument does not fit the task any more.

    Examples:
        >>> import cascade as cs
        >>> decode(encode(cs.wait(2.5)))
        wait(2.5)
    """
    try:
        forms = msgspec.json.decode(data, type=_Graph).calls
    except (msgspec.DecodeError, RecursionError) as error:
        raise DecodeError("", str(error)) from error
    if not forms:
        raise DecodeError("", "there is none")
    calls: list[LazyResult[Any]] = []
    reader = Reader(calls)
    for form in forms:
        with _located(f"{form.task!r}"):
            task = reader.task(form)
        kind = MappedLazyResult if task.base is EXPAND else LazyResult
        calls.append(kind(task, (), NO_KWARGS))
    for call, form in zip(calls, forms, strict=True):
        _fill(call, form, reader)
    return calls[0]


def _fill(call: LazyResult[Any], form: CallForm, reader: Reader) -> None:
    """Give a call its arguments; those that are calls need not have theirs yet."""
    task = call.task
    if form.version != task.version and task.base.upgrade is not None:
        _upgrade(form, task.base)
    with _located(f"{task.name}(…)"):
        task.parameters.check(task.name, form.args, form.kwargs)
    args: list[Any] = []
    for position, data in enumerate(form.args):
        name, kind = kinds_of(task, args[0] if args else None).at(position)
        with _located(f"{task.name}(…).{name}"):
            args.append(reader.read(data, kind))
    kinds = kinds_of(task, args[0] if args else None)
    kwargs = {}
    for name, data in form.kwargs.items():
        with _located(f"{task.name}(…).{name}"):
            kwargs[name] = reader.read(data, kinds.of(name))
    call.args, call.kwargs = tuple(args), kwargs or NO_KWARGS


def _upgrade(form: CallForm, task: Task[..., Any]) -> None:
    """Make of the arguments that an earlier version wrote those of this one."""
    names = form.names or task.positions  # before names were written: those of now
    given = dict(zip(names, form.args, strict=False)) | form.kwargs
    with _located(f"{task.name}(…)"):
        if len(form.args) > len(names):
            raise Mismatch(
                f"it has {len(form.args)} arguments by position and names for {len(names)}; upgrade= "
                "takes arguments by name alone"
            )
        try:
            upgraded = task.upgrade(form.version, given) if task.upgrade is not None else given
        except Exception as error:
            raise Mismatch(f"its upgrade failed with {error!r}, given {list(given)}") from error
        if not isinstance(upgraded, dict):
            raise Mismatch(f"its upgrade gives a dict of arguments by name, not {upgraded!r}")
    form.args, form.kwargs = [], upgraded


@contextmanager
def _located(place: str) -> Iterator[None]:
    """Make a `DecodeError` of what goes wrong."""
    try:
        yield
    except Mismatch as mismatch:
        raise DecodeError(place + mismatch.path, mismatch.reason) from mismatch.__cause__
    except InvalidTaskError as error:
        raise DecodeError(place, str(error)) from error
    except RecursionError:
        raise DecodeError(place, "it is nested too deep") from None


def register(kind: type[T], encode: Callable[[T], Any], decode: Callable[[Any], T]) -> None:
    """Give a type a JSON form, in this process; a process that reads the calls has to do the same.

    Args:
        kind: the type; parameters that take it are annotated with it.
        encode: gives plain data for a value. Values for which it gives the same are held to be equal.
        decode: gives the value again.

    Examples:
        >>> register(complex, lambda z: [z.real, z.imag], lambda parts: complex(*parts))
    """
    REGISTERED[kind] = Registered(encode, decode)
    clear()
