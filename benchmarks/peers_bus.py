"""Cascade's bus beside other packages that call callbacks in one process.

Each does what is natural to it, and its note says what it does not do. Measured is from the publish
until the callback ran; the ratio is to bare awaits, as in `benchmarks.bus`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from benchmarks import peers_bus_calls as calls
from benchmarks.harness import Measured, Settings, absent, compare, peer, report, timed_async


@dataclass(frozen=True)
class Bus:
    """One way to publish."""

    name: str
    module: str
    make: Callable[[Any, list[str]], Awaitable[calls.Send]]
    """Takes the module and the filters to subscribe to."""

    note: str
    filters: bool = False
    """Whether it knows topics with wildcards."""

    fans_out: bool = True
    exact: int = 10_000
    """How many exact subscriptions it is given where there are many."""


FLOOR = Bus("floor: bare awaits", "asyncio", calls.floor, "", filters=True)
CASCADE = Bus("Cascade", "cascade", calls.cascade, "", filters=True)
PEERS = [
    Bus("aiosignal", "aiosignal", calls.aiosignal, "no topics"),
    Bus("blinker, send_async", "blinker", calls.blinker_async, "no topics; order undefined"),
    Bus("blinker, send", "blinker", calls.blinker, "no topics; sync; order undefined"),
    Bus("pyee, async", "pyee.asyncio", calls.pyee_async, "no wildcards; a task each"),
    Bus("pyee, sync", "pyee", calls.pyee, "no wildcards; sync"),
    Bus("eventkit, async", "eventkit", calls.eventkit_async, "no topics; a task each"),
    Bus("eventkit, sync", "eventkit", calls.eventkit, "no topics; sync"),
    Bus(
        "aiopubsub, sync",
        "aiopubsub",
        calls.aiopubsub,
        "sync; topics with wildcards",
        filters=True,
        exact=1_000,
    ),
    Bus(
        "paho's MQTTMatcher",
        "paho.mqtt.matcher",
        calls.paho,
        "matching only, one value per filter",
        filters=True,
        fans_out=False,
    ),
]


async def _compared(
    buses: list[Bus],
    filters: Callable[[Bus], list[str]],
    topics: Any,
    each: int,
    settings: Settings,
) -> list[Measured]:
    """Measure the buses, warm, per ``each`` deliveries of a publish; add rows for the absent ones."""
    candidates, notes, missing = {}, {}, []
    for bus in buses:
        if (module := peer(bus.module)) is None:
            missing.append(absent(bus.name))
            continue
        send, ready = await bus.make(module, filters(bus)), topics(bus)
        await send(ready)
        candidates[bus.name] = lambda send=send, ready=ready: timed_async(
            len(ready) * each, send(ready)
        )
        notes[bus.name] = bus.note
    return await compare(candidates, settings, notes=notes) + missing


def _many(bus: Bus) -> list[str]:
    wildcards = [f"home/{n}/#" if n % 2 else f"home/{n}/+/+" for n in range(100)]
    return [f"home/{n % 100}/sensor/{n}" for n in range(bus.exact)] + wildcards


async def latency(settings: Settings) -> None:
    """W1: one subscriber."""
    topics = ["a/b"] * settings.count(50_000)
    rows = await _compared(
        [FLOOR, CASCADE, *PEERS], lambda _: ["a/b"], lambda _: topics, 1, settings
    )
    report("Peers of the bus, W1: one subscriber, publish to callback ran", rows)


async def fan_out(settings: Settings) -> None:
    """W2: a thousand subscribers of one topic."""
    topics = ["a/b"] * settings.count(20)
    buses = [bus for bus in [FLOOR, CASCADE, *PEERS] if bus.fans_out]
    rows = await _compared(buses, lambda _: ["a/b"] * 1000, lambda _: topics, 1000, settings)
    report("Peers of the bus, W2: fan-out to 1,000 subscribers, per delivery", rows)


async def routing(settings: Settings) -> None:
    """W3: random topics among 10,000 exact and 100 wildcard subscriptions, all seen before."""
    count = settings.count(20_000)

    def topics(bus: Bus) -> list[str]:
        rng = random.Random(1)
        numbers = (rng.randrange(bus.exact) for _ in range(count))
        return [f"home/{n % 100}/sensor/{n}" for n in numbers]

    buses = [bus for bus in [FLOOR, CASCADE, *PEERS] if bus.filters]
    rows = await _compared(buses, _many, topics, 1, settings)
    report(
        "Peers of the bus, W3 warm: random topics of 10,000 exact (aiopubsub: 1,000) "
        "and 100 wildcards, per publish",
        rows,
    )


async def first_sight(settings: Settings) -> None:
    """W3 cold: every topic is published to once, on a bus that has seen none."""
    candidates, notes, missing = {}, {}, []

    async def once(bus: Bus, module: Any) -> float:
        topics = _many(bus)[:1000]
        send = await bus.make(module, _many(bus))
        return await timed_async(len(topics), send(topics))

    for bus in [CASCADE, *(bus for bus in PEERS if bus.filters)]:
        if module := peer(bus.module):
            candidates[bus.name] = lambda bus=bus, module=module: once(bus, module)
            notes[bus.name] = bus.note
        else:
            missing.append(absent(bus.name))
    rows = await compare(candidates, settings, notes=notes)
    report("Peers of the bus, W3 cold: a topic's first publish", rows + missing)


def main(settings: Settings) -> None:
    """Run all workloads."""
    for workload in (latency, fan_out, routing, first_sight):
        asyncio.run(workload(settings))
