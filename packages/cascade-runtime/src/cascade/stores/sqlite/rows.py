"""How agents and signals lie in rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from typing import Any

from cascade.interfaces.store import AgentStatus, Arrivals, DurableAgent, PastState, StoredSignal
from cascade.stores.large.values import FIRST_NAME, LAST_NAME

__all__ = [
    "agent_of",
    "agents_of",
    "arrivals",
    "filters_of",
    "filters_text",
    "history_of",
    "last_number",
    "named_files",
    "signals_of",
]

_AGENTS = """
    SELECT agents.id, agents.name, start, coalesce(call, start), label, params, status, step, epoch,
        attempts, owner, owners.until, filters,
        status = 'ready' AND owner IS NULL AND free_since IS NULL, wake_at, NULL, result, error,
        created_at, changed_at
    FROM agents JOIN starts ON starts.agent = agents.id LEFT JOIN owners ON owners.name = agents.owner
"""
_BY_NAME = f"{_AGENTS} WHERE agents.name = ?"
_LISTED = f"""
    {_AGENTS}
    WHERE agents.name > :after AND agents.name >= :prefix AND agents.name < :end
        AND (:statuses IS NULL OR status IN (SELECT value FROM json_each(:statuses)))
    ORDER BY agents.name LIMIT :limit
"""  # noqa: S608 - both parts stand here
_LAST = "\U0010ffff"  # no character comes after it
_JOURNAL = "SELECT place, value FROM journal WHERE agent = ? AND step = ?"
_LAST_NUMBER = "SELECT number FROM counters"
_REACHED = """
    SELECT name FROM agents WHERE owner = ? AND status = 'ready' AND EXISTS (
        SELECT 1 FROM signals WHERE agent = agents.id AND number > ?
    )
"""
_NEXT_DUE = "SELECT min(wake_at) FROM agents WHERE wake_at IS NOT NULL"
_SIGNALS = """
    SELECT number, topic, payload, signals.id FROM signals JOIN agents ON agents.id = agent
    WHERE name = ? AND number > ? ORDER BY number
"""
_HISTORY = """
    SELECT history.step, coalesce(history.call, start), history.ended_at
    FROM history JOIN agents ON agents.id = history.agent JOIN starts ON starts.agent = agents.id
    WHERE name = ? ORDER BY history.step
"""
_NAMED = " UNION ".join(
    f"SELECT {column} FROM {table} WHERE {column} >= :first AND {column} < :last"  # noqa: S608 - all parts stand here
    for table, column in (
        ("starts", "start"),
        ("starts", "params"),
        ("agents", "call"),
        ("agents", "result"),
        ("journal", "value"),
        ("history", "call"),
        ("signals", "payload"),
        ("dead_letters", "payload"),
    )
)


def agent_of(connection: sqlite3.Connection, name: str) -> DurableAgent | None:
    """Return an agent as it lies there, or None."""
    row = connection.execute(_BY_NAME, (name,)).fetchone()
    return None if row is None else _agent(connection, row)


def _agent(connection: sqlite3.Connection, row: tuple[Any, ...]) -> DurableAgent:
    number, *fields = row
    fields[11] = filters_of(fields[11])
    fields[12] = bool(fields[12])
    fields[14] = dict(connection.execute(_JOURNAL, (number, fields[6])))
    return DurableAgent(*fields)


def agents_of(
    connection: sqlite3.Connection,
    statuses: Collection[AgentStatus] | None,
    prefix: str,
    after: str,
    limit: int,
) -> list[DurableAgent]:
    """Return agents by name, in order of their names, those behind ``after``."""
    values = {
        "statuses": None if statuses is None else json.dumps([*statuses]),
        "prefix": prefix,
        "end": prefix + _LAST,
        "after": after,
        "limit": limit,
    }
    rows = connection.execute(_LISTED, values).fetchall()
    return [_agent(connection, row) for row in rows]


def signals_of(connection: sqlite3.Connection, name: str, after: int) -> list[StoredSignal]:
    """Return what lies in a mailbox with a number above ``after``, in order."""
    return [StoredSignal(*row) for row in connection.execute(_SIGNALS, (name, after))]


def history_of(connection: sqlite3.Connection, name: str) -> list[PastState]:
    """Return the earlier states of an agent that are kept, the oldest first."""
    return [PastState(*row) for row in connection.execute(_HISTORY, (name,))]


def named_files(connection: sqlite3.Connection) -> set[bytes]:
    """Return all values that name a file."""
    given = {"first": FIRST_NAME, "last": LAST_NAME}
    return {value for (value,) in connection.execute(_NAMED, given)}


def filters_text(filters: tuple[str, ...]) -> str:
    """Return filters as they lie in a row."""
    return json.dumps(filters, ensure_ascii=False) if filters else "[]"


def filters_of(text: str) -> tuple[str, ...]:
    """Return filters of how they lie in a row."""
    return tuple(json.loads(text)) if text != "[]" else ()


def last_number(connection: sqlite3.Connection) -> int:
    """Return the number of the last signal of all mailboxes."""
    (number,) = connection.execute(_LAST_NUMBER).fetchone()
    return int(number)


def arrivals(connection: sqlite3.Connection, owner: str, after: int) -> Arrivals:
    """Return which agents of an owner have signals above a number."""
    number = last_number(connection)
    rows = connection.execute(_REACHED, (owner, after)) if number > after else ()
    (due,) = connection.execute(_NEXT_DUE).fetchone()
    return Arrivals(number, {name for (name,) in rows}, due)
