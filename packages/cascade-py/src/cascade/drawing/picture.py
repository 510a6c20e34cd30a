"""A target as a picture: a box for each call and each resource, arrows, and groups around what is enclosed.

Numbers follow from the graph alone, so that a program draws the same picture each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

from cascade.common.messaging.printable import printable
from cascade.drawing.labels import lines_of, shown
from cascade.runtime.evaluation.arguments import find_calls, missing_injections
from cascade.runtime.evaluation.evaluator import as_call
from cascade.runtime.evaluation.ownership import Ownership, written_in
from cascade.spec.lazy_types import LazyResult
from cascade.spec.quoting import Quoted
from cascade.spec.resource import BUILTIN_RESOURCES, Inject, ResourceDefinition

__all__ = ["Arrow", "Box", "Kind", "Picture", "picture_of"]

Kind: TypeAlias = Literal[
    "task",
    "mapping",
    "choice",
    "combinator",
    "collection",
    "builtin",
    "recv",
    "send",
    "resource",
    "value",
]
"""What a box stands for, which its shape shows."""


class Box(NamedTuple):
    """A call, a resource, or a plain value among branches."""

    name: str
    kind: Kind
    lines: tuple[str, ...]
    group: str = ""
    """The box of the innermost combinator that it belongs to; a combinator belongs to itself."""


class Arrow(NamedTuple):
    """From what is needed to what needs it."""

    source: str
    sink: str
    label: str = ""
    kind: Literal["value", "branch", "resource"] = "value"
    """A value that is needed in any case, a branch that may never run, or a resource."""


@dataclass(slots=True)
class Picture:
    """Boxes in the order in which they are found from the target on, arrows, and what lies in what."""

    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    groups: dict[str, str] = field(default_factory=dict)
    """From each group to the one around it; empty where there is none."""


def picture_of(target: Any) -> Picture:
    """Return the picture of a call, a task, or a list, tuple or dict of these.

    Raises:
        CyclicGraphError: a call needs itself.
        InvalidTaskError: the target is nothing that can be run.
        LazyUseError: a call stands in a set or is a key.
    """
    return _Drawing(as_call(target, {})).picture


class _Part(NamedTuple):
    """What stands in a call: another call, or a plain value among its branches."""

    value: Any
    label: str
    kind: Literal["value", "branch"]


_NEEDED = {"run_if": "condition", "route": "selector", "after": "first"}
_CHOSEN = {"run_if": ("if true", "else"), "catch": ("on failure",), "after": ("then",)}


class _Drawing:
    """A picture as it grows."""

    def __init__(self, root: LazyResult[Any]) -> None:
        """Draw the graph from its root on, breadth first."""
        self.picture = Picture()
        self._owners = Ownership(root)
        self._names: dict[int, str] = {id(root): "n0"}
        self._resources: dict[str, str] = {}
        self._calls = [root]
        for call in self._calls:  # grows as it goes
            self._draw(call)

    def _draw(self, call: LazyResult[Any]) -> None:
        name, group = self._names[id(call)], self._group_of(call)
        self.picture.boxes.append(Box(name, _kind_of(call), lines_of(call), group))
        for number, part in enumerate(_parts_of(call)):
            if isinstance(part.value, LazyResult):
                source = self._name_of(part.value)
            else:
                source = f"{name}v{number}"
                self.picture.boxes.append(Box(source, "value", (shown(part.value),), group))
            self.picture.arrows.append(Arrow(source, name, part.label, part.kind))
        for wanted in _resources_of(call):
            self._draw_resource(wanted, name)

    def _name_of(self, call: LazyResult[Any]) -> str:
        known = self._names.get(id(call))
        if known is None:
            known = self._names[id(call)] = f"n{len(self._calls)}"
            self._calls.append(call)
        return known

    def _group_of(self, call: LazyResult[Any]) -> str:
        owner = self._owners.owner(call)
        around = "" if owner is None else self._name_of(owner)
        if call.task.role != "combinator":
            return around
        own = self._names[id(call)]
        self.picture.groups[own] = around
        return own

    def _draw_resource(self, wanted: Inject, sink: str) -> None:
        """Draw an arrow from a resource, and the resource with those that it needs itself, once."""
        waiting = [(wanted, sink)]
        for each, needs in waiting:  # grows as it goes
            known = self._resources.get(each.name)
            if known is None:
                known = self._resources[each.name] = f"r{len(self._resources)}"
                self.picture.boxes.append(Box(known, "resource", _lines_of_resource(each)))
                if isinstance(each.definition, ResourceDefinition):
                    inner = each.definition.injections.values()
                    waiting += [(one, known) for one in inner if not _is_builtin(one)]
            self.picture.arrows.append(Arrow(known, needs, kind="resource"))


def _kind_of(call: LazyResult[Any]) -> Kind:
    task = call.task
    if task.role == "function":
        return "task"
    if task.role == "items":
        return "collection"
    if task.role != "builtin":
        return task.role
    return "recv" if task.name == "recv" else "send" if task.name == "send" else "builtin"


def _parts_of(call: LazyResult[Any]) -> Iterator[_Part]:
    """Yield what is written in a call, each call once."""
    task = call.task
    chosen = iter(_CHOSEN.get(task.name, ()))
    seen: set[tuple[int, str]] = set()
    for needed in find_calls(call):
        if not isinstance(needed, Quoted):
            label = _NEEDED.get(task.name, "") if task.role == "choice" else ""
            parts = [_Part(needed, label, "value")]
        elif task.role == "choice":
            branches = needed.value if task.name == "route" else {next(chosen): needed.value}
            parts = list(_branches(branches, by_value=task.name == "route"))
        elif task.role == "combinator":
            parts = [_Part(each, "", "value") for each in written_in(needed.value)]
        else:  # a value that is handed over as it is
            parts = []
        for part in parts:
            if (id(part.value), part.label) not in seen:
                seen.add((id(part.value), part.label))
                yield part


def _branches(branches: dict[Any, Any], *, by_value: bool) -> Iterator[_Part]:
    """Yield the branches of a choice; nothing is no branch, but for one that a value leads to."""
    for key, value in branches.items():
        label = shown(key) if by_value else str(key)
        calls = written_in(value)
        for call in calls:
            yield _Part(call, label, "branch")
        if not calls and (by_value or value is not None):
            yield _Part(value, label, "branch")


def _resources_of(call: LazyResult[Any]) -> Iterator[Inject]:
    """Yield what a call's function, or that of its mapping, is given by the run, but for what each is."""
    if call.task.role == "mapping":
        task, same, by_name = call.args[0], call.args[3], call.args[2]
        missing = missing_injections(task, call.args[1], {**same, **by_name})
    elif call.task.role == "function":
        missing = missing_injections(call.task, call.args, call.kwargs)
    else:
        return
    for wanted in {each.name: each for each in missing.values()}.values():
        if not _is_builtin(wanted):
            yield wanted


def _is_builtin(wanted: Inject) -> bool:
    return wanted.definition is None and wanted.name in BUILTIN_RESOURCES


def _lines_of_resource(wanted: Inject) -> tuple[str, ...]:
    name, definition = printable(wanted.name), wanted.definition
    return (name,) if definition is None else (name, f"for each {definition.scope}")
