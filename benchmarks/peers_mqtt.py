"""Cascade's in-memory bus beside a real broker: Mosquitto over loopback, with gmqtt at both ends.

QoS 0. One message at a time (publish until the callback ran), and in bursts of 500.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from benchmarks.harness import Settings, absent, compare, peer, report, timed_async
from benchmarks.mosquitto import HOST, PATIENCE, broker, program
from cascade.connectors.local import LocalBroker, LocalBusConnector

BURST = 500


class Inbox:
    """Counts what arrives, and wakes whoever waits for so many."""

    def __init__(self) -> None:
        self.got = 0
        self.wanted = 0
        self.full = asyncio.Event()

    async def hear(self, *_message: object) -> int:
        """Be the callback, of gmqtt too: nought is success."""
        self.got += 1
        if self.got == self.wanted:
            self.full.set()
        return 0

    async def collect(self, count: int, publish: Callable[[], Awaitable[None]]) -> None:
        """Publish so many, then wait until they have arrived."""
        self.got, self.wanted = 0, count
        self.full.clear()
        for _ in range(count):
            await publish()
        await self.full.wait()


async def _client(gmqtt: Any, name: str, port: int) -> Any:
    client = gmqtt.Client(name)
    async with asyncio.timeout(PATIENCE):
        await client.connect(HOST, port)
    return client


@contextlib.asynccontextmanager
async def _through_broker(
    gmqtt: Any, port: int, inbox: Inbox
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    subscriber = await _client(gmqtt, "subscriber", port)
    publisher = await _client(gmqtt, "publisher", port)
    subscribed = asyncio.Event()
    subscriber.on_message = inbox.hear
    subscriber.on_subscribe = lambda *_: subscribed.set()
    subscriber.subscribe("a/b", qos=0)
    await asyncio.wait_for(subscribed.wait(), PATIENCE)

    async def publish() -> None:
        publisher.publish("a/b", 1, qos=0)

    try:
        yield publish
    finally:
        await publisher.disconnect()
        await subscriber.disconnect()


async def _measure(settings: Settings, gmqtt: Any, port: int) -> None:
    inbox, count = Inbox(), settings.count(2_000)
    connector = LocalBusConnector(LocalBroker())
    await connector.connect()
    await connector.subscribe("a/b", inbox.hear)

    async def local() -> None:
        await connector.publish("a/b", 1)

    async def times(burst: int, publish: Callable[[], Awaitable[None]]) -> float:
        async def all_of_it() -> None:
            async with asyncio.timeout(PATIENCE):  # once: it costs more than a message in memory
                for _ in range(max(1, count // burst)):
                    await inbox.collect(burst, publish)

        return await timed_async(max(1, count // burst) * burst, all_of_it()) / 1000

    async with _through_broker(gmqtt, port, inbox) as remote:
        for title, burst in {"one at a time": 1, f"in bursts of {BURST}": BURST}.items():
            candidates = {
                "Cascade, in memory": lambda burst=burst: times(burst, local),
                "Mosquitto over loopback, gmqtt": lambda burst=burst: times(burst, remote),
            }
            rows = await compare(candidates, settings, unit="µs")
            report(f"Peers of the bus: a broker, messages {title}, per message", rows)
    await connector.disconnect()


def main(settings: Settings) -> None:
    """Start a broker, and measure."""
    gmqtt = peer("gmqtt")
    if program() is None or gmqtt is None:
        missing = absent("Mosquitto" if program() is None else "gmqtt")
        report("Peers of the bus: a broker", [missing])
        return
    with broker() as port:
        asyncio.run(_measure(settings, gmqtt, port))
