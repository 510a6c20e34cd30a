"""Checkpoints inside a transaction: plain steps by the group, all others one by one."""

from __future__ import annotations

from collections.abc import Sequence

from cascade.interfaces.errors import LeaseLostError
from cascade.interfaces.store import ENDED, Checkpoint
from cascade.stores.postgres.transaction import Transaction

__all__ = ["commit", "commit_plain_steps"]

_PLAIN_STEPS = """
    UPDATE agents SET call = given.call, step = step + 1, attempts = 0, result = NULL,
        error = NULL, changed_at = given.at
    FROM unnest(%s::text[], %s::bigint[], %s::bytea[], %s::float8[]) AS given (name, epoch, call, at)
    WHERE agents.name = given.name AND agents.epoch = given.epoch AND status = 'ready'
    RETURNING agents.name
"""
_KEEP = """
    INSERT INTO history SELECT id, step, %(at)s, call FROM agents
    WHERE name = %(name)s AND epoch = %(epoch)s AND status = 'ready' FOR UPDATE
"""
_FORGET = "DELETE FROM history WHERE agent = %s AND step < %s"
_STEP = """
    UPDATE agents SET call = coalesce(%(call)s, call), step = step + %(steps)s,
        attempts = CASE WHEN %(steps)s = 1 OR %(waits)s THEN 0 ELSE attempts END, result = %(result)s,
        error = %(error)s, changed_at = %(at)s
    WHERE name = %(name)s AND epoch = %(epoch)s AND status = 'ready'
    RETURNING id, step, filters
"""
_LET_GO = """
    UPDATE agents SET owner = NULL, status = %(status)s,
        free_since = CASE WHEN %(status)s = 'ready' THEN coalesce(free_since, %(at)s) END,
        ended_at = CASE WHEN %(ended)s THEN %(at)s END,
        attempts = CASE WHEN %(releases)s THEN greatest(attempts - 1, 0) ELSE attempts END
    WHERE id = %(agent)s
"""
_SLEEP = """
    UPDATE agents SET free_since = NULL, wake_at = %s
    WHERE id = %s AND NOT EXISTS (SELECT FROM signals WHERE agent = agents.id AND number > %s)
"""
_CONSUME = """
    DELETE FROM signals USING agents, unnest(%s::text[], %s::bigint[]) AS consumed (name, number)
    WHERE agents.name = consumed.name AND agent = agents.id AND signals.number = consumed.number
"""


async def commit_plain_steps(
    transaction: Transaction, checkpoints: Sequence[Checkpoint]
) -> list[set[str] | LeaseLostError]:
    """Commit steps of different agents with few statements; return what `commit` does or raises."""
    columns = (
        [each.name for each in checkpoints],
        [each.epoch for each in checkpoints],
        [each.call for each in checkpoints],
        [each.at for each in checkpoints],
    )
    cursor = await transaction.connection.execute(_PLAIN_STEPS, columns)
    held = {name for (name,) in await cursor.fetchall()}
    committed = [each for each in checkpoints if each.name in held]
    await _consume(transaction, committed)
    posts = [(each.letters, each.at) for each in committed]
    reached = iter(await transaction.mailboxes.post(posts))
    return [
        next(reached) if each.name in held else LeaseLostError(each.name, each.epoch)
        for each in checkpoints
    ]


async def commit(transaction: Transaction, checkpoint: Checkpoint) -> set[str]:
    """Commit a checkpoint; return the names of the agents whose mailboxes got a letter.

    Raises:
        LeaseLostError: the epoch is not the agent's, or it is not ready: nothing was changed.
    """
    given = {
        "call": checkpoint.call,
        "steps": int(checkpoint.call is not None),
        "waits": checkpoint.waits,
        "result": checkpoint.result,
        "error": checkpoint.error,
        "at": checkpoint.at,
        "name": checkpoint.name,
        "epoch": checkpoint.epoch,
    }
    keeps = checkpoint.history if checkpoint.call is not None else 0
    if keeps:
        await transaction.connection.execute(_KEEP, given)
    cursor = await transaction.connection.execute(_STEP, given)
    found = await cursor.fetchone()
    if found is None:
        raise LeaseLostError(checkpoint.name, checkpoint.epoch)
    agent, step, filters = found
    if keeps:
        await transaction.connection.execute(_FORGET, (agent, step - keeps))
    if checkpoint.journal:
        await transaction.write_journal(agent, step, checkpoint.journal)
    await _listen_and_let_go(transaction, checkpoint, agent, filters)
    await _consume(transaction, [checkpoint])
    (reached,) = await transaction.mailboxes.post([(checkpoint.letters, checkpoint.at)])
    return reached


async def _consume(transaction: Transaction, checkpoints: Sequence[Checkpoint]) -> None:
    consumed = [(each.name, number) for each in checkpoints for number in each.consumed]
    if consumed:
        columns = [name for name, _ in consumed], [number for _, number in consumed]
        await transaction.connection.execute(_CONSUME, columns)


async def _listen_and_let_go(
    transaction: Transaction, checkpoint: Checkpoint, agent: int, filters: Sequence[str]
) -> None:
    connection = transaction.connection
    after = filters if checkpoint.filters is None else [*checkpoint.filters]
    if after != filters:
        await connection.execute("UPDATE agents SET filters = %s WHERE id = %s", (after, agent))
    await transaction.hear(agent, (filters, "ready"), (after, checkpoint.status))
    if checkpoint.releases or checkpoint.status != "ready":
        given = {
            "agent": agent,
            "status": checkpoint.status,
            "ended": checkpoint.status in ENDED,
            "at": checkpoint.at,
            "releases": checkpoint.releases,
        }
        await connection.execute(_LET_GO, given)
    if (sleep := checkpoint.falls_asleep) is not None:
        await connection.execute(_SLEEP, (sleep.until, agent, sleep.seen))
        transaction.mailboxes.note_sleeper()
