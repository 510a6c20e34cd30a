"""The graph of one step: which lazies a call needs, and in which order they become ready.

Lazies are looked for in a call's arguments, also inside lists, tuples, dicts and dataclasses.
`find_lazies` and `resolve` walk the arguments in the same order, so the values that the first asked
for can be put in place by the second one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import fields
from functools import lru_cache
from typing import Any, NoReturn

from cascade.interfaces.errors import CyclicGraphError, GraphError
from cascade.spec.lazy_types import LazyResult, MappedLazyResult

__all__ = ["LAZY_TYPES", "Node", "circle_in", "find_lazies", "plan", "resolve"]

LAZY_TYPES = frozenset({LazyResult, MappedLazyResult})

_ATOMS = frozenset({int, float, str, bool, bytes, complex, type(None)})


_MOST_TYPES = 4096  # of arguments that are remembered; past that it begins anew


class Node:
    """One lazy on its way to its value."""

    __slots__ = ("dependents", "done", "heirs", "lazy", "needs", "value", "waiting")

    def __init__(self, lazy: LazyResult[Any]) -> None:
        """Know nothing yet but the call."""
        self.lazy = lazy
        self.needs: list[Node] | tuple[()] = ()
        """The nodes of the lazies in the arguments, one for each occurrence, in order."""
        self.waiting = 0
        """How many of them have no value yet."""
        self.dependents: list[Node] | tuple[()] = ()
        """Nodes that wait for this one."""
        self.heirs: list[Node] | tuple[()] = ()
        """Nodes whose call returned this one's lazy, so that its value is theirs too."""
        self.done = False
        self.value: Any = None


# --- arguments --------------------------------------------------------------------------------


def find_lazies(lazy: LazyResult[Any]) -> Sequence[LazyResult[Any]]:
    """Return every occurrence of a lazy in a call's arguments, in the order of `resolve`.

    Raises:
        GraphError: a container among the arguments holds itself.
    """
    found: list[LazyResult[Any]] = []
    try:
        for part in lazy.args:
            parts_of = _PARTS_OF[type(part)]
            if parts_of is None:
                continue
            if parts_of is _is_lazy:
                found.append(part)
            else:
                _collect(parts_of(part), found)
        if lazy.kwargs:
            _collect(lazy.kwargs.values(), found)
    except RecursionError:
        raise GraphError(
            f"an argument of {lazy.task.name!r} is a container that holds itself, or is nested too deep"
        ) from None
    return found or ()  # a waiting run holds the answer: mostly nothing, and then no list


def _collect(parts: Iterable[Any], found: list[LazyResult[Any]]) -> None:
    for part in parts:
        parts_of = _PARTS_OF[type(part)]
        if parts_of is None:
            continue
        if parts_of is _is_lazy:
            found.append(part)
            continue
        inner = parts_of(part)
        if inner and not _ATOMS.issuperset(map(type, inner)):
            _collect(inner, found)


def resolve(lazy: LazyResult[Any], values: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return a call's arguments with every lazy replaced by its value.

    Args:
        lazy: the call.
        values: one for each of `find_lazies`, in that order.
    """
    if not values:
        return lazy.args, lazy.kwargs
    if len(values) == 1:  # as in most calls that need others: it is an argument, and not inside one
        args = lazy.args
        if args and type(args[-1]) in LAZY_TYPES:
            return args[:-1] + (values[0],), lazy.kwargs  # noqa: RUF005 - unpacking takes half as long again
        for position, argument in enumerate(args):
            if type(argument) in LAZY_TYPES:
                return (*args[:position], values[0], *args[position + 1 :]), lazy.kwargs
    left = iter(values)
    args = tuple([a if type(a) in _ATOMS else _replace(a, left) for a in lazy.args])
    kwargs = lazy.kwargs
    if kwargs:
        kwargs = {k: a if type(a) in _ATOMS else _replace(a, left) for k, a in kwargs.items()}
    return args, kwargs


def _replace(value: Any, values: Iterator[Any]) -> Any:
    kind: Any = type(value)
    if kind in LAZY_TYPES:
        return next(values)
    parts_of = _PARTS_OF[kind]
    if parts_of is None:
        return value
    parts = list(parts_of(value))
    new = [part if type(part) in _ATOMS else _replace(part, values) for part in parts]
    if all(old is replaced for old, replaced in zip(parts, new, strict=True)):
        return value
    return _rebuild(value, new)


def _rebuild(value: Any, new: list[Any]) -> Any:
    """Return a container of the same kind with other parts."""
    kind: Any = type(value)
    if kind is dict:
        return dict(zip(value, new, strict=True))
    if kind is list or kind is tuple:
        return kind(new)
    if issubclass(kind, tuple):
        return kind(*new)
    changed = copy(value)
    for name, part in zip(_field_names(kind), new, strict=True):
        object.__setattr__(changed, name, part)  # a dataclass may be frozen
    return changed


def _itself(value: Any) -> Any:
    return value


def _is_lazy(value: Any) -> NoReturn:
    """Stand for a lazy among the types: it has no parts, it is one."""
    raise AssertionError(f"{value!r} is not looked into")


class _PartsOf(dict[type, Callable[[Any], Any] | None]):
    """By type, what gives the parts of a container; None for whatever is none, `_is_lazy` for lazies.

    Worked out once each.
    """

    def __missing__(self, kind: type) -> Callable[[Any], Any] | None:
        if len(self) >= _MOST_TYPES:
            self.clear()
        parts_of = self[kind] = _find_parts_of(kind)
        return parts_of


_PARTS_OF = _PartsOf()


def _find_parts_of(kind: Any) -> Callable[[Any], Any] | None:
    if kind in LAZY_TYPES:
        return _is_lazy
    if kind in (list, tuple) or (issubclass(kind, tuple) and hasattr(kind, "_fields")):
        return _itself
    if kind is dict:
        return dict.values
    if hasattr(kind, "__dataclass_fields__"):
        names = _field_names(kind)
        return lambda value: [getattr(value, name, None) for name in names]
    return None


@lru_cache(maxsize=_MOST_TYPES)
def _field_names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


# --- planning ---------------------------------------------------------------------------------


def plan(
    target: LazyResult[Any], known: dict[int, Node], also_known: dict[int, Node]
) -> list[Node]:
    """Make nodes for a lazy and everything it needs that has none yet; the target's comes first.

    Args:
        target: the lazy to make a node for; it is not known yet.
        known: nodes by the id of their lazy; the new ones are added.
        also_known: further nodes, only looked up.

    Raises:
        CyclicGraphError: the lazy needs itself; nothing has been run.
    """
    first = known[id(target)] = Node(target)
    new = [first]
    met_again = False
    for node in new:  # grows as it goes: breadth first, without recursion
        needs: list[Node] = []
        for needed in find_lazies(node.lazy):
            key = id(needed)
            need = known.get(key) or also_known.get(key)
            if need is None:
                need = known[key] = Node(needed)
                new.append(need)
            else:
                met_again = True
            needs.append(need)
            if need.done:
                continue
            if not need.dependents:
                need.dependents = [node]
            elif need.dependents[-1] is node:  # the same lazy twice in one call
                continue
            else:
                need.dependents.append(node)
            node.waiting += 1
        if needs:
            node.needs = needs
    if met_again:
        _check_acyclic(new)
    return new


def _check_acyclic(nodes: list[Node]) -> None:
    """Take nodes away in the order in which they could run; what is left goes in circles."""
    new = set(nodes)
    waiting = {node: len(new.intersection(node.needs)) for node in nodes}
    free = [node for node in nodes if not waiting[node]]
    for node in free:
        del waiting[node]
        for dependent in node.dependents:
            if dependent in waiting:
                waiting[dependent] -= 1
                if not waiting[dependent]:
                    free.append(dependent)
    if waiting:
        raise CyclicGraphError(_cycle_in(waiting))


def _cycle_in(waiting: dict[Node, int]) -> list[str]:
    """Walk from need to need among nodes that can never run, until one comes twice."""
    node = next(iter(waiting))
    path: list[Node] = []
    while node not in path:
        path.append(node)
        node = next(need for need in node.needs if need in waiting)
    return [each.lazy.task.name for each in [*path[path.index(node) :], node]]


def circle_in(waiting: list[LazyResult[Any]]) -> list[str]:
    """Return the names along the circle if a call waits, through others, for itself; else nothing."""
    last = waiting[-1]
    for position in range(len(waiting) - 2, -1, -1):
        if waiting[position] is last:
            return [lazy.task.name for lazy in waiting[position:]]
    return []
