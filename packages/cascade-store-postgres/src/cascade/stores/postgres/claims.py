"""Leases inside a transaction: agents are claimed, and what an owner holds is prolonged."""

from __future__ import annotations

from collections.abc import Collection

from psycopg import AsyncConnection

from cascade.interfaces.store import DurableAgent
from cascade.stores.postgres.rows import agents_by_id
from cascade.stores.postgres.transaction import Transaction

__all__ = ["claim", "prolong", "renew"]

# What somebody else is about to claim is skipped, and not waited for.
_FREE = """
    SELECT free_since, id FROM agents
    WHERE status = 'ready' AND owner IS NULL AND free_since IS NOT NULL
        AND (%(labels)s::text[] IS NULL OR label = ANY(%(labels)s))
    ORDER BY free_since, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""
_DUE = """
    SELECT wake_at, id FROM agents
    WHERE wake_at <= %(now)s AND (%(labels)s::text[] IS NULL OR label = ANY(%(labels)s))
    ORDER BY wake_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""
_HELD = """
    SELECT until, id FROM owners, LATERAL (
        SELECT id FROM agents
        WHERE owner = owners.name AND status = 'ready'
            AND (%(labels)s::text[] IS NULL OR label = ANY(%(labels)s))
        ORDER BY free_since, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    ) AS held
    WHERE until < %(now)s
"""
_OF_NAMES = """
    SELECT coalesce(free_since, wake_at, until), id FROM agents LEFT JOIN owners ON owners.name = owner
    WHERE agents.name = ANY(%(names)s) AND status = 'ready'
        AND (free_since IS NOT NULL OR wake_at <= %(now)s OR until < %(now)s)
        AND (%(labels)s::text[] IS NULL OR label = ANY(%(labels)s))
    FOR UPDATE OF agents SKIP LOCKED
"""
_TAKE = """
    UPDATE agents SET owner = %s, epoch = epoch + 1, attempts = attempts + 1, free_since = NULL,
        wake_at = NULL
    WHERE id = ANY(%s)
"""
_PROLONG = """
    INSERT INTO owners VALUES (%s, %s)
    ON CONFLICT (name) DO UPDATE SET until = greatest(owners.until, excluded.until)
"""


async def claim(
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
        "names": None if names is None else [*names],
        "labels": None if labels is None else [*labels],
    }
    found: list[tuple[float, int]] = []
    for statement in (_FREE, _DUE, _HELD) if names is None else (_OF_NAMES,):
        cursor = await connection.execute(statement, given)
        found += await cursor.fetchall()
    taken = [number for _, number in sorted(found)[:limit]]
    if not taken:
        return []
    await prolong(connection, owner, until)
    await connection.execute(_TAKE, (owner, taken))
    return await agents_by_id(connection, taken)


async def prolong(connection: AsyncConnection, owner: str, until: float) -> None:
    """Have the leases of an owner end at a time, unless they end later."""
    await connection.execute(_PROLONG, (owner, until))


async def renew(transaction: Transaction, *, owner: str, until: float) -> set[str]:
    """Prolong all leases of an owner; return the names of what it holds."""
    await prolong(transaction.connection, owner, until)
    held = "SELECT name FROM agents WHERE status = 'ready' AND owner = %s"
    cursor = await transaction.connection.execute(held, (owner,))
    return {name for (name,) in await cursor.fetchall()}
