"""``python -m benchmarks.sleepers``: durable agents that wait, in one file and out of memory.

Half of them wait for an hour that does not come, half for a signal to their names; with ``--topics`` each
for a topic of its own, by a connector. Measured: the time until all of them have begun and sleep, the file
and the memory of the process then, and how long it takes from a signal to one of them until its value is
in the store. With ``--entered`` those that wait for an hour or a name are not begun: they are entered as
they lie in a store when they sleep.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter, time
from typing import Any

import cascade as cs
from cascade.interfaces.store import DurableAgent
from cascade.runtime.events import AgentChanged
from cascade.spec.codec import encode
from cascade.stores.sqlite import SqliteStore

__all__ = ["main"]

_WOKEN = 50
_AT_ONCE = 1_000


@cs.task
async def rings(n: int, seconds: float) -> int:
    """Wait for an hour."""
    return value(n, cs.wait(seconds))


@cs.task
async def listens(n: int, name: str) -> int:
    """Wait for a signal."""
    return value(n, cs.recv(cs.agent(name)))


@cs.task
async def value(n: int, _waited: object) -> int:
    """Come to an end."""
    return n


@cs.task
async def wakes(name: str) -> None:
    """Send to an agent."""
    return cs.send(cs.agent(name), None)


@cs.task
async def hears(n: int) -> int:
    """Wait for a topic."""
    return value(n, cs.recv(f"topics/{n}"))


_HOUR = 1e8  # seconds; it does not come


def _call(n: int, *, topics: bool) -> Any:
    """Return what an agent begins with."""
    if topics:
        return hears(n)
    return rings(n, _HOUR) if n % 2 else listens(n, f"a{n:07}")


def _asleep(n: int) -> DurableAgent:
    """Return an agent that has begun, and sleeps."""
    call, now = encode(_call(n, topics=False)), time()
    until = now + _HOUR if n % 2 else None
    journal = {} if until is None else {"/0!until": repr(until).encode()}
    return DurableAgent(
        f"a{n:07}",
        call,
        call,
        asleep=True,
        wake_at=until,
        journal=journal,
        epoch=1,
        created_at=now,
        changed_at=now,
    )


def _memory() -> float:
    """Return the memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def _sizes(path: Path) -> tuple[int, int]:
    """Return the size of a file, and with those beside it."""
    return path.stat().st_size, sum(each.stat().st_size for each in path.parent.iterdir())


async def _enter(path: Path, agents: int) -> None:
    """Enter agents that sleep."""
    store = SqliteStore(path)
    await store.open()
    for numbers in _batches(agents):
        await store.create([_asleep(n) for n in numbers])
    await store.aclose()


def _batches(agents: int) -> Iterator[range]:
    return (range(n, min(n + _AT_ONCE, agents)) for n in range(0, agents, _AT_ONCE))


async def _begin(engine: cs.Engine, agents: int, *, topics: bool) -> None:
    """Begin agents, and wait until all of them sleep."""
    asleep: set[str] = set()

    def note(event: Any) -> None:
        if isinstance(event, AgentChanged):
            (asleep.add if event.change == "asleep" else asleep.discard)(event.run_id)

    stop = engine.events.listen(note)
    for numbers in _batches(agents):
        await engine.agents.start({f"a{n:07}": _call(n, topics=topics) for n in numbers})
    while len(asleep) < agents:
        await asyncio.sleep(0.2)
    stop()


async def _measure(path: Path, agents: int, *, topics: bool, entered: bool) -> None:
    before, began = _memory(), perf_counter()
    if entered:
        await _enter(path, agents)
    connector = cs.LocalBusConnector(cs.LocalBroker()) if topics else None
    async with cs.Engine(store=path, connector=connector) as engine:
        engine.agents.settings.hibernates_after = 1.0
        if not entered:
            await _begin(engine, agents, topics=topics)
        seconds = perf_counter() - began
        size, files = _sizes(path)
        print(
            f"{agents:,} agents: all asleep after {seconds:.1f} s, {seconds / agents * 1e6:.0f} µs each"
        )
        print(f"file: {size / agents:.0f} bytes each ({files / agents:.0f} with its log)")
        print(f"memory: {_memory():.0f} MB, {before:.0f} MB before the first of them")
        times = []
        for n in range(0, 2 * _WOKEN, 2):
            began = perf_counter()
            if connector is None:
                await engine.run(wakes(f"a{n:07}"), name=f"w{n}", durable=True)
            else:
                await connector.publish(f"topics/{n}", None)
            while await engine.agents.list(statuses=["ready"], prefix=f"a{n:07}", limit=1):
                await asyncio.sleep(0.0005)
            times.append((perf_counter() - began) * 1e3)
        print(
            f"woken by a signal, to its value: {median(times):.1f} ms, {max(times):.1f} ms at most"
        )


def main() -> int:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(prog="sleepers", description=__doc__)
    parser.add_argument("--agents", type=int, default=100_000)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--topics", action="store_true", help="each waits for a topic of its own")
    how.add_argument("--entered", action="store_true", help="they are entered as they sleep")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "agents.db"
        asyncio.run(_measure(path, given.agents, topics=given.topics, entered=given.entered))
    return 0


if __name__ == "__main__":
    sys.exit(main())
