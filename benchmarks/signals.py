"""Signals: from a publish to a workflow that has its value, and what parked agents cost others."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import Any

import cascade as cs
from benchmarks.harness import Measured, Settings, compare, report, timed_async


@cs.task
async def _turns(left: int, _signal: Any, *, buffered: bool) -> str:
    if not left:
        return "done"
    return _turns(left - 1, cs.recv("turn", buffered=buffered), buffered=buffered)


@cs.task(mode="inline")
def _steps(left: int) -> int:
    return left if not left else _steps(left - 1)


async def wake_up(settings: Settings) -> None:
    """Publish to a parked workflow, turn by turn, against a bare future's wake-up."""
    count = settings.count(10_000)
    connector = cs.LocalBusConnector(cs.LocalBroker())
    loop = asyncio.get_running_loop()

    async def bare() -> None:
        waiting: asyncio.Future[int] = loop.create_future()

        async def wake() -> None:
            for n in range(count):
                while waiting.done():
                    await asyncio.sleep(0)
                waiting.set_result(n)
                await asyncio.sleep(0)

        waker = loop.create_task(wake())
        for _ in range(count):
            await waiting
            waiting = loop.create_future()
        await waker

    async def one_step() -> float:
        return await timed_async(count, engine.run(_steps(count)))

    async def recv(*, buffered: bool) -> None:
        running = loop.create_task(engine.run(_turns(count, None, buffered=buffered)))
        await asyncio.sleep(0)
        for n in range(count):
            await connector.publish("turn", n)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert await running == "done"

    async with cs.Engine(connector=connector) as engine:
        rows = await compare(
            {
                "a bare future's wake-up": lambda: timed_async(count, bare()),
                "an engine step": one_step,
                "recv, buffered, three turns of the loop each": lambda: timed_async(
                    count, recv(buffered=True)
                ),
                "recv, three turns of the loop each": lambda: timed_async(
                    count, recv(buffered=False)
                ),
            },
            settings,
        )
    report("Signals: publish until a parked workflow has its value", rows)


async def parked(settings: Settings) -> None:
    """A publish to one of many parked agents costs what it costs among ten."""
    times = {}
    for agents in (10, settings.count(100_000)):
        connector = cs.LocalBusConnector(cs.LocalBroker())
        async with cs.Engine(connector=connector) as engine:
            runs = [asyncio.create_task(engine.run(cs.recv(f"go/{n}"))) for n in range(agents)]
            while connector.broker.subscription_count <= agents:
                await asyncio.sleep(0)
            start = perf_counter()
            for n in range(10):
                await connector.publish(f"go/{n}", n)
            times[agents] = (perf_counter() - start) / 10 * 1e6
            for n in range(10, agents):
                await connector.publish(f"go/{n}", n)
            assert await asyncio.gather(*runs) == list(range(agents))
    few, many = times.values()
    report(
        "Signals: a publish to one of the agents parked in recv",
        [
            Measured("of 10 agents", few, 1, "µs"),
            Measured(f"of {max(times):,} agents", many, many / few, "µs", "about 1"),
        ],
    )


def main(settings: Settings) -> None:
    """Run both."""
    asyncio.run(wake_up(settings))
    asyncio.run(parked(settings))
