"""The calls among a call's arguments: found, and replaced by their values.

`cascade.spec.containers` says what is looked into. `find_calls` and `resolve` go
through the arguments in the same order, so the values of what the first one found are put in place by
the second. Containers may share parts and may hold themselves; nothing here recurses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from copy import copy
from graphlib import TopologicalSorter
from typing import Any, TypeAlias

from cascade.interfaces.errors import LazyUseError
from cascade.spec.containers import ATOMS, CALL_TYPES, KINDS, NEEDED, Kind
from cascade.spec.lazy_types import LazyResult
from cascade.spec.quoting import Quoted
from cascade.spec.resource import Inject
from cascade.spec.task import COLLECT, NO_KWARGS, Task

__all__ = ["Needed", "find_calls", "missing_injections", "resolve", "with_calls_evaluated"]

Needed: TypeAlias = LazyResult[Any] | Quoted[Any]
"""What stands in an argument for a value: a call, or a value that is marked not to be looked into."""

_Seen: TypeAlias = dict[int, Any]
"""Containers by their ids; each is looked into once."""

_NEEDED_TYPES = CALL_TYPES | {Quoted}
_FLAT = ATOMS | _NEEDED_TYPES


def find_calls(call: LazyResult[Any]) -> Sequence[Needed]:
    """Return the calls and quoted values in a call's arguments, in the order of `resolve`.

    A call that is an argument twice comes twice; a container that is, is looked into once.

    Raises:
        LazyUseError: a call stands in a set or is a key.
    """
    found: list[Needed] | None = None  # a waiting run holds it: mostly nothing, and then no list
    seen: _Seen | None = None
    for part in (*call.args, *call.kwargs.values()) if call.kwargs else call.args:
        kind = KINDS[type(part)]
        if kind is None:
            continue
        if kind is NEEDED:
            if found:
                found.append(part)
            else:
                found = [part]
        elif not _is_plain(kind, part):
            seen = {} if seen is None else seen
            found = found or []
            _search(part, found, seen)
    return found or ()


def missing_injections(
    task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Inject]:
    """Return the parameters that ask for a resource and were given no other argument."""
    if not task.injections:
        return {}
    given = {*kwargs, *task.positions[: len(args)]}
    return {name: wanted for name, wanted in task.injections.items() if name not in given}


def with_calls_evaluated(value: Any, task: Task[..., Any]) -> Any:
    """Return what a task returned, or where that is a container with calls, a call that evaluates them.

    Raises:
        LazyUseError: a call stands in a set or is a key.
    """
    kind = KINDS[type(value)]
    if kind is None or not kind.returned or task.returns_data or _is_plain(kind, value):
        return value
    found: list[Needed] = []
    _search(value, found, {})
    return LazyResult(COLLECT, (value,), NO_KWARGS) if found else value


def _is_plain(kind: Kind, container: Any) -> bool:
    """Return whether a container holds nothing but plain values, as most do."""
    return ATOMS.issuperset(map(type, kind.parts(container))) and (
        kind.unordered is None or ATOMS.issuperset(map(type, kind.unordered(container)))
    )


def _search(root: Any, found: list[Needed], seen: _Seen) -> None:
    """Add what a container needs, also in the containers inside it, breadth first."""
    if id(root) in seen:
        return
    seen[id(root)] = root
    containers = [root]
    for container in containers:  # grows as it goes
        kind = KINDS[type(container)]
        assert kind is not None  # noqa: S101 - only containers are added
        if kind.unordered is not None:
            _refuse_calls(kind.unordered(container))
        for part in kind.parts(container):
            inner = KINDS[type(part)]
            if inner is None:
                continue
            if inner is NEEDED:
                found.append(part)
            elif id(part) not in seen and not _is_plain(inner, part):
                seen[id(part)] = part
                containers.append(part)


def _refuse_calls(elements: Collection[Any]) -> None:
    """Refuse calls among elements that have no order of the program's.

    Raises:
        LazyUseError: there is one.
    """
    if ATOMS.issuperset(map(type, elements)):
        return
    found: list[Needed] = []
    _search(list(elements), found, {})
    for each in found:
        if not isinstance(each, Quoted):
            raise LazyUseError(
                repr(each), "put into a set or used as a key, whose order is not the program's"
            )


def resolve(call: LazyResult[Any], values: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return a call's arguments with every call and quoted value in them replaced by its value.

    Args:
        call: the call.
        values: one for each of `find_calls`, in that order.
    """
    if not values:
        return call.args, call.kwargs
    if len(values) == 1:  # as in most calls that need others: it is an argument, and not inside one
        args = call.args
        if args and type(args[-1]) in _NEEDED_TYPES:
            return args[:-1] + (values[0],), call.kwargs  # noqa: RUF005 - unpacking takes half as long again
        for position, argument in enumerate(args):
            if type(argument) in _NEEDED_TYPES:
                return (*args[:position], values[0], *args[position + 1 :]), call.kwargs
    replace = _Replacing(iter(values))
    args = tuple([replace(part) for part in call.args])
    return args, {name: replace(part) for name, part in call.kwargs.items()}


class _Replacing:
    """Replaces parts of one call's arguments, which may share containers."""

    __slots__ = ("_by_id", "_copies", "_seen", "_values")

    def __init__(self, values: Iterator[Any]) -> None:
        """Take the values in the order in which `find_calls` found what they are for."""
        self._values = values
        self._seen: _Seen = {}
        self._by_id: dict[int, Any] = {}
        self._copies: dict[int, Any] = {}

    def __call__(self, part: Any) -> Any:
        """Return an argument with the values in place; itself where it holds no call."""
        kind = KINDS[type(part)]
        if kind is None:
            return part
        if kind is NEEDED:
            return next(self._values)
        if _is_plain(kind, part):
            return part
        if id(part) not in self._seen:
            if type(part) is list and _FLAT.issuperset(map(type, part)):
                self._fill_flat(part)
            else:
                found: list[Needed] = []
                _search(part, found, self._seen)
                self._by_id.update(zip(map(id, found), self._values, strict=False))
                self._copy(part)
        return self._copies.get(id(part), part)

    def _fill_flat(self, part: list[Any]) -> None:
        """Copy a list of calls and plain values, as most lists with calls are: half the time a part."""
        values = self._values
        self._seen[id(part)] = part
        self._copies[id(part)] = [
            next(values) if type(each) in _NEEDED_TYPES else each for each in part
        ]

    def _copy(self, root: Any) -> None:
        """Make copies of the containers that hold a call, however deep."""
        changed = [each for each in _changed(root) if id(each) not in self._copies]
        fixed: dict[int, Any] = {}
        for container in changed:
            if _kind(container).keys is None:
                fixed[id(container)] = container
            else:
                self._copies[id(container)] = copy(container)
        inside = {
            place: [id(part) for part in _kind(each).parts(each) if id(part) in fixed]
            for place, each in fixed.items()
        }
        for place in TopologicalSorter(inside).static_order():  # one inside another first
            container = fixed[place]
            parts = [self._new(part) for part in _kind(container).parts(container)]
            self._copies[place] = _kind(container).build(type(container), parts)
        for container in changed:
            kind = _kind(container)
            if kind.keys is not None:
                for key, part in zip(kind.keys(container), kind.parts(container), strict=True):
                    new = self._new(part)
                    if new is not part:
                        kind.put(self._copies[id(container)], key, new)

    def _new(self, part: Any) -> Any:
        """Return what stands in a part's place."""
        if KINDS[type(part)] is NEEDED:
            return self._by_id[id(part)]
        return self._copies.get(id(part), part)


def _kind(container: Any) -> Kind:
    kind = KINDS[type(container)]
    assert kind is not None  # noqa: S101 - only containers are asked for
    return kind


def _changed(root: Any) -> list[Any]:
    """Return the containers from a root on that hold a call, or hold one that does."""
    known = {id(root): root}
    holders: dict[int, list[Any]] = defaultdict(list)
    changed: dict[int, Any] = {}
    containers = [root]
    for container in containers:  # grows as it goes
        for part in _kind(container).parts(container):
            kind = KINDS[type(part)]
            if kind is NEEDED:
                changed[id(container)] = container
            elif kind is not None:
                holders[id(part)].append(container)
                if id(part) not in known:
                    known[id(part)] = part
                    containers.append(part)
    spreading = list(changed.values())
    for container in spreading:
        for holder in holders[id(container)]:
            if id(holder) not in changed:
                changed[id(holder)] = holder
                spreading.append(holder)
    return spreading
