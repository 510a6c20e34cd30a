"""A graph while it is evaluated: its calls as nodes, and what they know of each other."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cascade.runtime.evaluation.arguments import find_calls
from cascade.runtime.evaluation.ownership import Ownership, written_in
from cascade.runtime.signals.source import Signal
from cascade.runtime.state.agent import Frame
from cascade.spec.lazy_types import LazyResult
from cascade.spec.quoting import Quoted

__all__ = ["Graph", "Node", "calls_written_in", "concerned_by"]

_NOTHING: Mapping[int, Any] = MappingProxyType({})


class Node:
    """One call on its way to its value, or its failure."""

    __slots__ = (
        "at",
        "attempt",
        "begins_agent",
        "branch",
        "call",
        "dependents",
        "done",
        "evaluations",
        "failure",
        "forwards_to",
        "frame",
        "graph",
        "is_tail",
        "needs",
        "number",
        "readers",
        "taken",
        "value",
        "waiting",
    )

    at: Node | None
    """The node itself while its function runs beside others: it is a `Position` then."""
    attempt: int
    evaluations: int
    taken: list[Signal] | None

    def __init__(
        self, call: LazyResult[Any], graph: Graph, frame: Frame, branch: str = "", number: int = 0
    ) -> None:
        """Know nothing yet but the call, where it is written, and who evaluates it."""
        self.at = None
        self.call = call
        self.graph = graph
        self.frame = frame
        self.branch = branch
        """The places of the choices that it was chosen by; empty for most."""
        self.number = number
        """Its place among what was planned with it."""
        self.begins_agent = False
        """Whether its frame is an agent that begins with it."""
        self.is_tail = not number and not branch
        """Whether its value is that of its graph."""
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
        self.failure: Exception | None = None

    def start(self) -> None:
        """Be the position of a function that runs beside others, until `at` is None."""
        self.at = self
        self.attempt = self.frame.attempt
        self.evaluations = 0
        self.taken = self.frame.taken

    @property
    def place(self) -> str:
        """Where the call stands within its agent: the same in every run of the program."""
        graph = self.graph
        return f"{graph.place}{graph.hops}.{self.branch}{self.number}"

    @property
    def is_wanted(self) -> bool:
        """Whether a call that may still start names this one, so that its value has to be kept."""
        return bool(self.readers or self.graph.held.get(id(self.call)))

    @property
    def holds(self) -> bool:
        """Whether it is a choice or a combinator, which may yet ask for what is written in it."""
        role = self.call.task.role
        return role in ("choice", "combinator") and not self.graph.is_foreign(self.call)

    def drop_unwanted(self) -> None:
        """Let the value go if no call will take it any more."""
        if not self.is_wanted:
            self.value = None


def concerned_by(node: Node) -> list[Node]:
    """Return a node that failed, and those that fail with it; combinators deal with it themselves."""
    found = {node}
    waiting = [node]
    for each in waiting:  # grows as it goes
        ordinary = [it for it in each.dependents if it.call.task.role != "combinator"]
        for other in (*ordinary, *each.forwards_to):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return waiting


class Graph:
    """A graph of its own: a target or a call that a task returned, with everything written in it.

    In one graph a call is evaluated at most once, also where it stands in a branch that is chosen
    later. What is returned is another graph, evaluated afresh. What a combinator encloses is a part
    of its graph, evaluated apart.

    Attributes:
        place: where it stands within its agent.
        hops: how many calls were returned here before it, each from the one before.
        root: the call that it begins with; known once it is planned.
        nodes: by the ids of their calls.
        open: choices and combinators, with the calls that each names and may yet ask for.
        held: how many of these name a call, by its id.
        part_of: whose calls these are, where it has combinators.
        owner: the combinator that it is enclosed by, if any.
        outer: the graph that this one is in.
        handed_in: outcomes of calls that are owned further out.
    """

    __slots__ = (
        "handed_in",
        "held",
        "hops",
        "nodes",
        "open",
        "outer",
        "owner",
        "part_of",
        "place",
        "root",
    )

    def __init__(
        self,
        place: str = "",
        hops: int = 0,
        enclosed_by: Node | None = None,
        handed_in: Mapping[int, Node] = _NOTHING,
    ) -> None:
        """Begin empty."""
        self.root: LazyResult[Any] | None = None
        self.place = place
        self.hops = hops
        self.owner = None if enclosed_by is None else enclosed_by.call
        self.outer = None if enclosed_by is None else enclosed_by.graph
        self.part_of: Ownership | None = None if self.outer is None else self.outer.part_of
        self.handed_in = handed_in
        self.nodes: dict[int, Node] = {}
        self.held: dict[int, int] = {}
        self.open: dict[Node, list[LazyResult[Any]]] = {}

    def is_foreign(self, call: LazyResult[Any]) -> bool:
        """Return whether a call is evaluated further out, and not here."""
        return (
            self.owner is not None
            and self.part_of is not None
            and self.part_of.owner(call) is not self.owner
        )

    def after(self, node: Node) -> Graph:
        """Return the graph of what a node's task returned."""
        if node.is_tail:
            return Graph(self.place, self.hops + 1)
        return Graph(f"{node.place}/", 1)

    def hold(self, node: Node) -> None:
        """Keep the values of all calls that a choice or combinator names, until it has asked for them."""
        named = self.open[node] = calls_written_in(_branches_of(node.call))
        for call in named:
            self.held[id(call)] = self.held.get(id(call), 0) + 1

    def let_go(self, node: Node) -> None:
        """End that, if it is so, and drop the values that nobody wants any more."""
        for call in self.open.pop(node, ()):
            key = id(call)
            self.held[key] -= 1
            if not self.held[key]:
                del self.held[key]
                if key in self.nodes:
                    self.nodes[key].drop_unwanted()


def _branches_of(call: LazyResult[Any]) -> list[Any]:
    """Return what a call chooses from or encloses: calls that are written in its graph, and may never run."""
    return [needed.value for needed in find_calls(call) if isinstance(needed, Quoted)]


def calls_written_in(branches: Any) -> list[LazyResult[Any]]:
    """Return every call that branches name, directly or as an argument of another, each once."""
    found = {id(call): call for call in written_in(branches)}
    waiting = list(found.values())
    for call in waiting:  # grows as it goes
        for needed in find_calls(call):
            for inner in written_in(needed.value if isinstance(needed, Quoted) else needed):
                if id(inner) not in found:
                    found[id(inner)] = inner
                    waiting.append(inner)
    return list(found.values())
