"""Stores of durable agents beside a bare commit of the same rows: steps of one agent, and of many.

A step consumes a signal, sends a letter to another agent, and has a new call of about 300 bytes. What
is bare has a thread, a queue and three statements, and nothing that makes a store of it: it looks at no
epoch, no id and no status. Disks have phases, so ratios count.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from statistics import median
from threading import Thread
from time import perf_counter
from typing import Any

from benchmarks.harness import Measured, Settings, compare, report
from cascade.interfaces.store import Checkpoint, DurableAgent, Letter, Store
from cascade.stores.sqlite import SqliteStore

__all__ = ["CALL", "DEPTH", "PAYLOAD", "main", "names_of", "steps_of"]

CALL = b'{"task":"orders:wait_for_payment","args":[' + b'"%08d",' + b'"x",' * 60 + b"null]}"
PAYLOAD = b'{"amount":12,"order":"2031-7"}'
_SCHEMA = """
CREATE TABLE agents (name TEXT PRIMARY KEY, step INTEGER, call BLOB) WITHOUT ROWID;
CREATE TABLE signals (agent TEXT, number INTEGER, topic TEXT, payload BLOB,
    PRIMARY KEY (agent, number)) WITHOUT ROWID;
"""


DEPTH = 5
"""How many signals lie in each mailbox; so many steps are timed before a look at what is new there."""


def names_of(agents: int) -> list[str]:
    """Return the names of so many agents."""
    return [f"agent-{number:06}" for number in range(agents)]


class _Bare:
    """A thread that commits rows, all that gathered at a time."""

    def __init__(self, path: Path, synchronous: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._path = path
        self._synchronous = synchronous
        self._rows: SimpleQueue[Any] = SimpleQueue()
        self._thread = Thread(target=self._run)
        self._thread.start()

    async def step(self, agent: str, other: str, number: int) -> None:
        """Consume the signal of a number, and send the one that comes next."""
        done = self._loop.create_future()
        self._rows.put((agent, other, number, CALL % number, done))
        await done

    def end(self) -> None:
        self._rows.put(None)
        self._thread.join()

    def _run(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        while (first := self._rows.get()) is not None:
            rows = [first]
            while True:
                try:
                    rows.append(self._rows.get_nowait())
                except Empty:
                    break
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "UPDATE agents SET step = ?, call = ? WHERE name = ?",
                [(number, call, agent) for agent, _, number, call, _ in rows],
            )
            connection.executemany(
                "DELETE FROM signals WHERE agent = ? AND number = ?",
                [(agent, number) for agent, _, number, _, _ in rows],
            )
            connection.executemany(
                "INSERT INTO signals VALUES (?, ?, 't', ?)",
                [(other, number + DEPTH, PAYLOAD) for _, other, number, _, _ in rows],
            )
            connection.execute("COMMIT")
            self._loop.call_soon_threadsafe(_settle, [row[-1] for row in rows])
        connection.close()

    def prepare(self, names: list[str]) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_SCHEMA)
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO agents VALUES (?, 0, ?)", [(name, CALL % 0) for name in names]
        )
        connection.executemany(
            "INSERT INTO signals VALUES (?, ?, 't', ?)",
            [(name, number, PAYLOAD) for name in names for number in range(DEPTH)],
        )
        connection.execute("COMMIT")
        connection.close()


def _settle(futures: list[asyncio.Future[None]]) -> None:
    for future in futures:
        future.set_result(None)


async def _bare(agents: int, steps: int, synchronous: str) -> float:
    """Return microseconds a step of a bare writer thread."""
    names = names_of(agents)
    with tempfile.TemporaryDirectory() as folder:
        bare = _Bare(Path(folder) / "bare.db", synchronous)
        await asyncio.to_thread(bare.prepare, names)

        async def go(place: int, first: int) -> None:
            for number in range(first, first + DEPTH):
                await bare.step(names[place], names[place - 1], number)

        seconds = 0.0
        for first in range(0, steps, DEPTH):
            start = perf_counter()
            await asyncio.gather(*(go(place, first) for place in range(agents)))
            seconds += perf_counter() - start
        bare.end()
    return seconds / steps / agents * 1e6


async def _sqlite(agents: int, steps: int, synchronous: Any) -> float:
    """Return microseconds a step of a `SqliteStore`."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "agents.db", synchronous=synchronous)
        await store.open()
        each = await steps_of(store, agents, steps)
        await store.aclose()
    return each


async def steps_of(store: Store, agents: int, steps: int) -> float:
    """Return microseconds a step of agents that commit side by side."""
    names = names_of(agents)
    first = CALL % 0
    await store.create([DurableAgent(name, start=first, call=first) for name in names])
    letters = [Letter("t", PAYLOAD, name, str(n)) for name in names for n in range(DEPTH)]
    await store.deliver(letters, 0)
    owned = await store.claim("owner", 0, 100, limit=agents)
    assert len(owned) == agents

    async def go(place: int, first: int, numbers: list[int]) -> None:
        name, other, epoch = names[place], names[place - 1], owned[place].epoch
        for step, number in enumerate(numbers, first):
            letter = Letter("t", PAYLOAD, other, f"{name}/{step}/0")
            await store.commit(
                Checkpoint(
                    name, epoch, 1.0, call=CALL % step, consumed=(number,), letters=(letter,)
                )
            )

    seconds = 0.0
    for first in range(0, steps, DEPTH):
        unread = [[signal.number for signal in await store.signals(name)] for name in names]
        start = perf_counter()
        await asyncio.gather(*(go(place, first, unread[place]) for place in range(agents)))
        seconds += perf_counter() - start
    agent = await store.load(names[-1])
    assert agent is not None
    assert agent.step == steps
    return seconds / steps / agents * 1e6


async def _compare(
    agents: int, steps: int, synchronous: str, goal: str, settings: Settings
) -> None:
    candidates: dict[str, Callable[[], Awaitable[float]]] = {
        "bare": partial(_bare, agents, steps, synchronous),
        "SqliteStore": partial(_sqlite, agents, steps, synchronous),
    }
    rows = await compare(candidates, settings, unit="µs a step", goals={"SqliteStore": goal})
    report(f"Durable: steps of {agents} agents on SQLite, {synchronous}", rows)


async def _many(agents: int) -> list[Measured]:
    """Enter agents, and take them up after their owner is gone, a thousand at a time."""
    rows = []
    first = CALL % 0
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "agents.db")
        await store.open()
        start = perf_counter()
        names = names_of(agents)
        for place in range(0, agents, 1_000):
            await store.create(
                [
                    DurableAgent(name, first, first, filters=(f"orders/{name}/paid",))
                    for name in names[place : place + 1_000]
                ]
            )
        rows.append(Measured("entered", (perf_counter() - start) / agents * 1e6, 1, "µs each"))
        await store.aclose()
        size = (Path(folder) / "agents.db").stat().st_size
        rows.append(Measured("as they sleep", size / agents, 1, "bytes of file each", "≤ 600"))
        await store.open()
        for owner, now in [("gone", 1), ("next", 1_000)]:
            taken = []
            while True:
                start = perf_counter()
                claimed = await store.claim(owner, now, now + 10, limit=1_000)
                if not claimed:
                    break
                taken.append((perf_counter() - start) * 1e3)
            for which, measured in [
                ("first", taken[0]),
                ("median", median(taken)),
                ("slowest", max(taken)),
            ]:
                name = f"claimed by {owner!r}, the {which} thousand"
                rows.append(Measured(name, measured, 1, "ms"))
        start = perf_counter()
        assert len(await store.renew("next", 2_000)) == agents
        rows.append(Measured("renewed, all of them", (perf_counter() - start) * 1e3, 1, "ms"))
        await store.aclose()
    return rows


def main(settings: Settings) -> None:
    """Measure one agent, a hundred, and a hundred thousand to be taken up."""
    steps = DEPTH * settings.count(400)
    asyncio.run(_compare(1, steps, "NORMAL", "≤ 2.2", settings))
    for synchronous in ("NORMAL", "FULL"):
        asyncio.run(_compare(100, DEPTH * settings.count(20), synchronous, "≤ 1.8", settings))
    agents = settings.count(100_000)
    report(f"Durable: {agents:,} agents in one file", asyncio.run(_many(agents)))
