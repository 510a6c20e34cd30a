"""Which combinator owns a call: who evaluates it afresh with each attempt, and may cancel it.

A combinator owns the calls that stand only inside it. One that stands in several places belongs to the
innermost combinator that encloses all of them, or to the graph itself; so it is evaluated once there,
and handed in to the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from cascade.interfaces.errors import CyclicGraphError
from cascade.runtime.evaluation.arguments import find_calls
from cascade.spec.lazy_types import LazyResult
from cascade.spec.quoting import Quoted
from cascade.spec.task import COLLECT, NO_KWARGS

__all__ = ["Ownership", "written_in"]

_Call: TypeAlias = LazyResult[Any]


def written_in(value: Any) -> list[_Call]:
    """Return the calls in a value, which may be one itself or a container of some."""
    if isinstance(value, LazyResult):
        return [value]
    found = find_calls(LazyResult(COLLECT, (value,), NO_KWARGS))
    return [each for each in found if not isinstance(each, Quoted)]


def _places_in(call: _Call) -> Iterator[tuple[_Call, str]]:
    """Yield the calls written in a call, and how: ``needed``, a ``branch``, or ``enclosed``."""
    role = call.task.role
    for needed in find_calls(call):
        if not isinstance(needed, Quoted):
            yield needed, "needed"
        elif role in ("choice", "combinator"):
            for each in written_in(needed.value):
                yield each, "enclosed" if role == "combinator" else "branch"


class Ownership:
    """The combinators and calls of one graph, from its root; worked out once."""

    def __init__(self, root: _Call) -> None:
        """Walk the graph.

        Raises:
            CyclicGraphError: a call needs itself.
        """
        self._calls: dict[int, _Call] = {id(root): root}
        self._owner: dict[int, _Call | None] = {id(root): None}
        self._depth: dict[int, int] = {}
        self._outside: dict[int, list[_Call]] = {}
        waiting = self._count_places(root)
        free = [root]
        for call in free:  # grows as it goes: each after all calls that it is written in
            own = self._owner[id(call)]
            if call.task.role == "combinator":
                self._depth[id(call)] = self._depth_of(own) + 1
            for inner, how in _places_in(call):
                owner = call if how == "enclosed" else own
                key = id(inner)
                known = key in self._owner
                self._owner[key] = self._common(self._owner[key], owner) if known else owner
                waiting[key] -= 1
                if not waiting[key]:
                    free.append(inner)
        if any(waiting.values()):
            names = [self._calls[key].task.name for key, count in waiting.items() if count]
            raise CyclicGraphError([*names, names[0]])

    def _count_places(self, root: _Call) -> dict[int, int]:
        places: dict[int, int] = {}
        walk = [root]
        for call in walk:  # grows as it goes
            for inner, _ in _places_in(call):
                key = id(inner)
                places[key] = places.get(key, 0) + 1
                if key not in self._calls:
                    self._calls[key] = inner
                    walk.append(inner)
        return places

    def _depth_of(self, owner: _Call | None) -> int:
        return 0 if owner is None else self._depth[id(owner)]

    def _common(self, one: _Call | None, other: _Call | None) -> _Call | None:
        """Return the innermost combinator around both."""
        while one is not other:
            if self._depth_of(one) >= self._depth_of(other):
                one = self._owner[id(one)]
            else:
                other = self._owner[id(other)]
        return one

    def owner(self, call: _Call) -> _Call | None:
        """Return the combinator that a call belongs to; None for the graph itself."""
        return self._owner[id(call)]

    def handed_in(self, combinator: _Call) -> list[_Call]:
        """Return the calls of others that a combinator needs whatever happens, each once."""
        found = self._outside.get(id(combinator))
        if found is None:
            found = self._outside[id(combinator)] = self._find_outside(combinator)
        return found

    def _find_outside(self, combinator: _Call) -> list[_Call]:
        depth = self._depth_of(combinator)
        outside: dict[int, _Call] = {}
        seen = {id(combinator)}
        walk = [each for each, how in _places_in(combinator) if how == "enclosed"]
        for call in walk:  # grows as it goes
            if id(call) in seen:
                continue
            seen.add(id(call))
            if self._depth_of(self._owner[id(call)]) < depth:
                outside[id(call)] = call
            else:
                walk += [each for each, how in _places_in(call) if how != "branch"]
        return list(outside.values())
