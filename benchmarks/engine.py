"""The engine, per task or step, building the graph included; beside plain asyncio with a task each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import cascade as cs
from benchmarks.harness import Measured, Settings, compare, report, timed_async


@cs.task
async def plus_one(n: int) -> int:
    """Be the cheapest async task there is."""
    return n + 1


@cs.task(mode="inline")
def minus_one(n: int) -> int:
    """Be the cheapest inline task there is."""
    return n - 1


@cs.task
async def countdown(n: int) -> int:
    """Call itself until nothing is left."""
    return n if n == 0 else countdown(n - 1)


@cs.task
async def nested_countdown(n: int) -> int:
    """The same, with a task for the argument of every step."""
    return n if n == 0 else nested_countdown(minus_one(n))


@cs.task
async def total(numbers: list[int]) -> int:
    """Add up."""
    return sum(numbers)


async def _plain_plus_one(n: int) -> int:
    return n + 1


async def _asyncio_loop(count: int) -> None:
    loop = asyncio.get_running_loop()
    n = 0
    for _ in range(count):
        n = await loop.create_task(_plain_plus_one(n))


async def _asyncio_fan_out(count: int) -> None:
    assert sum(await asyncio.gather(*[_plain_plus_one(n) for n in range(count)])) > 0


def chain(length: int) -> Any:
    """Return a chain of so many tasks."""
    call = plus_one(0)
    for _ in range(length - 1):
        call = plus_one(call)
    return call


def fan_out(width: int) -> Any:
    """Return a sum over so many tasks."""
    return total([plus_one(n) for n in range(width)])


def _repeated(
    times: int, size: int, work: Callable[[], Awaitable[object]]
) -> Callable[[], Awaitable[float]]:
    async def all_of_it() -> None:
        for _ in range(times):
            await work()

    async def measured() -> float:
        return await timed_async(times * size, all_of_it()) / 1000

    return measured


async def steps(settings: Settings) -> None:
    """Tail-call loops."""
    count = settings.count(100_000)
    engine, watched = cs.Engine(), cs.Engine()
    watched.events.listen(lambda _event: None)
    rows = await compare(
        {
            "asyncio, a task each": _repeated(1, count, lambda: _asyncio_loop(count)),
            "tail-call loop": _repeated(1, count, lambda: engine.run(countdown(count))),
            "with a nested call as argument": _repeated(
                1, count, lambda: engine.run(nested_countdown(count))
            ),
            "tail-call loop with a listener": _repeated(
                1, count, lambda: watched.run(countdown(count))
            ),
        },
        settings,
        unit="µs",
        goals={"tail-call loop": "≤ 0.8 µs", "with a nested call as argument": "≤ 3 µs"},
    )
    report("Engine: tail calls, per step", rows)


async def graphs(settings: Settings) -> None:
    """Chains and fan-outs, small and large."""
    engine = cs.Engine()
    times = settings.count(50)
    rows = await compare(
        {
            "asyncio, a task each, one after the other": _repeated(
                times, 1000, lambda: _asyncio_loop(1000)
            ),
            "chain of 1,000": _repeated(times, 1000, lambda: engine.run(chain(1000))),
            "asyncio, gather": _repeated(times, 1000, lambda: _asyncio_fan_out(1000)),
            "fan-out of 1,000 and a sum": _repeated(times, 1000, lambda: engine.run(fan_out(1000))),
        },
        settings,
        unit="µs",
        goals={"chain of 1,000": "≤ 3 µs", "fan-out of 1,000 and a sum": "≤ 4 µs"},
    )
    report("Engine: graphs, per task", rows)
    sizes = {
        f"{shape.__name__.replace('_', '-')} of {size:,}": _repeated(
            max(1, times * 500 // size),
            size,
            lambda shape=shape, size=size: engine.run(shape(size)),
        )
        for shape in (chain, fan_out)
        for size in (100, 1_000, 10_000, 100_000)
    }
    rows = await compare(sizes, settings, unit="µs")
    report("Engine: the cost per task as graphs grow", rows)


async def runs(settings: Settings) -> None:
    """Ten thousand short runs side by side on one engine."""
    engine = cs.Engine()
    count = settings.count(10_000)

    async def together() -> None:
        await asyncio.gather(*[engine.run(plus_one(n)) for n in range(count)])

    async def plain() -> None:
        await asyncio.gather(*[_plain_plus_one(n) for n in range(count)])

    rows = await compare(
        {
            "asyncio, gather": _repeated(1, count, plain),
            "concurrent runs": _repeated(1, count, together),
        },
        settings,
        unit="µs",
        goals={"concurrent runs": "≤ 15 µs"},
    )
    report(f"Engine: {count:,} concurrent short runs, per run", rows)


async def events(settings: Settings) -> None:
    """What an event costs beyond its listener."""
    count = settings.count(50_000)
    quiet, watched = cs.Engine(), cs.Engine()
    watched.events.listen(lambda _event: None)
    rows = await compare(
        {
            "no listener": _repeated(1, count, lambda: quiet.run(countdown(count))),
            "a listener that does nothing": _repeated(
                1, count, lambda: watched.run(countdown(count))
            ),
        },
        settings,
        unit="µs",
    )
    each = (rows[1].value - rows[0].value) / 2
    rows.append(Measured("so, per event (two a step)", each, each / rows[0].value, "µs", "< 1 µs"))
    report("Engine: events", rows)


def main(settings: Settings) -> None:
    """Run all workloads."""
    for workload in (steps, graphs, runs, events):
        asyncio.run(workload(settings))
