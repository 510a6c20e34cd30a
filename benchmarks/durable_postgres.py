"""A `PostgresStore` beside a bare group commit of the same rows over the same library."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from itertools import count
from time import perf_counter
from typing import Any

from psycopg import AsyncConnection

from benchmarks.durable import CALL, DEPTH, PAYLOAD, names_of, steps_of
from benchmarks.harness import Settings, absent, compare, report
from benchmarks.postgres import programs, server
from cascade.stores.postgres import PostgresStore

_UPDATE = """
    UPDATE agents SET step = given.step, call = given.call
    FROM unnest(%s::text[], %s::bigint[], %s::bytea[]) AS given (name, step, call)
    WHERE agents.name = given.name
"""
_DELETE = """
    DELETE FROM signals USING unnest(%s::text[], %s::bigint[]) AS given (agent, number)
    WHERE signals.agent = given.agent AND signals.number = given.number
"""
_INSERT = (
    "INSERT INTO signals SELECT * FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::bytea[])"
)
_SCHEMA = """
    DROP TABLE IF EXISTS agents, signals;
    CREATE TABLE agents (name text PRIMARY KEY, step bigint, call bytea) WITH (fillfactor = 50);
    CREATE TABLE signals (agent text, number bigint, topic text, payload bytea,
        PRIMARY KEY (agent, number));
"""


class _Bare:
    """A task that commits rows, all that gathered at a time."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self._woken = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    async def step(self, agent: str, other: str, number: int) -> None:
        """Consume the signal of a number, and send the one that comes next."""
        done = asyncio.get_running_loop().create_future()
        self._rows.append((agent, other, number, CALL % number, done))
        self._woken.set()
        await done

    async def end(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            rows, self._rows = self._rows, []
            agents, others, numbers, calls, done = map(list, zip(*rows, strict=True))
            async with self._connection.transaction():
                await self._connection.execute(_UPDATE, (agents, numbers, calls))
                await self._connection.execute(_DELETE, (agents, numbers))
                sent = [number + DEPTH for number in numbers]
                count_of = len(rows)
                columns = (others, sent, ["t"] * count_of, [PAYLOAD] * count_of)
                await self._connection.execute(_INSERT, columns)
            for future in done:
                future.set_result(None)


async def _fill(connection: AsyncConnection, names: Sequence[str]) -> None:
    await connection.execute(_SCHEMA)
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO agents VALUES (%s, 0, %s)", [(name, CALL % 0) for name in names]
        )
        await cursor.executemany(
            "INSERT INTO signals VALUES (%s, %s, 't', %s)",
            [(name, number, PAYLOAD) for name in names for number in range(DEPTH)],
        )


async def _bare(url: str, agents: int, steps: int) -> float:
    """Return microseconds a step of a bare group commit."""
    names = names_of(agents)
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        await _fill(connection, names)
        bare = _Bare(connection)

        async def go(place: int, first: int) -> None:
            for number in range(first, first + DEPTH):
                await bare.step(names[place], names[place - 1], number)

        seconds = 0.0
        for first in range(0, steps, DEPTH):
            start = perf_counter()
            await asyncio.gather(*(go(place, first) for place in range(agents)))
            seconds += perf_counter() - start
        await bare.end()
    return seconds / steps / agents * 1e6


_schemas = count()


async def _store(url: str, agents: int, steps: int) -> float:
    """Return microseconds a step of a `PostgresStore`."""
    store = PostgresStore(url, schema=f"measured_{next(_schemas)}")
    await store.open()
    each = await steps_of(store, agents, steps)
    await store.aclose()
    return each


async def _compare(url: str, agents: int, steps: int, goal: str, settings: Settings) -> None:
    candidates = {
        "bare": partial(_bare, url, agents, steps),
        "PostgresStore": partial(_store, url, agents, steps),
    }
    rows = await compare(candidates, settings, unit="µs a step", goals={"PostgresStore": goal})
    report(f"Durable: steps of {agents:,} agents on PostgreSQL", rows)


def main(settings: Settings) -> None:
    """Measure one agent, and a thousand."""
    if programs() is None:
        report("Durable: PostgreSQL", [absent("PostgreSQL")])
        return
    with server() as url:
        asyncio.run(_compare(url, 1, DEPTH * settings.count(100), "", settings))
        asyncio.run(_compare(url, 1_000, DEPTH * settings.count(4), "≤ 2", settings))
