"""Leases inside a transaction: agents are claimed, and what an owner holds is prolonged."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping
from itertools import chain

from cascade.interfaces.store import DurableAgent
from cascade.stores.sqlite.transaction import Transaction

__all__ = ["claim", "prolong", "renew"]

# A row of each: since when the agent waits for somebody, its id, its name.
_OF_LABELS = "(:labels IS NULL OR label IN (SELECT value FROM json_each(:labels)))"
_FREE = f"""
    SELECT free_since, id, name FROM agents
    WHERE status = 'ready' AND owner IS NULL AND free_since IS NOT NULL AND {_OF_LABELS}
    ORDER BY free_since, id LIMIT :limit
"""  # noqa: S608 - all parts stand here
_DUE = f"""
    SELECT wake_at, id, name FROM agents WHERE wake_at <= :now AND {_OF_LABELS}
    ORDER BY wake_at, id LIMIT :limit
"""  # noqa: S608 - all parts stand here
_HELD = f"""
    SELECT :ended, id, name FROM agents WHERE status = 'ready' AND owner = :owner AND {_OF_LABELS}
    ORDER BY free_since, id LIMIT :limit
"""  # noqa: S608 - all parts stand here
_OF_NAME = f"""
    SELECT coalesce(free_since, wake_at, until), id, agents.name
    FROM agents LEFT JOIN owners ON owners.name = owner
    WHERE agents.name = :name AND status = 'ready'
        AND (free_since IS NOT NULL OR wake_at <= :now OR until < :now) AND {_OF_LABELS}
"""  # noqa: S608 - all parts stand here
_TAKE = """
    UPDATE agents SET owner = ?, epoch = epoch + 1, attempts = attempts + 1, free_since = NULL,
        wake_at = NULL
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
    given = {
        "now": now,
        "limit": limit,
        "labels": None if labels is None else json.dumps([*labels]),
    }
    if names is None:
        found = _waiting(connection, given)
    else:
        rows = (connection.execute(_OF_NAME, {**given, "name": name}) for name in set(names))
        found = [*chain.from_iterable(rows)]
    taken = sorted(found)[:limit]
    if taken:
        prolong(connection, owner, until)
    connection.executemany(_TAKE, [(owner, number) for _, number, _ in taken])
    return [transaction.agent(name) for _, _, name in taken]


def _waiting(
    connection: sqlite3.Connection, given: Mapping[str, object]
) -> list[tuple[float, int, str]]:
    """Return those that wait for longest of the free ones, those due, and of each owner whose leases ended."""
    ended = "SELECT until AS ended, name AS owner FROM owners WHERE until < :now"
    found = [*connection.execute(_FREE, given), *connection.execute(_DUE, given)]
    for end, owner in connection.execute(ended, given).fetchall():
        found += connection.execute(_HELD, {**given, "ended": end, "owner": owner})
    return found


def prolong(connection: sqlite3.Connection, owner: str, until: float) -> None:
    """Have the leases of an owner end at a time, unless they end later."""
    connection.execute(_PROLONG, (owner, until))


def renew(transaction: Transaction, owner: str, until: float) -> set[str]:
    """Prolong all leases of an owner; return the names of what it holds."""
    prolong(transaction.connection, owner, until)
    held = "SELECT name FROM agents WHERE status = 'ready' AND owner = ?"
    return {name for (name,) in transaction.connection.execute(held, (owner,))}
