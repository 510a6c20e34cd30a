"""A checkpoint inside a transaction."""

from __future__ import annotations

from cascade.interfaces.errors import LeaseLostError
from cascade.interfaces.store import Checkpoint
from cascade.stores.sqlite.rows import filters_text
from cascade.stores.sqlite.transaction import Transaction

__all__ = ["commit"]

_FIND = """
    SELECT id, has_journal, filters FROM agents WHERE name = ? AND epoch = ? AND status = 'ready'
"""
# Which columns a statement sets decides which indexes it has to look after: three for speed.
_STEP = """
    UPDATE agents SET call = ?, step = step + 1, attempts = 0, has_journal = ?, wake_at = ?,
        result = ?, error = ?, changed_at = ?
    WHERE id = ?
"""
_WITHIN = """
    UPDATE agents SET has_journal = ?, wake_at = ?, result = ?, error = ?, changed_at = ?
    WHERE id = ?
"""
_LET_GO = """
    UPDATE agents SET owner = NULL, status = :status,
        free_since = iif(:status = 'ready', coalesce(free_since, :at), NULL),
        attempts = iif(:releases, max(attempts - 1, 0), attempts)
    WHERE id = :agent
"""


def commit(transaction: Transaction, checkpoint: Checkpoint) -> set[str]:
    """Commit a checkpoint; return the names of the agents whose mailboxes got a letter.

    Raises:
        LeaseLostError: the epoch is not the agent's, or it is not ready: nothing was changed.
    """
    connection = transaction.connection
    found = connection.execute(_FIND, (checkpoint.name, checkpoint.epoch)).fetchone()
    if found is None:
        raise LeaseLostError(checkpoint.name, checkpoint.epoch)
    agent, has_journal, filters = found
    _write_state(transaction, checkpoint, agent, has_journal=has_journal)
    if checkpoint.consumed:
        connection.executemany(
            "DELETE FROM signals WHERE agent = ? AND number = ?",
            [(agent, number) for number in checkpoint.consumed],
        )
    after = filters if checkpoint.filters is None else filters_text(checkpoint.filters)
    if after != filters:
        connection.execute("UPDATE agents SET filters = ? WHERE id = ?", (after, agent))
    if after != filters or checkpoint.status != "ready":
        transaction.hear(agent, (filters, "ready"), (after, checkpoint.status))
    if not checkpoint.letters:
        return set()
    return transaction.mailboxes.post(checkpoint.letters, checkpoint.at)


def _write_state(
    transaction: Transaction, checkpoint: Checkpoint, agent: int, *, has_journal: bool
) -> None:
    connection = transaction.connection
    rest = (checkpoint.wake_at, checkpoint.result, checkpoint.error, checkpoint.at, agent)
    if checkpoint.call is None:
        connection.execute(_WITHIN, (has_journal or bool(checkpoint.journal), *rest))
    else:
        connection.execute(_STEP, (checkpoint.call, bool(checkpoint.journal), *rest))
        if has_journal:
            connection.execute("DELETE FROM journal WHERE agent = ?", (agent,))
    if checkpoint.journal:
        transaction.write_journal(agent, checkpoint.journal)
    if checkpoint.releases or checkpoint.status != "ready":
        connection.execute(
            _LET_GO,
            {
                "agent": agent,
                "status": checkpoint.status,
                "at": checkpoint.at,
                "releases": checkpoint.releases,
            },
        )
