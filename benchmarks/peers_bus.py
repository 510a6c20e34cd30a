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

from benchmarks.harness import Measured, Settings, absent, compare, peer, report, timed_async
from cascade.connectors.local import LocalBroker, LocalBusConnector

Send = Callable[[list[str]], Awaitable[None]]
"""Publishes to each of the topics, and returns when the callbacks have run."""


@dataclass(frozen=True)
class Bus:
    """One way to publish."""

    name: str
    module: str
    make: Callable[[Any, list[str]], Awaitable[Send]]
    """Takes the module and the filters to subscribe to."""

    note: str
    filters: bool = False
    """Whether it knows topics with wildcards."""

    fans_out: bool = True
    exact: int = 10_000
    """How many exact subscriptions it is given where there are many."""


def _heard() -> Callable[[str, Any], None]:
    def heard(_topic: str, _payload: Any) -> None:
        """Be the cheapest callback there is; a new one each time, since some packages drop doubles."""

    return heard


def _awaited() -> Callable[[str, Any], Awaitable[None]]:
    async def awaited(_topic: str, _payload: Any) -> None:
        """Be the cheapest callback that is awaited."""

    return awaited


async def _floor(_module: Any, filters: list[str]) -> Send:
    awaited = _awaited()
    many = range(len(filters))

    async def publish(topic: str, payload: Any) -> None:
        await awaited(topic, payload)

    async def send(topics: list[str]) -> None:
        for topic in topics:
            await publish(topic, 1)

    async def send_to_many(topics: list[str]) -> None:
        for topic in topics:
            for _ in many:
                await awaited(topic, 1)

    return send_to_many if len(set(filters)) < len(filters) else send


async def _cascade(_module: Any, filters: list[str]) -> Send:
    connector = LocalBusConnector(LocalBroker())
    await connector.connect()
    for each in filters:
        await connector.subscribe(each, _awaited())

    async def send(topics: list[str]) -> None:
        for topic in topics:
            await connector.publish(topic, 1)

    return send


async def _aiosignal(module: Any, filters: list[str]) -> Send:
    signal = module.Signal("owner")
    signal.extend(_awaited() for _ in filters)
    signal.freeze()

    async def send(topics: list[str]) -> None:
        for topic in topics:
            await signal.send(topic, 1)

    return send


async def _blinker(module: Any, filters: list[str]) -> Send:
    signal = module.Signal()
    for _ in filters:
        signal.connect(lambda _sender, payload: None, weak=False)  # noqa: ARG005 - it is the payload's name

    async def send(topics: list[str]) -> None:
        for topic in topics:
            signal.send(topic, payload=1)

    return send


async def _blinker_async(module: Any, filters: list[str]) -> Send:
    signal = module.Signal()

    def receiver() -> Callable[..., Awaitable[None]]:
        async def awaited(_sender: str, payload: Any) -> None:
            """Be called with the payload by name."""

        return awaited

    for _ in filters:
        signal.connect(receiver(), weak=False)

    async def send(topics: list[str]) -> None:
        for topic in topics:
            await signal.send_async(topic, payload=1)

    return send


async def _pyee(module: Any, filters: list[str]) -> Send:
    emitter = module.EventEmitter()
    for each in filters:
        emitter.on(each, _heard())

    async def send(topics: list[str]) -> None:
        for topic in topics:
            emitter.emit(topic, topic, 1)

    return send


async def _pyee_async(module: Any, filters: list[str]) -> Send:
    emitter = module.AsyncIOEventEmitter()
    for each in filters:
        emitter.on(each, _awaited())

    async def send(topics: list[str]) -> None:
        for topic in topics:
            emitter.emit(topic, topic, 1)
            await asyncio.sleep(0)
        await emitter.wait_for_complete()

    return send


async def _eventkit(module: Any, filters: list[str]) -> Send:
    event = module.Event()
    for _ in filters:
        event.connect(_heard(), keep_ref=True)

    async def send(topics: list[str]) -> None:
        for topic in topics:
            event.emit(topic, 1)

    return send


async def _eventkit_async(module: Any, filters: list[str]) -> Send:
    event = module.Event()
    for _ in filters:
        event.connect(_awaited(), keep_ref=True)

    async def send(topics: list[str]) -> None:
        for topic in topics:
            event.emit(topic, 1)
            await asyncio.sleep(0)

    return send


def _key(module: Any, topic: str) -> Any:
    return module.Key(*topic.replace("+", "*").replace("#", "*").split("/"))


async def _aiopubsub(module: Any, filters: list[str]) -> Send:
    hub = module.Hub()
    for each in filters:
        hub.add_subscriber(_key(module, each), _heard())

    async def send(topics: list[str]) -> None:
        for topic in topics:
            hub.publish(module.Key(*topic.split("/")), 1)

    return send


async def _paho(module: Any, filters: list[str]) -> Send:
    matcher = module.MQTTMatcher()
    for each in filters:
        matcher[each] = _heard()

    async def send(topics: list[str]) -> None:
        for topic in topics:
            for heard in matcher.iter_match(topic):
                heard(topic, 1)

    return send


FLOOR = Bus("floor: bare awaits", "asyncio", _floor, "", filters=True)
CASCADE = Bus("Cascade", "cascade", _cascade, "", filters=True)
PEERS = [
    Bus("aiosignal", "aiosignal", _aiosignal, "no topics"),
    Bus("blinker, send_async", "blinker", _blinker_async, "no topics; order undefined"),
    Bus("blinker, send", "blinker", _blinker, "no topics; sync; order undefined"),
    Bus("pyee, async", "pyee.asyncio", _pyee_async, "no wildcards; a task each"),
    Bus("pyee, sync", "pyee", _pyee, "no wildcards; sync"),
    Bus("eventkit, async", "eventkit", _eventkit_async, "no topics; a task each"),
    Bus("eventkit, sync", "eventkit", _eventkit, "no topics; sync"),
    Bus(
        "aiopubsub, sync",
        "aiopubsub",
        _aiopubsub,
        "sync; topics with wildcards",
        filters=True,
        exact=1_000,
    ),
    Bus(
        "paho's MQTTMatcher",
        "paho.mqtt.matcher",
        _paho,
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
