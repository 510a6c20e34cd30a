"""The plan of a graph: which calls a call needs, and in which order they can start."""

from __future__ import annotations

from typing import Any

from cascade.interfaces.errors import CyclicGraphError
from cascade.runtime.evaluation.arguments import find_calls
from cascade.spec.lazy_types import LazyResult
from cascade.spec.quoting import Quoted
from cascade.spec.task import COLLECT, NO_KWARGS

__all__ = ["Graph", "Node", "branches_of", "cycle_in", "plan"]

_NO_CALL: LazyResult[Any] = LazyResult(COLLECT, (), {})


class Node:
    """One call on its way to its value."""

    __slots__ = (
        "call",
        "dependents",
        "done",
        "forwards_to",
        "graph",
        "needs",
        "readers",
        "value",
        "waiting",
    )

    def __init__(self, call: LazyResult[Any], graph: Graph) -> None:
        """Know nothing yet but the call, and the graph that it is written in."""
        self.call = call
        self.graph = graph
        self.needs: list[Node] | tuple[()] = ()
        """The nodes of the calls in the arguments, one for each occurrence, in order."""
        self.waiting = 0
        """How many of them have no value yet."""
        self.dependents: list[Node] | tuple[()] = ()
        """Nodes that wait for this one."""
        self.readers = 0
        """How many times calls that have not started need the value; the run itself counts as one."""
        self.forwards_to: list[Node] | tuple[()] = ()
        """Nodes whose call returned this one, so that its value is theirs too."""
        self.done = False
        self.value: Any = None

    @property
    def is_wanted(self) -> bool:
        """Whether a call that may still start names this one, so that its value has to be kept."""
        return bool(self.readers or self.graph.held.get(id(self.call)))

    def drop_unwanted(self) -> None:
        """Let the value go if no call will take it any more."""
        if not self.is_wanted:
            self.value = None


class Graph:
    """A graph of its own: a target or a call that a task returned, with everything written in it.

    In one graph a call is evaluated at most once, also where it stands in a branch that is chosen
    later. What is returned is another graph, evaluated afresh.

    Attributes:
        nodes: by the ids of their calls.
        held: how many choices that are still open name a call, by its id.
    """

    __slots__ = ("held", "nodes")

    def __init__(self) -> None:
        """Begin empty."""
        self.nodes: dict[int, Node] = {}
        self.held: dict[int, int] = {}

    def hold(self, branches: Any) -> None:
        """Keep the values of all calls that branches name, until one of these is chosen."""
        for call in _written_in(branches):
            self.held[id(call)] = self.held.get(id(call), 0) + 1

    def let_go(self, branches: Any) -> None:
        """End that, and drop the values that nobody wants any more."""
        for call in _written_in(branches):
            key = id(call)
            self.held[key] -= 1
            if not self.held[key]:
                del self.held[key]
                if key in self.nodes:
                    self.nodes[key].drop_unwanted()


def branches_of(call: LazyResult[Any]) -> list[Any]:
    """Return what a call chooses from: calls that are written in its graph, and may never run."""
    return [needed.value for needed in find_calls(call) if isinstance(needed, Quoted)]


def _written_in(branches: Any) -> list[LazyResult[Any]]:
    """Return every call that branches name, directly or as an argument of another, each once."""
    found: dict[int, LazyResult[Any]] = {}
    waiting = [LazyResult(COLLECT, (branches,), NO_KWARGS)]
    for call in waiting:  # grows as it goes
        for needed in find_calls(call):
            inner = needed.value if isinstance(needed, Quoted) else needed
            if not isinstance(inner, LazyResult):
                waiting.append(LazyResult(COLLECT, (inner,), NO_KWARGS))
            elif id(inner) not in found:
                found[id(inner)] = inner
                waiting.append(inner)
    return list(found.values())


def plan(target: LazyResult[Any], graph: Graph) -> list[Node]:
    """Make nodes for a call and everything it needs that has none yet; the target's comes first.

    Args:
        target: the call to make a node for; the graph has none for it yet.
        graph: what it is written in; the new nodes are added.

    Raises:
        CyclicGraphError: the call needs itself; nothing has been run.
    """
    nodes = graph.nodes
    first = nodes[id(target)] = Node(target, graph)
    new = [first]
    met_again = False
    for node in new:  # grows as it goes: breadth first, without recursion
        needs: list[Node] = []
        for needed in find_calls(node.call):
            if isinstance(needed, Quoted):
                need = _given(needed.value, graph)
            elif (known := nodes.get(id(needed))) is not None:
                need = known
                met_again = True
            else:
                need = nodes[id(needed)] = Node(needed, graph)
                new.append(need)
            needs.append(need)
            need.readers += 1
            if not need.done:
                _make_wait(node, need)
        if needs:
            node.needs = needs
        if node.call.task.chooses:
            graph.hold(branches_of(node.call))
    if met_again:
        _check_acyclic(new)
    return new


def _make_wait(node: Node, need: Node) -> None:
    """Let a node start no sooner than one that it needs has its value."""
    if not need.dependents:
        need.dependents = [node]
    elif need.dependents[-1] is node:  # the same call twice in one call
        return
    else:
        need.dependents.append(node)
    node.waiting += 1


def _given(value: Any, graph: Graph) -> Node:
    """Return a node for a quoted value, which is there already."""
    node = Node(_NO_CALL, graph)
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
