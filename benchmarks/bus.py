"""The in-memory bus against its floor: an awaited call that awaits the callback, and nothing between."""

from __future__ import annotations

import asyncio
import random
import threading
import tracemalloc
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

from benchmarks.harness import Measured, Settings, compare, report, timed_async
from cascade.connectors.local import LocalBroker, LocalBusConnector

Candidate = Callable[[], Awaitable[float]]


async def nothing(_topic: str, _payload: Any) -> None:
    """Be the cheapest callback there is."""


async def _floor_publish(topic: str, payload: Any) -> None:
    await nothing(topic, payload)


async def _connector() -> LocalBusConnector:
    connector = LocalBusConnector(LocalBroker())
    await connector.connect()
    return connector


def _floor(count: int) -> Candidate:
    async def calls() -> None:
        for _ in range(count):
            await _floor_publish("a/b", 1)

    return lambda: timed_async(count, calls())


def _fan_out_floor(count: int) -> Candidate:
    async def calls() -> None:
        for _ in range(count):
            await nothing("a/b", 1)

    return lambda: timed_async(count, calls())


async def latency(settings: Settings) -> None:
    """W1: one exact subscriber; and the 99.9th percentile of single publishes."""
    count = settings.count(100_000)
    connector = await _connector()
    await connector.subscribe("a/b", nothing)

    async def publishes() -> None:
        for _ in range(count):
            await connector.publish("a/b", 1)

    rows = await compare(
        {
            "floor: two bare awaits": _floor(count),
            "publish": lambda: timed_async(count, publishes()),
        },
        settings,
        goals={"publish": "≤ 2.2"},
    )
    singles = []
    for _ in range(count):
        start = perf_counter()
        await connector.publish("a/b", 1)
        singles.append((perf_counter() - start) * 1e9)
    singles.sort()
    tail = singles[int(len(singles) * 0.999)]
    rows.append(
        Measured("p99.9 of single publishes, clock included", tail, tail / rows[0].value, "ns")
    )
    report("Bus W1: one exact subscriber, publish to callback ran", rows)
    await connector.disconnect()


async def fan_out(settings: Settings) -> None:
    """W2: a thousand subscribers of one topic."""
    count = settings.count(100)
    connector = await _connector()
    for _ in range(1000):
        await connector.subscribe("a/b", nothing)

    async def publishes() -> None:
        for _ in range(count):
            await connector.publish("a/b", 1)

    rows = await compare(
        {
            "floor: one bare await": _fan_out_floor(count * 1000),
            "delivery": lambda: timed_async(count * 1000, publishes()),
        },
        settings,
        goals={"delivery": "≤ 2.2"},
    )
    report("Bus W2: fan-out to 1,000 subscribers, per delivery", rows)
    await connector.disconnect()


async def _populated(exact: int, wildcards: int) -> LocalBusConnector:
    connector = await _connector()
    for n in range(exact):
        await connector.subscribe(f"home/{n % 100}/sensor/{n}", nothing)
    for n in range(wildcards):
        await connector.subscribe(f"home/{n}/#" if n % 2 else f"home/{n}/+/+", nothing)
    return connector


def _random_publishes(connector: LocalBusConnector, exact: int, count: int) -> Candidate:
    rng = random.Random(1)
    topics = [f"home/{n % 100}/sensor/{n}" for n in (rng.randrange(exact) for _ in range(count))]

    async def publishes() -> None:
        for topic in topics:
            await connector.publish(topic, 1)

    return lambda: timed_async(count, publishes())


async def routing(settings: Settings) -> None:
    """W3: many subscriptions, random topics; warm, cold, and with ten times as many."""
    count = settings.count(20_000)
    small, large = await _populated(1_000, 100), await _populated(100_000, 100)
    middle = await _populated(10_000, 100)
    warm = {
        "floor: two bare awaits": _floor(count),
        "warm: 10,000 exact and 100 wildcards": _random_publishes(middle, 10_000, count),
        "warm: 1,000 exact": _random_publishes(small, 1_000, count),
        "warm: 1,000 of 100,000 exact": _random_publishes(large, 1_000, count),
    }
    for candidate in warm.values():
        await candidate()  # every topic has been seen once
    rows = await compare(warm, settings, goals={"warm: 10,000 exact and 100 wildcards": "≤ 6"})
    ratio = rows[3].value / rows[2].value
    rows.append(Measured("100,000 over 1,000 subscriptions", ratio, ratio, "", "≤ 1.3"))
    report("Bus W3: random topics, per publish (1 to 2 deliveries)", rows)

    async def cold() -> float:
        await (
            await middle.subscribe("#", nothing)
        ).unsubscribe()  # a wildcard change clears the routes
        topics = [f"home/{n % 100}/sensor/{n}" for n in range(10_000)]

        async def publishes() -> None:
            for topic in topics:
                await middle.publish(topic, 1)

        return await timed_async(10_000, publishes()) / 1000

    rows = await compare({"a topic's first publish": cold}, settings, unit="µs")
    rows = [Measured(row.name, row.value, 1, "µs", "≤ 4 µs") for row in rows]
    report("Bus W3 cold: a topic is seen for the first time", rows)
    for connector in (small, middle, large):
        await connector.disconnect()


async def retained(settings: Settings) -> None:
    """W4: ten thousand retained messages, a subscription that matches a thousand."""
    connector = await _connector()
    for n in range(10_000):
        await connector.publish(f"r/{n % 10}/{n}", n, retain=True)

    async def subscribe() -> float:
        took = 0.0
        for _ in range(20):
            start = perf_counter()
            handle = await connector.subscribe("r/3/+", nothing)
            took += perf_counter() - start
            await handle.unsubscribe()
        return took / 20 / 1000 * 1e9

    rows = await compare(
        {"floor: one bare await": _fan_out_floor(settings.count(100_000)), "delivery": subscribe},
        settings,
        goals={"delivery": "≤ 2"},
    )
    report("Bus W4: 10,000 retained, 1,000 match a new subscription, per delivery", rows)
    await connector.disconnect()


async def churn(settings: Settings) -> None:
    """W5: subscribe and unsubscribe beside ten thousand others."""
    count = settings.count(20_000)
    connector = await _populated(10_000, 0)

    async def pairs() -> None:
        for _ in range(count):
            await (await connector.subscribe("home/x", nothing)).unsubscribe()

    async def measured() -> float:
        return await timed_async(count, pairs()) / 1000

    rows = await compare({"subscribe and unsubscribe": measured}, settings, unit="µs")
    report(
        "Bus W5: subscribe and unsubscribe with 10,000 others present",
        [Measured(row.name, row.value, 1, "µs", "≤ 2 µs") for row in rows],
    )
    await connector.disconnect()


async def suspended(settings: Settings) -> None:
    """A callback that waits: publish to resumed, against a bare future's wake-up."""
    count = settings.count(20_000)
    connector = await _connector()
    loop = asyncio.get_running_loop()
    resumed: asyncio.Future[None] = loop.create_future()

    async def waits(_topic: str, _payload: Any) -> None:
        inner = loop.create_future()
        loop.call_soon(inner.set_result, None)
        await inner
        resumed.set_result(None)

    await connector.subscribe("a/b", waits)

    async def through_bus() -> None:
        nonlocal resumed
        for _ in range(count):
            resumed = loop.create_future()
            await connector.publish("a/b", 1)
            await resumed

    async def bare() -> None:
        nonlocal resumed
        for _ in range(count):
            resumed = loop.create_future()
            task = loop.create_task(waits("a/b", 1))
            await resumed
            await task

    rows = await compare(
        {
            "a task that waits for a future": lambda: timed_async(count, bare()),
            "a callback that waits for a future": lambda: timed_async(count, through_bus()),
        },
        settings,
        goals={"a callback that waits for a future": "≤ 1.5"},
    )
    report("Bus: a callback that waits one turn of the loop", rows)
    await connector.disconnect()


async def threads(settings: Settings) -> None:
    """Publishing to a subscriber on another thread's loop, against `call_soon_threadsafe`."""
    count = settings.count(50_000)
    broker = LocalBroker()
    publisher = LocalBusConnector(broker)
    await publisher.connect()
    other = asyncio.new_event_loop()
    thread = threading.Thread(target=other.run_forever)
    thread.start()
    done = threading.Event()
    got = 0

    def count_one() -> None:
        nonlocal got
        got += 1
        if got == count:
            done.set()

    async def hear(_topic: str, _payload: Any) -> None:
        count_one()

    async def join() -> LocalBusConnector:
        connector = LocalBusConnector(broker)
        await connector.connect()
        await connector.subscribe("a/b", hear)
        return connector

    subscriber = await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(join(), other))

    async def through_bus() -> float:
        nonlocal got
        got = 0
        done.clear()
        start = perf_counter()
        for _ in range(count):
            await publisher.publish("a/b", 1)
        await asyncio.to_thread(done.wait)
        return (perf_counter() - start) / count * 1e9

    async def bare() -> float:
        nonlocal got
        got = 0
        done.clear()
        start = perf_counter()
        for _ in range(count):
            other.call_soon_threadsafe(count_one)
        await asyncio.to_thread(done.wait)
        return (perf_counter() - start) / count * 1e9

    rows = await compare(
        {"call_soon_threadsafe": bare, "publish": through_bus}, settings, goals={"publish": "≤ 2"}
    )
    report("Bus: from another thread, per message", rows)
    await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(subscriber.disconnect(), other))
    other.call_soon_threadsafe(other.stop)
    await asyncio.to_thread(thread.join)
    other.close()


async def memory(_settings: Settings) -> None:
    """Bytes that an idle subscription holds."""
    connector = await _connector()
    for n in range(100):
        await connector.subscribe(f"warm/{n}", nothing)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for n in range(10_000):
        await connector.subscribe(f"home/sensor/{n}", nothing)
    each = (tracemalloc.get_traced_memory()[0] - before) / 10_000
    tracemalloc.stop()
    rows = [Measured("an idle subscription", each, 1, "bytes", "≤ 1,024")]
    report("Bus: memory of an idle subscription", rows)
    await connector.disconnect()


def main(settings: Settings) -> None:
    """Run all workloads."""
    for workload in (latency, fan_out, routing, retained, churn, suspended, threads, memory):
        asyncio.run(workload(settings))
