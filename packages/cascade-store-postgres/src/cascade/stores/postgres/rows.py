"""Agents and signals as they lie in rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from psycopg import AsyncConnection

from cascade.interfaces.store import AgentStatus, Arrivals, DurableAgent, PastState, StoredSignal
from cascade.stores.large.values import FIRST_NAME, LAST_NAME

__all__ = [
    "agent_of",
    "agents_by_id",
    "agents_of",
    "arrivals",
    "history_of",
    "named_files",
    "signals_of",
]

_AGENTS = """
    SELECT agents.id, agents.name, start, call, label, params, status, step, epoch, attempts, owner,
        owners.until, filters, status = 'ready' AND owner IS NULL AND free_since IS NULL, wake_at, NULL,
        result, error, created_at, changed_at
    FROM agents LEFT JOIN owners ON owners.name = owner
"""
_BY_NAME = f"{_AGENTS} WHERE agents.name = %s"
_BY_ID = f"{_AGENTS} WHERE agents.id = ANY(%s)"
_LISTED = f"""
    {_AGENTS}
    WHERE agents.name > %(after)s AND starts_with(agents.name, %(prefix)s)
        AND (%(statuses)s::text[] IS NULL OR status = ANY(%(statuses)s))
    ORDER BY agents.name LIMIT %(limit)s
"""
_JOURNALS = """
    SELECT agent, place, value FROM journal JOIN agents ON agents.id = agent AND agents.step = journal.step
    WHERE agent = ANY(%s)
"""
_LAST_NUMBER = "SELECT number FROM counters"
_REACHED = """
    SELECT name FROM agents WHERE owner = %s AND status = 'ready' AND EXISTS (
        SELECT FROM signals WHERE agent = agents.id AND number > %s
    )
"""
_NEXT_DUE = "SELECT min(wake_at) FROM agents WHERE wake_at IS NOT NULL"
_SIGNALS = """
    SELECT number, topic, payload, signals.id FROM signals JOIN agents ON agents.id = agent
    WHERE name = %s AND number > %s ORDER BY number
"""
_HISTORY = """
    SELECT history.step, history.call, history.ended_at FROM history JOIN agents ON agents.id = agent
    WHERE name = %s ORDER BY history.step
"""
_NAMED = """
    SELECT value FROM (
        SELECT start AS value FROM agents UNION SELECT params FROM agents
        UNION SELECT call FROM agents UNION SELECT result FROM agents
        UNION SELECT value FROM journal UNION SELECT call FROM history
        UNION SELECT payload FROM signals UNION SELECT payload FROM dead_letters
    ) AS everything WHERE value >= %s AND value < %s
"""


async def agent_of(connection: AsyncConnection, name: str) -> DurableAgent | None:
    """Return an agent as it lies there, or None."""
    cursor = await connection.execute(_BY_NAME, (name,))
    found = await _agents(connection, await cursor.fetchall())
    return next(iter(found.values()), None)


async def agents_by_id(connection: AsyncConnection, ids: Sequence[int]) -> list[DurableAgent]:
    """Return agents that are there, in the order of their ids as given."""
    cursor = await connection.execute(_BY_ID, ([*ids],))
    found = await _agents(connection, await cursor.fetchall())
    return [found[each] for each in ids]


async def agents_of(
    connection: AsyncConnection,
    statuses: Collection[AgentStatus] | None,
    prefix: str,
    after: str,
    limit: int,
) -> list[DurableAgent]:
    """Return agents by name, in order of their names, those behind ``after``."""
    values = {
        "statuses": None if statuses is None else [*statuses],
        "prefix": prefix,
        "after": after,
        "limit": limit,
    }
    cursor = await connection.execute(_LISTED, values)
    return [*(await _agents(connection, await cursor.fetchall())).values()]


async def _agents(
    connection: AsyncConnection, rows: Sequence[tuple[Any, ...]]
) -> dict[int, DurableAgent]:
    """Return the agents of rows by their ids, with their journals."""
    journals: dict[int, dict[str, bytes]] = {row[0]: {} for row in rows}
    cursor = await connection.execute(_JOURNALS, ([*journals],))
    for agent, place, value in await cursor.fetchall():
        journals[agent][place] = value
    agents = {}
    for number, *fields in rows:
        fields[11] = tuple(fields[11])
        fields[14] = journals[number]
        agents[number] = DurableAgent(*fields)
    return agents


async def signals_of(connection: AsyncConnection, name: str, after: int) -> list[StoredSignal]:
    """Return what lies in a mailbox with a number above ``after``, in order."""
    cursor = await connection.execute(_SIGNALS, (name, after))
    return [StoredSignal(*row) for row in await cursor.fetchall()]


async def history_of(connection: AsyncConnection, name: str) -> list[PastState]:
    """Return the earlier states of an agent that are kept, the oldest first."""
    cursor = await connection.execute(_HISTORY, (name,))
    return [PastState(*row) for row in await cursor.fetchall()]


async def named_files(connection: AsyncConnection) -> set[bytes]:
    """Return all values that name a file."""
    cursor = await connection.execute(_NAMED, (FIRST_NAME, LAST_NAME))
    return {value for (value,) in await cursor.fetchall()}


async def arrivals(connection: AsyncConnection, owner: str, after: int) -> Arrivals:
    """Return which agents of an owner have signals above a number."""
    (number,) = await (await connection.execute(_LAST_NUMBER)).fetchone() or (0,)
    names: set[str] = set()
    if number > after:
        rows = await (await connection.execute(_REACHED, (owner, after))).fetchall()
        names = {name for (name,) in rows}
    (due,) = await (await connection.execute(_NEXT_DUE)).fetchone() or (None,)
    return Arrivals(number, names, due)
