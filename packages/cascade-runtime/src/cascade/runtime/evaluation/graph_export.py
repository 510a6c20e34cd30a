"""The graph of a target as text that other programs draw: Mermaid flowcharts and Graphviz DOT."""

from __future__ import annotations

from typing import Any

from cascade.common.messaging.secrets import masked
from cascade.runtime.evaluation.graph import Graph, Node
from cascade.runtime.evaluation.plan import plan
from cascade.spec.lazy_types import LazyResult, MappedLazyResult

__all__ = ["count_calls", "dot", "mermaid"]


def mermaid(target: LazyResult[Any]) -> str:
    """Return the graph as a Mermaid flowchart; arrows lead from a value to the call that needs it.

    Raises:
        CyclicGraphError: a call needs itself.
    """
    nodes, arrows = _drawn(target)
    boxes = [f'    n{number}["{_quoted(name)}"]' for number, name in enumerate(nodes)]
    lines = [f"    n{source} --> n{sink}" for source, sink in arrows]
    return "\n".join(["flowchart TD", *boxes, *lines])


def dot(target: LazyResult[Any]) -> str:
    """Return the same graph in the DOT language of Graphviz.

    Raises:
        CyclicGraphError: a call needs itself.
    """
    nodes, arrows = _drawn(target)
    boxes = [f'    n{number} [label="{_quoted(name)}"];' for number, name in enumerate(nodes)]
    lines = [f"    n{source} -> n{sink};" for source, sink in arrows]
    return "\n".join(["digraph {", "    node [shape=box];", *boxes, *lines, "}"])


def count_calls(target: LazyResult[Any]) -> int:
    """Return how many calls the graph has.

    Raises:
        CyclicGraphError: a call needs itself.
    """
    return len(plan(target, Graph(), None))


def _drawn(target: LazyResult[Any]) -> tuple[list[str], list[tuple[int, int]]]:
    """Return names of calls, and pairs of places: what is needed, by whom."""
    nodes = plan(target, Graph(), None)
    places = {node: place for place, node in enumerate(nodes)}
    arrows = [
        (places[need], places[node])
        for node in nodes
        for need in dict.fromkeys(node.needs)
        if need in places
    ]
    return [_name(node) for node in nodes], arrows


def _name(node: Node) -> str:
    call = node.call
    return f"{call.args[0].name}.map" if isinstance(call, MappedLazyResult) else call.task.name


def _quoted(name: str) -> str:
    return masked(name).replace("\\", "\\\\").replace('"', "'")
