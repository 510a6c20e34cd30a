"""Durable agents beside packages that record the history of a workflow: the time of a step, all in.

A step consumes a signal, sends one, and has a new state. Cascade's agent is a chain of tail calls that
sends to its own name and waits for that; DBOS has a workflow that sends to itself, receives, and calls a
recorded step; a graph of LangGraph has neither signals nor sends, so its step is a node and a checkpoint.
Each lies in a SQLite file of its own, with the settings it comes with.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter
from typing import Any, TypedDict

import cascade as cs
from benchmarks.harness import Settings, absent, compare, peer, report


@cs.task(mode="inline")
def _talk(me: str, left: int, _sent: None = None, heard: int = 0) -> Any:
    if not left:
        return heard
    topic = cs.agent(me)
    return _talk(me, left - 1, cs.send(topic, left), cs.recv(topic))


async def _cascade(agents: int, steps: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        async with cs.Engine(store=Path(folder) / "agents.db") as engine:
            names = [f"agent-{number}" for number in range(agents)]
            start = perf_counter()
            await asyncio.gather(
                *(engine.run(_talk(each, steps), name=each, durable=True) for each in names)
            )
            return (perf_counter() - start) / (agents * steps) * 1e6


class _Dbos:
    """DBOS on a file; one in a process."""

    def __init__(self, dbos: Any, folder: str) -> None:
        self._dbos = dbos.DBOS
        url = f"sqlite:///{folder}/dbos.sqlite"
        self._dbos(config={"name": "bench", "system_database_url": url, "log_level": "ERROR"})

        @self._dbos.step()
        def keep(heard: int) -> int:
            return heard

        @self._dbos.workflow()
        def talk(me: str, left: int) -> int:
            state = 0
            for number in range(left, 0, -1):
                self._dbos.send(me, number)
                state = keep(self._dbos.recv())
            return state

        self._talk = talk
        self._set_id = dbos.SetWorkflowID
        self._runs = 0
        self._dbos.launch()

    async def measure(self, agents: int, steps: int) -> float:
        return await asyncio.to_thread(self._measure, agents, steps)

    def _measure(self, agents: int, steps: int) -> float:
        self._runs += 1
        start = perf_counter()
        handles = []
        for number in range(agents):
            name = f"run-{self._runs}-agent-{number}"
            with self._set_id(name):
                handles.append(self._dbos.start_workflow(self._talk, name, steps))
        assert [each.get_result() for each in handles] == [1] * agents
        return (perf_counter() - start) / (agents * steps) * 1e6

    def end(self) -> None:
        self._dbos.destroy()


class _State(TypedDict):
    left: int


async def _langgraph(agents: int, steps: int) -> float:
    return await asyncio.to_thread(_run_graphs, agents, steps)


def _run_graphs(agents: int, steps: int) -> float:
    graph: Any = peer("langgraph.graph")
    saver: Any = peer("langgraph.checkpoint.sqlite")
    built = graph.StateGraph(_State)
    built.add_node("step", lambda state: {"left": state["left"] - 1})
    built.add_edge(graph.START, "step")
    built.add_conditional_edges("step", lambda state: "step" if state["left"] else graph.END)
    with (
        tempfile.TemporaryDirectory() as folder,
        saver.SqliteSaver.from_conn_string(f"{folder}/graph.db") as kept,
    ):
        compiled = built.compile(checkpointer=kept)
        start = perf_counter()
        for number in range(agents):
            options = {"configurable": {"thread_id": str(number)}, "recursion_limit": steps + 5}
            assert compiled.invoke({"left": steps}, options)["left"] == 0
        return (perf_counter() - start) / (agents * steps) * 1e6


async def _compare(agents: int, settings: Settings, dbos: _Dbos | None) -> None:
    steps = settings.count(2_000) // agents + 5
    candidates: dict[str, Callable[[], Awaitable[float]]] = {
        "Cascade": lambda: _cascade(agents, steps)
    }
    rows = []
    if dbos is None:
        rows.append(absent("DBOS"))
    else:
        known = dbos
        candidates["DBOS"] = lambda: known.measure(agents, max(5, steps // 10))
    if peer("langgraph.checkpoint.sqlite") is None:
        rows.append(absent("LangGraph, its SQLite saver"))
    else:
        candidates["LangGraph, its SQLite saver"] = lambda: _langgraph(agents, steps)
    measured = await compare(candidates, settings, unit="µs a step")
    report(f"Durable: steps of {agents} agents, all in, on SQLite", [*measured, *rows])


def main(settings: Settings) -> None:
    """Compare one agent, and a hundred."""
    dbos = peer("dbos")
    with tempfile.TemporaryDirectory() as folder:
        known = None if dbos is None else _Dbos(dbos, folder)
        try:
            for agents in (1, 100):
                asyncio.run(_compare(agents, settings, known))
        finally:
            if known is not None:
                known.end()
