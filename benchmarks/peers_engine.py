"""Cascade's engine beside other packages that run graphs or state machines in one process.

Every figure includes building the graph, per task or step, and every value is checked. Sizes differ:
each row says its own, since some packages slow down or end in a recursion error as graphs grow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

from benchmarks import peers_engine_graphs as graphs
from benchmarks import peers_engine_tasks as tasks
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

    def sized(self, size: int) -> Self:
        """Return the same at another size."""
        return replace(self, size=size)


FLOOR = [
    Peer(
        "asyncio, a task each",
        "asyncio",
        tasks.asyncio_chain,
        tasks.asyncio_fan_out,
        tasks.asyncio_loop,
    ),
    Peer("Cascade", "cascade", tasks.cascade_chain, tasks.cascade_fan_out, tasks.cascade_loop),
]
"""What every table begins with."""

PEERS = [
    *FLOOR,
    Peer(
        "pydantic-graph",
        "pydantic_graph",
        graphs.pydantic_chain,
        graphs.pydantic_fan_out,
        graphs.pydantic_loop,
        "fan-out by map and join",
    ),
    Peer(
        "burr",
        "burr.core",
        graphs.burr_chain,
        None,
        graphs.burr_loop,
        "a state machine; keeps a state",
    ),
    Peer(
        "langgraph",
        "langgraph.graph",
        graphs.langgraph_chain,
        graphs.langgraph_fan_out,
        graphs.langgraph_loop,
        "supersteps: a barrier after each; no checkpointer here",
        200,
    ),
    Peer(
        "sf-hamilton",
        "hamilton.driver",
        tasks.hamilton_chain,
        tasks.hamilton_fan_out,
        note="sync; a chain of 1,000 ends in a RecursionError",
        size=200,
    ),
    Peer(
        "dask.delayed",
        "dask",
        tasks.dask_chain,
        tasks.dask_fan_out,
        note="sync, its one-thread scheduler",
    ),
    Peer(
        "dask.delayed, threads",
        "dask",
        partial(tasks.dask_chain, scheduler="threads"),
        partial(tasks.dask_fan_out, scheduler="threads"),
        note="sync, its scheduler with a pool of threads",
    ),
    Peer(
        "doit",
        "doit.doit_cmd",
        tasks.doit_chain,
        tasks.doit_fan_out,
        note="sync; keeps a file of results",
    ),
]


async def _compared(
    peers: list[Peer], shape: str, expected: Callable[[int], int], settings: Settings
) -> list[Measured]:
    candidates, notes, missing = {}, {}, []
    for each in peers:
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


def run_all(peers: list[Peer], settings: Settings, title: str) -> None:
    """Compare peers in the three shapes, a table for each."""
    rows = asyncio.run(_compared(peers, "chain", lambda size: size, settings))
    report(f"{title}: a chain, built and run, per task", rows)
    rows = asyncio.run(_compared(peers, "fan_out", lambda size: size * (size + 1) // 2, settings))
    report(f"{title}: a fan-out and a sum, built and run, per task", rows)
    rows = asyncio.run(_compared(peers, "loop", lambda _size: 0, settings))
    report(f"{title}: a loop, per step", rows)


def main(settings: Settings) -> None:
    """Run the three shapes."""
    run_all(PEERS, settings, "Peers of the engine")
