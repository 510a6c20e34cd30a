"""Signals: from a publish to a workflow that has its value, and what parked agents cost others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from statistics import median
from time import perf_counter

import cascade as cs
from benchmarks.harness import Measured, Settings, compare, report, timed_async


class _Latency:
    """Adds up how long signals took; each carries the moment when it was sent."""

    def __init__(self) -> None:
        self.total = 0.0
        self.count = 0

    def arrived(self, sent: float) -> None:
        self.total += perf_counter() - sent
        self.count += 1


@cs.task(mode="inline")
def _hear(latency: _Latency, left: int, sent: float, *, buffered: bool) -> str:
    latency.arrived(sent)
    if not left:
        return "done"
    return _hear(latency, left - 1, cs.recv("turn", buffered=buffered), buffered=buffered)


@cs.task(mode="inline")
def _steps(left: int) -> int:
    return left if not left else _steps(left - 1)


_LOST = (
    10_000  # turns of the loop after which nobody has heard a signal: its hearer did not wait yet
)


async def _paced(latency: _Latency, count: int, send: Callable[[float], Awaitable[None]]) -> None:
    """Send the next signal once the last one has been heard and its hearer waits again."""
    for _ in range(count):
        heard = latency.count
        turns = 0
        while latency.count == heard:
            if turns % _LOST == 0:
                await send(perf_counter())
            turns += 1
            await asyncio.sleep(0)
        await asyncio.sleep(0)


async def _bare(count: int) -> float:
    """Return the nanoseconds from setting a future's result to its waiter's going on."""
    loop = asyncio.get_running_loop()
    latency = _Latency()
    waiting: asyncio.Future[float] = loop.create_future()

    async def hear() -> None:
        nonlocal waiting
        for _ in range(count):
            sent = await waiting
            latency.arrived(sent)
            waiting = loop.create_future()

    async def send(now: float) -> None:
        waiting.set_result(now)

    hearer = loop.create_task(hear())
    await asyncio.sleep(0)
    await _paced(latency, count, send)
    await hearer
    return latency.total / count * 1e9


async def _through_recv(engine: cs.Engine, count: int, *, buffered: bool) -> float:
    """Return the nanoseconds from a publish to the step that has its payload."""
    connector = engine.connector
    assert connector is not None
    latency = _Latency()
    first = _hear(latency, count, perf_counter(), buffered=buffered)
    running = asyncio.create_task(engine.run(first))
    while not latency.count:
        await asyncio.sleep(0)
    latency.total = 0.0

    async def send(now: float) -> None:
        await connector.publish("turn", now)

    await _paced(latency, count, send)
    assert await running == "done"
    return latency.total / count * 1e9


async def wake_up(settings: Settings) -> None:
    """From a publish until a parked workflow has its value, against a bare future's wake-up."""
    count = settings.count(10_000)
    async with cs.Engine(connector=cs.LocalBusConnector(cs.LocalBroker())) as engine:
        rows = await compare(
            {
                "a bare future's wake-up": lambda: _bare(count),
                "an engine step": lambda: timed_async(count, engine.run(_steps(count))),
                "recv, buffered": lambda: _through_recv(engine, count, buffered=True),
                "recv": lambda: _through_recv(engine, count, buffered=False),
            },
            settings,
        )
    goal = 2 * rows[0].value + rows[1].value
    rows.append(Measured("goal: two wake-ups and a step", goal, goal / rows[0].value, "ns"))
    report("Signals: publish until a parked workflow has its value", rows)


async def _publish_to_parked(agents: int, sample: int) -> float:
    """Return the microseconds of a publish to one of many agents parked in `recv`."""
    connector = cs.LocalBusConnector(cs.LocalBroker())
    async with cs.Engine(connector=connector) as engine:
        runs = [asyncio.create_task(engine.run(cs.recv(f"go/{n}"))) for n in range(agents)]
        while connector.broker.subscription_count <= agents:
            await asyncio.sleep(0)
        topics = [f"go/{n}" for n in range(agents)]
        start = perf_counter()
        for topic in topics[:sample]:
            await connector.publish(topic, 1)
        took = perf_counter() - start
        for topic in topics[sample:]:
            await connector.publish(topic, 1)
        assert await asyncio.gather(*runs) == [1] * agents
    return took / sample * 1e6


async def parked(settings: Settings) -> None:
    """A publish to one of many parked agents costs what it costs among ten."""
    many = settings.count(100_000)
    few = median([await _publish_to_parked(10, 10) for _ in range(100)])
    among_many = await _publish_to_parked(many, min(many, 1000))
    report(
        "Signals: a publish to one of the agents parked in recv",
        [
            Measured("of 10 agents", few, 1, "µs"),
            Measured(f"of {many:,} agents", among_many, among_many / few, "µs", "about 1"),
        ],
    )


def main(settings: Settings) -> None:
    """Run both."""
    asyncio.run(wake_up(settings))
    asyncio.run(parked(settings))
