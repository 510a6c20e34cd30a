"""Cascade's engine beside other packages that run graphs or state machines in one process.

Every figure includes building the graph, per task or step, and every value is checked. Sizes differ:
each row says its own, since some packages slow down or end in a recursion error as graphs grow.
"""

from __future__ import annotations

import asyncio
import operator
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from inspect import Parameter, Signature
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, TypedDict

import cascade as cs
from benchmarks import engine as own
from benchmarks.harness import Measured, Settings, absent, compare, peer, report, timed_async

Work = Callable[[Any, int], Awaitable[int]]
"""Takes the package's module and a size; returns the value, so that it can be checked."""


@dataclass(frozen=True)
class Peer:
    """One package, and how it does the three shapes; None where it has no such thing."""

    name: str
    module: str
    chain: Work
    fan_out: Work | None = None
    loop: Work | None = None
    note: str = ""
    size: int = 1000


async def _plus_one(n: int) -> int:
    return n + 1


async def _asyncio_chain(_module: Any, size: int) -> int:
    n = 0
    for _ in range(size):
        n = await asyncio.create_task(_plus_one(n))
    return n


async def _asyncio_fan_out(_module: Any, size: int) -> int:
    return sum(await asyncio.gather(*[_plus_one(n) for n in range(size)]))


async def _asyncio_loop(module: Any, size: int) -> int:
    return size - await _asyncio_chain(module, size)


async def _cascade_chain(_module: Any, size: int) -> int:
    return await cs.Engine().run(own.chain(size))


async def _cascade_fan_out(_module: Any, size: int) -> int:
    return await cs.Engine().run(own.fan_out(size))


async def _cascade_loop(_module: Any, size: int) -> int:
    return await cs.Engine().run(own.countdown(size))


def _named(name: str, needs: list[str], work: Callable[[Any], int]) -> Callable[..., int]:
    """Return a function as Hamilton reads them: its name and its arguments' names are the graph."""

    def call(**values: int) -> int:
        return work(values.values())

    call.__name__ = call.__qualname__ = name
    call.__annotations__ = dict.fromkeys([*needs, "return"], int)
    parameters = [Parameter(each, Parameter.KEYWORD_ONLY, annotation=int) for each in needs]
    call.__dict__["__signature__"] = Signature(parameters, return_annotation=int)
    return call


def _hamilton(module: Any, functions: list[Callable[..., int]]) -> int:
    utilities = peer("hamilton.ad_hoc_utils")
    assert utilities
    made = utilities.create_temporary_module(*functions)
    last = functions[-1].__name__
    return int(module.Builder().with_modules(made).build().execute([last], inputs={"n": 0})[last])


async def _hamilton_chain(module: Any, size: int) -> int:
    names = ["n", *(f"t{k}" for k in range(size))]
    links = pairwise(names)
    return _hamilton(module, [_named(name, [need], lambda n: sum(n) + 1) for need, name in links])


async def _hamilton_fan_out(module: Any, size: int) -> int:
    parts = [_named(f"t{k}", ["n"], lambda n, k=k: sum(n) + k + 1) for k in range(size)]
    return _hamilton(module, [*parts, _named("total", [part.__name__ for part in parts], sum)])


async def _dask_chain(module: Any, size: int) -> int:
    add, value = module.delayed(operator.add), 0
    for _ in range(size):
        value = add(value, 1)
    return int(value.compute(scheduler="synchronous"))


async def _dask_fan_out(module: Any, size: int) -> int:
    add = module.delayed(operator.add)
    total = module.delayed(sum)([add(n, 1) for n in range(size)])
    return int(total.compute(scheduler="synchronous"))


async def _graph_plus_one(context: Any) -> int:
    return int(context.inputs + 1)


async def _graph_minus_one(context: Any) -> int:
    return int(context.inputs - 1)


async def _pydantic_chain(module: Any, size: int) -> int:
    graph = module.GraphBuilder(input_type=int, output_type=int)
    steps = [graph.step(_graph_plus_one, node_id=f"s{k}") for k in range(size)]
    nodes = [graph.start_node, *steps, graph.end_node]
    for before, after in pairwise(nodes):
        graph.add(graph.edge_from(before).to(after))
    return int(await graph.build().run(inputs=0))


async def _pydantic_fan_out(module: Any, size: int) -> int:
    graph = module.GraphBuilder(input_type=list[int], output_type=int)
    step = graph.step(_graph_plus_one, node_id="s")
    total = graph.join(module.reduce_sum, initial=0)
    graph.add(
        graph.edge_from(graph.start_node).map().to(step),
        graph.edge_from(step).to(total),
        graph.edge_from(total).to(graph.end_node),
    )
    return int(await graph.build().run(inputs=list(range(size))))


async def _pydantic_loop(module: Any, size: int) -> int:
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


async def _burr_chain(module: Any, size: int) -> int:
    plus_one = _burr_action(module, 1)
    actions = {f"s{k}": plus_one for k in range(size)}
    return await _burr(module, actions, list(pairwise(actions)), 0)


async def _burr_loop(module: Any, size: int) -> int:
    actions = {"minus_one": _burr_action(module, -1), "done": _burr_action(module, 0)}
    done = ("minus_one", "done", module.when(n=0))
    return await _burr(module, actions, [done, ("minus_one", "minus_one", module.default)], size)


class _State(TypedDict):
    n: int
    parts: Annotated[list[int], operator.add]


async def _langgraph(graph: Any, size: int, n: int) -> int:
    return int((await graph.compile().ainvoke({"n": n}, {"recursion_limit": size + 5}))["n"])


async def _langgraph_chain(module: Any, size: int) -> int:
    async def plus_one(state: _State) -> dict[str, int]:
        return {"n": state["n"] + 1}

    graph = module.StateGraph(_State)
    names = [f"s{k}" for k in range(size)]
    for name in names:
        graph.add_node(name, plus_one)
    for before, after in zip([module.START, *names], [*names, module.END], strict=True):
        graph.add_edge(before, after)
    return await _langgraph(graph, size, 0)


async def _langgraph_fan_out(module: Any, size: int) -> int:
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


async def _langgraph_loop(module: Any, size: int) -> int:
    async def minus_one(state: _State) -> dict[str, int]:
        return {"n": state["n"] - 1}

    graph = module.StateGraph(_State)
    graph.add_node("s", minus_one)
    graph.add_edge(module.START, "s")
    graph.add_conditional_edges("s", lambda state: "s" if state["n"] else module.END)
    return await _langgraph(graph, size, size)


def _doit(module: Any, tasks: list[dict[str, Any]]) -> None:
    loader = peer("doit.cmd_base")
    assert loader
    with tempfile.TemporaryDirectory() as folder:
        settings = {"dep_file": str(Path(folder) / "db"), "backend": "json", "reporter": "zero"}
        namespace = {"task_all": lambda: (task for task in tasks), "DOIT_CONFIG": settings}
        assert module.DoitMain(loader.ModuleTaskLoader(namespace)).run(["run"]) == 0


def _doit_task(name: str, needs: list[str], work: Callable[[], int], values: Any) -> dict[str, Any]:
    def action() -> None:
        values[name] = work()

    return {"basename": name, "actions": [action], "task_dep": needs}


async def _doit_chain(module: Any, size: int) -> int:
    values = {"t0": 0}
    tasks = [
        _doit_task(
            f"t{k}", [f"t{k - 1}"] if k > 1 else [], lambda k=k: values[f"t{k - 1}"] + 1, values
        )
        for k in range(1, size + 1)
    ]
    _doit(module, tasks)
    return values[f"t{size}"]


async def _doit_fan_out(module: Any, size: int) -> int:
    values: dict[str, int] = {}
    parts = [_doit_task(f"t{k}", [], lambda k=k: k + 1, values) for k in range(size)]
    names = [part["basename"] for part in parts]
    total = _doit_task("total", names, lambda: sum(values[name] for name in names), values)
    _doit(module, [*parts, total])
    return values["total"]


PEERS = [
    Peer("asyncio, a task each", "asyncio", _asyncio_chain, _asyncio_fan_out, _asyncio_loop),
    Peer("Cascade", "cascade", _cascade_chain, _cascade_fan_out, _cascade_loop),
    Peer(
        "pydantic-graph",
        "pydantic_graph",
        _pydantic_chain,
        _pydantic_fan_out,
        _pydantic_loop,
        "fan-out by map and join",
    ),
    Peer("burr", "burr.core", _burr_chain, None, _burr_loop, "a state machine; keeps a state"),
    Peer(
        "langgraph",
        "langgraph.graph",
        _langgraph_chain,
        _langgraph_fan_out,
        _langgraph_loop,
        "supersteps: a barrier after each; no checkpointer here",
        200,
    ),
    Peer(
        "sf-hamilton",
        "hamilton.driver",
        _hamilton_chain,
        _hamilton_fan_out,
        note="sync; a chain of 1,000 ends in a RecursionError",
        size=200,
    ),
    Peer("dask.delayed", "dask", _dask_chain, _dask_fan_out, note="sync, its one-thread scheduler"),
    Peer("doit", "doit.doit_cmd", _doit_chain, _doit_fan_out, note="sync; keeps a file of results"),
]


async def _compared(
    shape: str, expected: Callable[[int], int], settings: Settings
) -> list[Measured]:
    candidates, notes, missing = {}, {}, []
    for each in PEERS:
        if (work := getattr(each, shape)) is None:
            continue
        if (module := peer(each.module)) is None:
            missing.append(absent(each.name))
            continue

        async def measured(work: Work = work, module: Any = module, size: int = each.size) -> float:
            async def checked() -> None:
                assert await work(module, size) == expected(size)

            return await timed_async(size, checked()) / 1000

        await measured()  # what is only imported or compiled once
        candidates[f"{each.name}, {each.size:,}"] = measured
        notes[f"{each.name}, {each.size:,}"] = each.note
    return await compare(candidates, settings, unit="µs", notes=notes) + missing


def main(settings: Settings) -> None:
    """Run the three shapes."""
    rows = asyncio.run(_compared("chain", lambda size: size, settings))
    report("Peers of the engine: a chain, built and run, per task", rows)
    rows = asyncio.run(_compared("fan_out", lambda size: size * (size + 1) // 2, settings))
    report("Peers of the engine: a fan-out and a sum, built and run, per task", rows)
    rows = asyncio.run(_compared("loop", lambda _size: 0, settings))
    report("Peers of the engine: a loop, per step", rows)
