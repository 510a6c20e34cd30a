"""The plan of a graph: which calls a call needs, and in which order they can start."""

from __future__ import annotations

from typing import Any

from cascade.interfaces.errors import CyclicGraphError
from cascade.runtime.evaluation.arguments import find_calls
from cascade.spec.lazy_types import LazyResult
from cascade.spec.quoting import Quoted
from cascade.spec.task import COLLECT

__all__ = ["Node", "cycle_in", "plan"]

_NO_CALL: LazyResult[Any] = LazyResult(COLLECT, (), {})


class Node:
    """One call on its way to its value."""

    __slots__ = ("call", "dependents", "done", "forwards_to", "needs", "value", "waiting")

    def __init__(self, call: LazyResult[Any]) -> None:
        """Know nothing yet but the call."""
        self.call = call
        self.needs: list[Node] | tuple[()] = ()
        """The nodes of the calls in the arguments, one for each occurrence, in order."""
        self.waiting = 0
        """How many of them have no value yet."""
        self.dependents: list[Node] | tuple[()] = ()
        """Nodes that wait for this one."""
        self.forwards_to: list[Node] | tuple[()] = ()
        """Nodes whose call returned this one, so that its value is theirs too."""
        self.done = False
        self.value: Any = None


def plan(
    target: LazyResult[Any], known: dict[int, Node], also_known: dict[int, Node]
) -> list[Node]:
    """Make nodes for a call and everything it needs that has none yet; the target's comes first.

    Args:
        target: the call to make a node for; it is not known yet.
        known: nodes by the id of their call; the new ones are added.
        also_known: further nodes, only looked up.

    Raises:
        CyclicGraphError: the call needs itself; nothing has been run.
    """
    first = known[id(target)] = Node(target)
    new = [first]
    met_again = False
    for node in new:  # grows as it goes: breadth first, without recursion
        needs: list[Node] = []
        for needed in find_calls(node.call):
            if isinstance(needed, Quoted):
                needs.append(_given(needed.value))
                continue
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
            elif need.dependents[-1] is node:  # the same call twice in one call
                continue
            else:
                need.dependents.append(node)
            node.waiting += 1
        if needs:
            node.needs = needs
    if met_again:
        _check_acyclic(new)
    return new


def _given(value: Any) -> Node:
    """Return a node for a quoted value, which is there already."""
    node = Node(_NO_CALL)
    node.value = value
    node.done = True
    return node


def _check_acyclic(nodes: list[Node]) -> None:
    """Take nodes away in the order in which they could run; what is left forms a cycle."""
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
    return [each.call.task.name for each in [*path[path.index(node) :], node]]


def cycle_in(waiting: list[LazyResult[Any]]) -> list[str]:
    """Return the names along the cycle if a call waits, through others, for itself; else nothing."""
    last = waiting[-1]
    for position in range(len(waiting) - 2, -1, -1):
        if waiting[position] is last:
            return [call.task.name for call in waiting[position:]]
    return []
