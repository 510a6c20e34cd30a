"""What a target takes: a task its parameters, a call or a list of calls the parameters that stand in it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_type_hints

from cascade.runtime.evaluation.evaluator import as_call
from cascade.runtime.evaluation.graph import calls_written_in
from cascade.spec.inputs import InputKind
from cascade.spec.lazy_types import LazyResult, MappedLazyResult
from cascade.spec.resource import Inject
from cascade.spec.routing import PARAM, REQUIRED
from cascade.spec.task import DerivedTask, Task

__all__ = ["Declared", "Input", "declared_by"]


@dataclass(frozen=True, slots=True)
class Input:
    """One parameter."""

    name: str
    kind: Any = Any
    default: Any = REQUIRED
    description: str = ""

    @property
    def is_needed(self) -> bool:
        """Whether it has to be given."""
        return self.default is REQUIRED


@dataclass(frozen=True, slots=True)
class Declared:
    """What a target takes."""

    target: str
    """What it is called."""

    inputs: dict[str, Input]
    takes_any: bool = False
    """Whether it may use parameters of other names: ``**kwargs``, or the resource ``params``."""

    converts: bool = False
    """Whether values are given to it as they should be; else the calls convert them themselves."""


def declared_by(target: Any) -> Declared:
    """Return what a target takes."""
    return _of_task(target) if isinstance(target, Task) else _of_calls(target)


# --- tasks ----------------------------------------------------------------------------------------


def _of_task(task: Task[..., Any]) -> Declared:
    kinds, texts = _kinds_of(task), _descriptions_in(inspect.getdoc(task.function) or "")
    inputs = {
        each.name: Input(
            each.name,
            kinds.get(each.name, Any),
            REQUIRED if each.default is each.empty else each.default,
            texts.get(each.name, ""),
        )
        for each in _parameters_of(task)
    }
    return Declared(task.name, inputs, task.parameters.takes_any_name, converts=True)


def _parameters_of(task: Task[..., Any]) -> Iterator[inspect.Parameter]:
    if not task.parameters.names:
        return
    for each in inspect.signature(task.function).parameters.values():
        if each.name in task.parameters.names and not isinstance(each.default, Inject):
            yield each


def _kinds_of(task: Task[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(task.function)
    except Exception:  # noqa: BLE001 - annotations may name what is not there: then they say nothing
        return {}


_ARGUMENT = re.compile(r"^(\s+)\*{0,2}(\w+)(?:\s*\([^)]*\))?:\s*(.*)$")


def _descriptions_in(docstring: str) -> dict[str, str]:
    """Return what the section ``Args`` of a docstring in Google's style says of each parameter."""
    lines = iter(docstring.splitlines())
    found: dict[str, list[str]] = {}
    current: list[str] = []
    indent = ""
    if not any(line.strip() in {"Args:", "Arguments:"} for line in lines):
        return {}
    for line in lines:  # after that one
        argument = _ARGUMENT.match(line)
        if argument is not None and argument[1] == (indent or argument[1]):
            indent, name = argument[1], argument[2]
            current = found[name] = [argument[3]]
        elif line.strip() and not line.startswith(" "):
            break
        else:
            current.append(line.strip())
    return {name: " ".join(filter(None, texts)) for name, texts in found.items()}


# --- calls ----------------------------------------------------------------------------------------


def _of_calls(target: Any) -> Declared:
    inputs: dict[str, Input] = {}
    takes_any = False
    for call in calls_written_in(_with_conditions(as_call(target, {}))):
        takes_any |= any(each.name == "params" for each in call.task.injections.values()) and (
            call.task.base is not PARAM
        )
        if call.task.base is PARAM:
            found = _input_of(call)
            known = inputs.get(found.name)
            if known is None or (known.kind is Any and found.kind is not Any):
                inputs[found.name] = found
    return Declared("this target", inputs, takes_any)


def _with_conditions(root: LazyResult[Any]) -> list[Any]:
    """Return the target, and the conditions of tasks that it maps, which no call holds yet."""
    found: list[Any] = [root]
    for call in calls_written_in(root):
        mapped = call.args[0] if isinstance(call, MappedLazyResult) else None
        while isinstance(mapped, DerivedTask):
            found.append(mapped.given)
            mapped = mapped.task
    return found


def _input_of(call: LazyResult[Any]) -> Input:
    named = {**dict(zip(call.task.positions, call.args, strict=False)), **call.kwargs}
    kind = named.get("type")
    return Input(
        str(named["name"]),
        kind.annotation if isinstance(kind, InputKind) else Any,
        named.get("default", REQUIRED),
        str(named.get("description", "")),
    )
