"""What the engine promises about time: branches without a barrier, quick cancellation, deep graphs."""

from __future__ import annotations

import asyncio
from time import perf_counter

import cascade as cs
from benchmarks.harness import Measured, Settings, report


@cs.task
async def _nap(seconds: float, _after: object = None) -> float:
    await asyncio.sleep(seconds)
    return seconds


@cs.task
async def _spin(n: int) -> int:
    return _spin(n + 1)


@cs.task(mode="inline")
def _plus_one(n: int) -> int:
    return n + 1


async def _branches() -> float:
    start = perf_counter()
    await cs.run_async([_nap(0.1, _nap(0.3)), _nap(0.3, _nap(0.1))])
    return perf_counter() - start


async def _cancelled_after() -> float:
    running = asyncio.create_task(cs.run_async(_spin(0)))
    await asyncio.sleep(0.05)
    start = perf_counter()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return (perf_counter() - start) * 1000


async def _chain(depth: int) -> float:
    call = _plus_one(0)
    for _ in range(depth):
        call = _plus_one(call)
    start = perf_counter()
    assert await cs.run_async(call) == depth + 1
    return (perf_counter() - start) * 1000


def main(_settings: Settings) -> None:
    """Measure each promise once."""
    rows = [
        Measured(
            "0.3 s then 0.1 s beside 0.1 s then 0.3 s", asyncio.run(_branches()), 1, "s", "0.40"
        ),
        Measured(
            "a tight loop of tail calls ends after",
            asyncio.run(_cancelled_after()),
            1,
            "ms",
            "≤ 10",
        ),
        Measured("a chain 20,000 deep", asyncio.run(_chain(20_000)), 1, "ms", "runs"),
    ]
    report("Promises of the engine about time", rows)
