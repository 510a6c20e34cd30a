"""Agents inside a transaction: they are entered, decided about, copied and swept."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import AsyncConnection

from cascade.interfaces.errors import AgentExistsError, StateNotKeptError, StoreError
from cascade.interfaces.store import ENDED, AgentStatus, DurableAgent, Swept
from cascade.stores.postgres.claims import prolong
from cascade.stores.postgres.rows import agents_by_id
from cascade.stores.postgres.transaction import Transaction

__all__ = ["create", "decide", "fork", "sweep"]

_INSERT = """
    INSERT INTO agents (
        name, start, call, label, params, status, step, epoch, attempts, owner, free_since, ended_at,
        filters, wake_at, result, error, created_at, changed_at
    ) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING
"""
_IDS = "SELECT name, id FROM agents WHERE name = ANY(%s)"
_WAITED_FOR = "SELECT DISTINCT name FROM dead_letters WHERE name = ANY(%s)"
_COPY = """
    INSERT INTO agents (
        name, start, call, label, params, status, step, epoch, attempts, free_since, filters, created_at,
        changed_at
    ) SELECT %(name)s, start, call, label, params, 'ready', step, 0, 0, %(at)s, filters, %(at)s, %(at)s
    FROM agents WHERE id = %(agent)s RETURNING id
"""
_DECIDE = """
    UPDATE agents SET status = %(status)s, epoch = epoch + 1, owner = NULL, error = %(reason)s,
        attempts = CASE WHEN %(status)s = 'ready' THEN 0 ELSE attempts END, changed_at = %(at)s,
        wake_at = NULL,
        free_since = CASE WHEN %(status)s = 'ready' THEN coalesce(free_since, %(at)s) END,
        ended_at = CASE WHEN %(ended)s THEN %(at)s END
    WHERE id = %(agent)s
"""
_FIND = "SELECT id, status, filters FROM agents WHERE name = %s FOR UPDATE"
_STEPS = """
    SELECT step FROM history WHERE agent = %(agent)s
    UNION SELECT step FROM agents WHERE id = %(agent)s ORDER BY step
"""
_GO_BACK = """
    UPDATE agents SET step = past.step, call = past.call
    FROM (SELECT step, call FROM history WHERE agent = %(agent)s AND step = %(step)s) AS past
    WHERE id = %(copy)s
"""
_COPY_JOURNAL = """
    INSERT INTO journal SELECT %(copy)s, step, place, value FROM journal
    WHERE agent = %(agent)s AND step = (SELECT step FROM agents WHERE id = %(copy)s)
"""
_SWEEP = "DELETE FROM agents WHERE ended_at < %s RETURNING id"
_DROP_OWNERS = """
    DELETE FROM owners WHERE NOT EXISTS (
        SELECT FROM agents WHERE owner = owners.name AND status = 'ready'
    )
"""


async def create(transaction: Transaction, agents: Sequence[DurableAgent]) -> list[DurableAgent]:
    """Enter agents, and hand them the dead letters that wait for their names."""
    if not agents:
        return []
    connection = transaction.connection
    names = [agent.name for agent in agents]
    before = await _ids(connection, names)
    first: dict[str, DurableAgent] = {}
    for agent in agents:
        first.setdefault(agent.name, agent)
    new = [agent for name, agent in first.items() if name not in before]
    async with connection.cursor() as cursor:
        await cursor.executemany(_INSERT, [*map(_row, new)])
    ids = await _ids(connection, names)
    for agent in new:
        number = ids[agent.name]
        if agent.asleep:
            transaction.mailboxes.note_sleeper()
        if agent.journal:
            await transaction.write_journal(number, agent.step, agent.journal)
        if agent.filters:
            await transaction.hear(number, ((), "ready"), (agent.filters, agent.status))
        if agent.owner is not None:
            await prolong(connection, agent.owner, agent.lease_until or 0.0)
    waited_for = await connection.execute(_WAITED_FOR, ([agent.name for agent in new],))
    for (name,) in await waited_for.fetchall():
        await transaction.mailboxes.hand_dead_letters(name)
    return await agents_by_id(connection, [ids[name] for name in names])


async def _ids(connection: AsyncConnection, names: Sequence[str]) -> dict[str, int]:
    cursor = await connection.execute(_IDS, (names,))
    return {str(name): int(number) for name, number in await cursor.fetchall()}


def _row(agent: DurableAgent) -> tuple[object, ...]:
    ready = agent.status == "ready"
    owner = agent.owner if ready else None
    asleep = ready and owner is None and agent.asleep
    return (
        *(agent.name, agent.start, agent.call, agent.label, agent.params, agent.status),
        *(agent.step, agent.epoch, agent.attempts, owner),
        agent.created_at if ready and owner is None and not asleep else None,
        agent.changed_at if agent.status in ENDED else None,
        *([*agent.filters], agent.wake_at if asleep else None, agent.result, agent.error),
        *(agent.created_at, agent.changed_at),
    )


async def decide(
    transaction: Transaction, *, name: str, status: AgentStatus, at: float, reason: str | None
) -> DurableAgent | None:
    """Set an agent's status from outside, and fence its owner."""
    found = await (await transaction.connection.execute(_FIND, (name,))).fetchone()
    if found is None:
        return None
    number, before, filters = found
    ended = status in ENDED
    given = {"agent": number, "status": status, "reason": reason, "at": at, "ended": ended}
    await transaction.connection.execute(_DECIDE, given)
    await transaction.hear(number, (filters, before), (filters, status))
    if before in ENDED and not ended:
        await transaction.mailboxes.hand_dead_letters(name)
    return await transaction.agent(name)


async def fork(
    transaction: Transaction, *, name: str, new_name: str, at: float, step: int | None
) -> DurableAgent:
    """Copy an agent under a new name, with its present state or an earlier one.

    Raises:
        AgentExistsError: there is one of the new name.
        StateNotKeptError: there is no such state.
        StoreError: there is none of that name.
    """
    connection = transaction.connection
    found = await (await connection.execute(_FIND, (name,))).fetchone()
    if found is None:
        raise StoreError(f"there is no agent {name!r} to fork")
    if await (await connection.execute(_FIND, (new_name,))).fetchone() is not None:
        raise AgentExistsError(new_name)
    number, _, filters = found
    rows = await (await connection.execute(_STEPS, {"agent": number})).fetchall()
    if step is not None and (step,) not in rows:
        raise StateNotKeptError(name, step, [each for (each,) in rows])
    given = {"name": new_name, "at": at, "agent": number}
    copied = await (await connection.execute(_COPY, given)).fetchone()
    assert copied is not None  # noqa: S101 - a row was inserted
    for statement in (_GO_BACK, _COPY_JOURNAL):
        given = {"agent": number, "step": step, "copy": copied[0]}
        await connection.execute(statement, given)
    await transaction.hear(copied[0], ((), "ready"), (filters, "ready"))
    await transaction.mailboxes.copy(number, new_name)
    await transaction.mailboxes.hand_dead_letters(new_name)
    return await transaction.agent(new_name)


async def sweep(transaction: Transaction, *, ended_before: float, letters_before: float) -> Swept:
    """Remove what ended, and dead letters that came, before these times."""
    connection = transaction.connection
    rows = await (await connection.execute(_SWEEP, (ended_before,))).fetchall()
    ended = [number for (number,) in rows]
    await connection.execute("DELETE FROM signals WHERE agent = ANY(%s)", (ended,))
    await connection.execute("DELETE FROM journal WHERE agent = ANY(%s)", (ended,))
    await connection.execute("DELETE FROM history WHERE agent = ANY(%s)", (ended,))
    letters = await connection.execute("DELETE FROM dead_letters WHERE at < %s", (letters_before,))
    await connection.execute(_DROP_OWNERS)
    return Swept(len(ended), letters.rowcount)
