"""From a call to the forms that are written, and back as a proof that each argument can be read.

A value becomes plain data: what JSON has stays as it is, all else that is not told apart by the
annotation alone stands in a dict with one key that begins with ``$``:

    {"$call": 3}                    the call with that number
    {"$quote": …}, {"$tuple": […]}  a quoted value, a tuple
    {"$dict": [[key, value], …]}    a dict with a key that is no text, or begins with ``$``
    {"$float": "nan"}               a float that JSON does not have
    {"$task": {…}}                  a task, as in a call
    {"$at": "module:qualname"}      a class, function or sentinel
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import lru_cache
from math import isfinite
from typing import Any

import msgspec

from cascade.interfaces.errors import EncodeError
from cascade.spec.codec.comparing import compare
from cascade.spec.codec.kinds import kinds_of
from cascade.spec.codec.mismatch import Mismatch, for_each, shown
from cascade.spec.codec.reading import STANDING, Reader
from cascade.spec.containers import CALL_TYPES, KINDS, Kind, field_names
from cascade.spec.identity import Sentinel, check_is_found, place_of, reference_to
from cascade.spec.lazy_types import LazyResult
from cascade.spec.policies import NO_POLICIES, Policies
from cascade.spec.quoting import Quoted
from cascade.spec.registry import registered_for
from cascade.spec.resource import ResourceDefinition
from cascade.spec.task import BoundTask, DerivedTask, Task

__all__ = ["Writer"]

_TOO_LARGE = 2**63
_AS_IT_IS = frozenset({type(None), bool, int, str})


class Writer:
    """Writes one call, and all that it names, each once.

    Attributes:
        calls: what has a number, in that order.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self.calls: list[LazyResult[Any]] = []
        self.needs: dict[int, list[int]] = {}
        """By the number of a call, those of the calls that it names."""
        self._numbers: dict[int, int] = {}
        self._tasks: dict[int, dict[str, Any]] = {}
        self._open: dict[int, object] = {}
        self._named: list[int] = []
        self._reader = Reader(self.calls)

    def number(self, call: LazyResult[Any]) -> int:
        """Return the number of a call; one that is new goes to the end of `calls`."""
        number = self._numbers.setdefault(id(call), len(self.calls))
        if number == len(self.calls):
            self.calls.append(call)
        self._named.append(number)
        return number

    def form(self, call: LazyResult[Any]) -> dict[str, Any]:
        """Return what is written of one call.

        Raises:
            EncodeError: its task or an argument would not come back as it is.
        """
        self._named = self.needs[self._numbers[id(call)]] = []
        with _located(f"{call.task.name}(…)"):
            form = dict(self._task(call.task))
        kinds = kinds_of(call.task, call.args[0] if call.args else None)
        if call.args:
            form["args"] = [
                self._argument(call, *kinds.at(position), argument)
                for position, argument in enumerate(call.args)
            ]
            if call.task.base.role == "function":  # and may have an ``upgrade`` one day
                form["names"] = call.task.base.positions[: len(call.args)]
        if call.kwargs:
            form["kwargs"] = {
                name: self._argument(call, name, kinds.of(name), argument)
                for name, argument in call.kwargs.items()
            }
        return form

    def _argument(self, call: LazyResult[Any], name: str, kind: Any, value: Any) -> msgspec.Raw:
        """Return an argument as JSON, once it is sure that reading that gives it again."""
        with _located(f"{call.task.name}(…).{name}"):
            return self._proved(value, kind)

    def _proved(self, value: Any, kind: Any) -> msgspec.Raw:
        if (kind is Any or kind is type(value)) and _is_simple(value):  # as most are
            return msgspec.Raw(msgspec.json.encode(value))
        data = msgspec.json.encode(self.write(value))
        compare(value, self._reader.read(msgspec.json.decode(data), kind))
        return msgspec.Raw(data)

    # --- values -----------------------------------------------------------------------------------

    def write(self, value: Any) -> Any:
        """Return a value as plain data.

        Raises:
            Mismatch: it has no such form.
        """
        kind = type(value)
        if kind in _AS_IT_IS:
            return value
        if kind is float:
            return value if isfinite(value) else {"$float": repr(value)}
        if kind in CALL_TYPES:
            return {"$call": self.number(value)}
        if isinstance(value, Task):
            return {"$task": self._task(value)}
        if isinstance(value, STANDING):
            return {"$at": _place(value)}
        return self._inside(value, kind)

    def _inside(self, value: Any, kind: type) -> Any:
        """Write what may hold other values."""
        if id(value) in self._open:
            raise Mismatch("it holds itself; data has an end")
        self._open[id(value)] = value
        try:
            if (registered := registered_for(kind)) is not None:
                return self.write(registered.encode(value))
            if kind is Quoted:
                return {"$quote": self.write(value.value)}
            if (container := KINDS[kind]) is not None:
                return self._container(value, container)
            return _plain(value)
        finally:
            del self._open[id(value)]

    def _container(self, value: Any, kind: Kind) -> Any:
        if isinstance(value, dict):
            return self._dict(value)
        if isinstance(value, (set, frozenset)):
            return sorted(for_each(value, self.write), key=msgspec.json.encode)
        names = field_names(type(value))
        if names is not None:
            parts = for_each(kind.parts(value), self.write, lambda place: f".{names[place]}")
            return dict(zip(names, parts, strict=True))
        plain = _AS_IT_IS.issuperset(map(type, value))  # as most are: a tenth of the time
        parts = list(value) if plain else for_each(value, self.write)
        return {"$tuple": parts} if isinstance(value, tuple) else parts

    def _dict(self, value: dict[Any, Any]) -> Any:
        keys = list(value)
        parts = for_each(value.values(), self.write, lambda place: f"[{shown(keys[place])}]")
        if all(type(key) is str and not key.startswith("$") for key in keys):
            return dict(zip(keys, parts, strict=True))
        written = for_each(keys, self.write, ".keys()[{}]".format)
        return {"$dict": [list(pair) for pair in zip(written, parts, strict=True)]}

    # --- tasks ------------------------------------------------------------------------------------

    def _task(self, task: Task[..., Any]) -> dict[str, Any]:
        """Return what is written of a task."""
        if isinstance(task, DerivedTask):
            form = {"of": self._task(task.task), "given": self.write(task.given)}
            return {**form, "bound": True} if isinstance(task, BoundTask) else form
        known = self._tasks.get(id(task))
        if known is None:
            known = self._tasks[id(task)] = self._new_task(task)
        return known

    def _new_task(self, task: Task[..., Any]) -> dict[str, Any]:
        form = dict(_standing(task))
        if task.policies != NO_POLICIES:
            form["policies"] = self._policies(task.policies)
        changed = {
            name: {"name": wanted.name, "definition": self.write(wanted.definition)}
            for name, wanted in task.injections.items()
            if wanted != task.base.injections.get(name)
        }
        if changed:
            form["inject"] = changed
        return form

    def _policies(self, policies: Policies) -> dict[str, Any]:
        """Return those that a task has."""
        try:
            form = self.write(policies)
            compare(policies, self._reader.read(form, Policies))
        except Mismatch as mismatch:
            mismatch.path = f".policies{mismatch.path}"
            raise
        return _without_defaults(form, policies)


def _is_simple(value: Any) -> bool:
    """Return whether nothing can go wrong: a text, a truth value or a number of at most 64 bits."""
    kind = type(value)
    return kind is str or kind is bool or (kind is int and -_TOO_LARGE < value < _TOO_LARGE)


@lru_cache(maxsize=4096)  # a task that was found once is not looked for at each of its calls
def _standing(task: Task[..., Any]) -> Mapping[str, Any]:
    """Return what is written of a task as it stands in its module."""
    try:
        check_is_found(task)
    except EncodeError as error:
        raise Mismatch(error.reason) from error
    return {"task": task.id} if task.version is None else {"task": task.id, "version": task.version}


def _without_defaults(form: dict[str, Any], value: Any) -> dict[str, Any]:
    """Return only what is not as it would be anyway."""
    default = type(value)()
    fields = {name: getattr(value, name) for name in form}
    return {
        name: _without_defaults(form[name], part) if is_dataclass(part) else form[name]
        for name, part in fields.items()
        if part != getattr(default, name)
    }


def _place(value: Any) -> str:
    """Return where something stands."""
    if isinstance(value, Sentinel):
        place = value.place
    else:
        place = place_of(value.function if isinstance(value, ResourceDefinition) else value)
    try:
        return reference_to(value, place)
    except EncodeError as error:
        raise Mismatch(error.reason) from error


def _plain(value: Any) -> Any:
    try:
        return msgspec.to_builtins(value)
    except TypeError as error:
        raise Mismatch(
            f"values of the type {type(value).__qualname__} have no JSON form; give it one with "
            "cascade.spec.codec.register(type, encode, decode)"
        ) from error


class _located:  # noqa: N801 - used as a function, and entered for each argument
    """Make an `EncodeError` of what goes wrong."""

    __slots__ = ("_place",)

    def __init__(self, place: str) -> None:
        self._place = place

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object
    ) -> None:
        """Raise the error that names the place."""
        if isinstance(error, Mismatch):
            raise EncodeError(self._place + error.path, error.reason) from error.__cause__
        if isinstance(error, RecursionError):
            raise EncodeError(self._place, "it is nested too deep") from None
        if isinstance(error, ValueError):  # text or a number that JSON cannot carry
            raise EncodeError(self._place, str(error)) from error
