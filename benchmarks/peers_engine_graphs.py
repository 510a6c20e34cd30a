"""Chains, fan-outs and loops in packages where a graph has edges, and a state goes along them."""

from __future__ import annotations

import operator
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Annotated, Any, TypedDict


async def _graph_plus_one(context: Any) -> int:
    return int(context.inputs + 1)


async def _graph_minus_one(context: Any) -> int:
    return int(context.inputs - 1)


async def pydantic_chain(module: Any, size: int) -> int:
    """Each task takes the value of the one before."""
    graph = module.GraphBuilder(input_type=int, output_type=int)
    steps = [graph.step(_graph_plus_one, node_id=f"s{k}") for k in range(size)]
    nodes = [graph.start_node, *steps, graph.end_node]
    for before, after in pairwise(nodes):
        graph.add(graph.edge_from(before).to(after))
    return int(await graph.build().run(inputs=0))


async def pydantic_fan_out(module: Any, size: int) -> int:
    """Add up what independent tasks give."""
    graph = module.GraphBuilder(input_type=list[int], output_type=int)
    step = graph.step(_graph_plus_one, node_id="s")
    total = graph.join(module.reduce_sum, initial=0)
    graph.add(
        graph.edge_from(graph.start_node).map().to(step),
        graph.edge_from(step).to(total),
        graph.edge_from(total).to(graph.end_node),
    )
    return int(await graph.build().run(inputs=list(range(size))))


async def pydantic_loop(module: Any, size: int) -> int:
    """Count down, a step at a time."""
    graph = module.GraphBuilder(input_type=int, output_type=int)
    step = graph.step(_graph_minus_one, node_id="s")
    done = graph.match(int, matches=lambda n: n == 0).to(graph.end_node)
    decision = graph.decision().branch(done).branch(graph.match(int).to(step))
    graph.add(graph.edge_from(graph.start_node).to(step), graph.edge_from(step).to(decision))
    return int(await graph.build().run(inputs=size))


def _burr_action(module: Any, by: int) -> Any:
    @module.action(reads=["n"], writes=["n"])
    async def add(state: Any) -> Any:
        return state.update(n=state["n"] + by)

    return add


async def _burr(module: Any, actions: dict[str, Any], transitions: list[Any], n: int) -> int:
    names = list(actions)
    builder = module.ApplicationBuilder().with_actions(**actions).with_transitions(*transitions)
    application = builder.with_state(n=n).with_entrypoint(names[0]).build()
    return int((await application.arun(halt_after=[names[-1]]))[2]["n"])


async def burr_chain(module: Any, size: int) -> int:
    """Each task takes the value of the one before."""
    plus_one = _burr_action(module, 1)
    actions = {f"s{k}": plus_one for k in range(size)}
    return await _burr(module, actions, list(pairwise(actions)), 0)


async def burr_loop(module: Any, size: int) -> int:
    """Count down, a step at a time."""
    actions = {"minus_one": _burr_action(module, -1), "done": _burr_action(module, 0)}
    done = ("minus_one", "done", module.when(n=0))
    return await _burr(module, actions, [done, ("minus_one", "minus_one", module.default)], size)


class _State(TypedDict):
    n: int
    parts: Annotated[list[int], operator.add]


async def _langgraph(graph: Any, size: int, n: int) -> int:
    return int((await graph.compile().ainvoke({"n": n}, {"recursion_limit": size + 5}))["n"])


async def langgraph_chain(module: Any, size: int) -> int:
    """Each task takes the value of the one before."""

    async def plus_one(state: _State) -> dict[str, int]:
        return {"n": state["n"] + 1}

    graph = module.StateGraph(_State)
    names = [f"s{k}" for k in range(size)]
    for name in names:
        graph.add_node(name, plus_one)
    for before, after in zip([module.START, *names], [*names, module.END], strict=True):
        graph.add_edge(before, after)
    return await _langgraph(graph, size, 0)


async def langgraph_fan_out(module: Any, size: int) -> int:
    """Add up what independent tasks give."""

    def part(k: int) -> Callable[[_State], Awaitable[dict[str, list[int]]]]:
        async def plus_one(_state: _State) -> dict[str, list[int]]:
            return {"parts": [k + 1]}

        return plus_one

    async def total(state: _State) -> dict[str, int]:
        return {"n": sum(state["parts"])}

    graph = module.StateGraph(_State)
    names = [f"s{k}" for k in range(size)]
    graph.add_node("total", total)
    for k, name in enumerate(names):
        graph.add_node(name, part(k))
        graph.add_edge(module.START, name)
    graph.add_edge(names, "total")
    graph.add_edge("total", module.END)
    return await _langgraph(graph, size, 0)


async def langgraph_loop(module: Any, size: int) -> int:
    """Count down, a step at a time."""

    async def minus_one(state: _State) -> dict[str, int]:
        return {"n": state["n"] - 1}

    graph = module.StateGraph(_State)
    graph.add_node("s", minus_one)
    graph.add_edge(module.START, "s")
    graph.add_conditional_edges("s", lambda state: "s" if state["n"] else module.END)
    return await _langgraph(graph, size, size)
