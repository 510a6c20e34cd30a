"""Leases inside a transaction: agents are claimed, and what an owner holds is prolonged."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from itertools import chain

from cascade.interfaces.store import DurableAgent
from cascade.stores.sqlite.transaction import Transaction

__all__ = ["claim", "prolong", "renew"]

# A row of each: since when nobody holds the agent, its id, its name.
_FREE = """
    SELECT free_since, id, name FROM agents
    WHERE status = 'ready' AND owner IS NULL
    ORDER BY free_since, id LIMIT ?
"""
_FREE_OF_LABELS = """
    SELECT free_since, id, name FROM agents
    WHERE status = 'ready' AND owner IS NULL AND label IN (SELECT value FROM json_each(?))
    ORDER BY free_since, id LIMIT ?
"""
_HELD = """
    SELECT ?, id, name FROM agents WHERE status = 'ready' AND owner = ? ORDER BY free_since, id LIMIT ?
"""
_HELD_OF_LABELS = """
    SELECT ?, id, name FROM agents
    WHERE status = 'ready' AND owner = ? AND label IN (SELECT value FROM json_each(?))
    ORDER BY free_since, id LIMIT ?
"""
_OF_NAME = """
    SELECT coalesce(free_since, until), id, agents.name, label
    FROM agents LEFT JOIN owners ON owners.name = owner
    WHERE agents.name = ? AND status = 'ready' AND (owner IS NULL OR until < ?)
"""
_TAKE = """
    UPDATE agents SET owner = ?, epoch = epoch + 1, attempts = attempts + 1, free_since = NULL
    WHERE id = ?
"""
_PROLONG = """
    INSERT INTO owners VALUES (?, ?)
    ON CONFLICT DO UPDATE SET until = max(until, excluded.until)
"""


def claim(
    transaction: Transaction,
    *,
    owner: str,
    now: float,
    until: float,
    limit: int,
    names: Collection[str] | None,
    labels: Collection[str] | None,
) -> list[DurableAgent]:
    """Take agents that are ready and that nobody holds, those first that wait for longest."""
    connection = transaction.connection
    if names is None:
        found = _waiting(connection, now, limit, labels)
    else:
        rows = chain.from_iterable(
            connection.execute(_OF_NAME, (name, now)).fetchall() for name in set(names)
        )
        found = [row[:3] for row in rows if labels is None or row[3] in labels]
    taken = sorted(found)[:limit]
    if taken:
        prolong(connection, owner, until)
    connection.executemany(_TAKE, [(owner, number) for _, number, _ in taken])
    return [transaction.agent(name) for _, _, name in taken]


def _waiting(
    connection: sqlite3.Connection, now: float, limit: int, labels: Collection[str] | None
) -> list[tuple[float, int, str]]:
    """Return those that wait for longest of the free ones, and of each owner whose leases ended."""
    ended = connection.execute("SELECT until, name FROM owners WHERE until < ?", (now,)).fetchall()
    if labels is None:
        found = connection.execute(_FREE, (limit,)).fetchall()
        for end, owner in ended:
            found += connection.execute(_HELD, (end, owner, limit))
        return found
    wanted = json.dumps([*labels])
    found = connection.execute(_FREE_OF_LABELS, (wanted, limit)).fetchall()
    for end, owner in ended:
        found += connection.execute(_HELD_OF_LABELS, (end, owner, wanted, limit))
    return found


def prolong(connection: sqlite3.Connection, owner: str, until: float) -> None:
    """Have the leases of an owner end at a time, unless they end later."""
    connection.execute(_PROLONG, (owner, until))


def renew(transaction: Transaction, owner: str, until: float) -> set[str]:
    """Prolong all leases of an owner; return the names of what it holds."""
    prolong(transaction.connection, owner, until)
    held = "SELECT name FROM agents WHERE status = 'ready' AND owner = ?"
    return {name for (name,) in transaction.connection.execute(held, (owner,))}
