"""The plan of a graph: which calls a call needs, and in which order they can start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from cascade.interfaces.errors import CyclicGraphError
from cascade.runtime.evaluation.arguments import Needed, find_calls
from cascade.runtime.evaluation.graph import Graph, Node
from cascade.runtime.evaluation.ownership import Ownership
from cascade.runtime.state.agent import Agent
from cascade.spec.lazy_types import LazyResult
from cascade.spec.quoting import Quoted
from cascade.spec.roles import SCHEDULED
from cascade.spec.task import COLLECT

__all__ = ["count_calls", "cycle_in", "plan"]

_NO_CALL: LazyResult[Any] = LazyResult(COLLECT, (), {})
_NOTHING: Mapping[int, Any] = MappingProxyType({})


def plan(
    target: LazyResult[Any],
    graph: Graph,
    frame: Any,
    chosen_by: Node | None = None,
    *,
    is_target: bool = False,
) -> list[Node]:
    """Make nodes for a call and everything it needs that has none yet; the target's comes first.

    Args:
        target: the call to make a node for; the graph has none for it yet.
        graph: what it is written in; the new nodes are added.
        frame: the `Frame` that evaluates it, or None where they are only counted; calls directly in a list in
            target position have agents of their own.
        chosen_by: the node that chose it as one of its branches.
        is_target: whether it stands in target position, so that its value is that of an agent.

    Raises:
        CyclicGraphError: the call needs itself; nothing has been run.
    """
    nodes = graph.nodes
    if graph.root is None:
        graph.root = target
    branch = "" if chosen_by is None else f"{chosen_by.branch}{chosen_by.number}/"
    first = nodes[id(target)] = Node(target, graph, frame, branch)
    if chosen_by is not None:
        first.is_tail, first.begins_agent = chosen_by.is_tail, chosen_by.begins_agent
    new = [first]
    edges = 0
    for node in new:  # grows as it goes: breadth first, without recursion
        agents = _NOTHING
        if graph.owner is None and node.call.task.role not in SCHEDULED:  # as most calls
            needed = find_calls(node.call)
        else:
            needed = _needed_by(node)
            agents = _agents_in(node, is_target=is_target and node is first)
        if not needed:
            continue
        edges += len(needed)
        node.needs = [_node_for(each, node, agents, new) for each in needed]
        for need in node.needs:
            need.readers += 1
            if not need.done:
                _make_wait(node, need)
    if edges >= len(new):  # else it is a tree
        _check_acyclic(new)
    return new


def count_calls(target: LazyResult[Any]) -> int:
    """Return how many calls are known to be evaluated for a target.

    Raises:
        CyclicGraphError: a call needs itself.
    """
    return len(plan(target, Graph(), None))


def _node_for(needed: Needed, by: Node, agents: Mapping[int, Agent], new: list[Node]) -> Node:
    """Return the node of what a call needs; one that there was none of yet is added to the new ones."""
    graph = by.graph
    if isinstance(needed, Quoted):
        return _given(needed.value, by)
    known = graph.nodes.get(id(needed)) or graph.handed_in.get(id(needed))
    if known is None:
        agent = agents.get(id(needed)) if agents else None
        known = Node(needed, graph, agent or by.frame, by.branch, len(new))
        known.begins_agent = agent is not None
        graph.nodes[id(needed)] = known
        new.append(known)
    return known


def _needed_by(node: Node) -> Sequence[Needed]:
    """Return what a node's call needs; beside its arguments, what is handed in to a combinator.

    Raises:
        CyclicGraphError: a call needs itself.
    """
    call, graph = node.call, node.graph
    if graph.is_foreign(call):
        return ()
    needed = find_calls(call)
    if node.holds:
        graph.hold(node)
    if call.task.role != "combinator":
        return needed
    if graph.part_of is None:
        graph.part_of = Ownership(call if graph.root is None else graph.root)
    return [*needed, *graph.part_of.handed_in(call)]


def _agents_in(node: Node, *, is_target: bool) -> Mapping[int, Agent]:
    """Return an agent for each call directly in a collection or mapping, by the call's id."""
    role = node.call.task.role
    if role != "items" and not (is_target and role == "collection"):
        return _NOTHING
    outer, run = node.frame.agent, node.frame.run
    start = outer.name if is_target else f"{outer.name}/{node.place}"
    shared = outer.time_slice if role == "items" else None
    return {
        id(call): Agent(run, f"{start}/{key}", shared)
        for key, call in _directly_in(node.call.args[0])
    }


def _directly_in(collection: Any) -> Iterator[tuple[str, LazyResult[Any]]]:
    """Yield the calls that stand in a list, tuple or dict, or in such a one inside it, with their places."""
    seen: set[int] = set()
    waiting: list[tuple[str, Any]] = [("", collection)]
    for start, container in waiting:  # grows as it goes
        if isinstance(container, dict):
            parts: Iterable[tuple[Any, Any]] = container.items()
        else:
            parts = enumerate(container) if isinstance(container, (list, tuple)) else ()
        for key, part in parts:
            if id(part) in seen:
                continue
            if isinstance(part, LazyResult):
                seen.add(id(part))
                yield f"{start}{key}", part
            elif isinstance(part, (list, tuple, dict)):
                seen.add(id(part))
                waiting.append((f"{start}{key}/", part))


def _make_wait(node: Node, need: Node) -> None:
    """Let a node start no sooner than one that it needs has its value."""
    if not need.dependents:
        need.dependents = [node]
    elif need.dependents[-1] is node:  # the same call twice in one call
        return
    else:
        need.dependents.append(node)
    node.waiting += 1


def _given(value: Any, by: Node) -> Node:
    """Return a node for a quoted value, which is there already."""
    node = Node(_NO_CALL, by.graph, by.frame)
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
