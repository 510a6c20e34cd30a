"""From plain data to values, by the annotations of who takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import BuiltinFunctionType, FunctionType
from typing import Any

import msgspec

from cascade.spec.codec.annotations import understood
from cascade.spec.codec.kinds import kinds_of
from cascade.spec.codec.mismatch import Mismatch, shown
from cascade.spec.identity import Sentinel, find_successor, standing_at
from cascade.spec.lazy_types import LazyResult
from cascade.spec.policies import Policies
from cascade.spec.quoting import Quoted
from cascade.spec.resource import Inject, ResourceDefinition
from cascade.spec.task import BoundTask, ConditionalTask, Task

__all__ = ["STANDING", "CallForm", "Reader", "TaskForm"]


STANDING = (type, FunctionType, BuiltinFunctionType, ResourceDefinition, Sentinel)
"""What is written by its place."""


class TaskForm(msgspec.Struct, forbid_unknown_fields=True):
    """What is written of a task as it stands in its module, and of what is changed."""

    task: str
    version: str | None = None
    policies: dict[str, Any] = {}
    inject: dict[str, Any] = {}


class DerivedForm(msgspec.Struct, forbid_unknown_fields=True):
    """What is written of a method or a task under a condition."""

    of: dict[str, Any]
    given: Any
    bound: bool = False


class CallForm(TaskForm, forbid_unknown_fields=True):
    """What is written of a call."""

    args: list[Any] = []
    names: list[str] = []
    """What the parameters that got these by position were called when the call was written."""

    kwargs: dict[str, Any] = {}


class Reader:
    """Reads the values of one graph.

    Args:
        calls: the calls of the graph by their numbers; they may be filled later.
    """

    def __init__(self, calls: Sequence[LazyResult[Any]]) -> None:
        """Know no task yet."""
        self._calls = calls
        self._tasks: dict[bytes, Task[..., Any]] = {}

    def read(self, data: Any, kind: Any) -> Any:
        """Return the value that stands for.

        Raises:
            Mismatch: it is not of that kind.
            UnknownTaskError: it names a task that is not found.
        """
        if type(data) is dict and len(data) == 1:
            ((form, content),) = data.items()
            read = _FORMS.get(form)
            if read is not None:
                return read(self, content, kind)
        return understood(kind)(self.read, data)

    def task(self, form: TaskForm) -> Task[..., Any]:
        """Return a task with its policies; the same one for the same form.

        Raises:
            Mismatch: the policies are none.
            UnknownTaskError: it is not found.
        """
        key = msgspec.json.encode((form.task, form.version, form.policies, form.inject))
        task = self._tasks.get(key)
        if task is None:
            task = find_successor(form.task, form.version)
            policies = self.read(form.policies, Policies) if form.policies else None
            injections = {name: self.read(each, Inject) for name, each in form.inject.items()}
            if policies or injections:
                task = task.with_others(policies, {**task.injections, **injections})
            self._tasks[key] = task
        return task

    def _call(self, number: Any, _kind: Any) -> Any:
        if type(number) is not int or not 0 <= number < len(self._calls):
            raise Mismatch(f"there is no call {shown(number)}")
        return self._calls[number]

    def _quote(self, content: Any, kind: Any) -> Any:
        return Quoted(self.read(content, kind))

    def _task(self, content: Any, _kind: Any) -> Any:
        if type(content) is not dict or "of" not in content:
            return self.task(_converted(content, TaskForm))
        form = _converted(content, DerivedForm)
        task = self._task(form.of, Any)
        if not form.bound:
            return ConditionalTask(task, self.read(form.given, Any))
        _, owner = kinds_of(task, None).at(0)
        return BoundTask(task, self.read(form.given, owner))

    def _at(self, content: Any, _kind: Any) -> Any:
        if type(content) is not str:
            raise Mismatch(f"{shown(content)} is no place")
        try:
            found = standing_at(content)
        except LookupError as error:
            raise Mismatch(str(error)) from error
        if not isinstance(found, STANDING):
            raise Mismatch(f"what stands at {content!r} is not what a call names")
        return found


def _converted(content: Any, form: type[Any]) -> Any:
    try:
        return msgspec.convert(content, form)
    except msgspec.ValidationError as error:
        raise Mismatch(str(error)) from error


# What is read alike whatever the annotation says.
_FORMS: dict[str, Callable[[Reader, Any, Any], Any]] = {
    "$call": Reader._call,  # noqa: SLF001 - its own class
    "$quote": Reader._quote,  # noqa: SLF001 - its own class
    "$task": Reader._task,  # noqa: SLF001 - its own class
    "$at": Reader._at,  # noqa: SLF001 - its own class
}
