"""A million tail calls in constant memory, and what a parked agent and a node of a graph hold."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from typing import Any

import cascade as cs
from benchmarks.harness import Measured, Settings, report


@cs.task
async def _countdown(n: int) -> int:
    return n if n == 0 else _countdown(n - 1)


@cs.task(mode="inline")
def _inline_countdown(n: int) -> int:
    return n if n == 0 else _inline_countdown(n - 1)


@cs.task
async def _even(n: int) -> bool:
    return True if n == 0 else _odd(n - 1)


@cs.task(mode="inline")
def _odd(n: int) -> bool:
    return False if n == 0 else _even(n - 1)


@cs.task(mode="inline")
def _minus_one(n: int) -> int:
    return n - 1


@cs.task
async def _nested_countdown(n: int) -> int:
    return n if n == 0 else _nested_countdown(_minus_one(n))


async def _growth(start: Any, steps: int, *, listen: bool) -> float:
    """Return by how many kilobytes the peak stands above the start."""
    engine = cs.Engine()
    events = 0

    def count(_event: object) -> None:
        nonlocal events
        events += 1

    if listen:
        engine.events.listen(count)
    await engine.run(start(1000))
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    await engine.run(start(steps))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return (peak - before) / 1024


async def _parked(agents: int) -> float:
    """Return the bytes that an agent parked in `recv` holds, all in."""
    connector = cs.LocalBusConnector(cs.LocalBroker())
    async with cs.Engine(connector=connector) as engine:
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        runs = [asyncio.create_task(engine.run(cs.recv(f"go/{n}"))) for n in range(agents)]
        while connector.broker.subscription_count <= agents:
            await asyncio.sleep(0)
        each = (tracemalloc.get_traced_memory()[0] - before) / agents
        tracemalloc.stop()
        for n in range(agents):
            await connector.publish(f"go/{n}", n)
        assert await asyncio.gather(*runs) == list(range(agents))
    return each


async def _per_node(nodes: int) -> float:
    """Return the bytes per node at the peak, from making the lazies to the value."""
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    assert (
        sum(await cs.run_async([_minus_one(n) for n in range(nodes)])) == sum(range(nodes)) - nodes
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return (peak - before) / nodes


def main(settings: Settings) -> None:
    """Measure growth over a million steps, then the size of things."""
    steps = settings.count(1_000_000)
    programs = {
        "async": _countdown,
        "inline": _inline_countdown,
        "mutual": _even,
        "with a nested call as argument": _nested_countdown,
    }
    rows = [
        Measured(name, asyncio.run(_growth(start, steps, listen=False)), 1, "KiB", "< 2,048")
        for name, start in programs.items()
    ]
    listened = asyncio.run(_growth(_countdown, steps, listen=True))
    rows.append(Measured("async, with a listener", listened, 1, "KiB", "< 2,048"))
    report(f"Memory: {steps:,} tail calls, peak above the start", rows)
    agents = settings.count(100_000)
    rows = [
        Measured(
            f"an agent parked in recv, of {agents:,}",
            asyncio.run(_parked(agents)),
            1,
            "bytes",
            "≤ 4,096",
        ),
        Measured(
            "a node of a graph of 10,000, at the peak",
            asyncio.run(_per_node(10_000)),
            1,
            "bytes",
            "≤ 1,229",
        ),
    ]
    report("Memory: agents and nodes", rows)
