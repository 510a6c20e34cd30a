"""Checkpoints inside a transaction: plain steps by the group, all others one by one."""

from __future__ import annotations

from collections.abc import Sequence

from cascade.interfaces.errors import LeaseLostError
from cascade.interfaces.store import ENDED, Checkpoint
from cascade.stores.sqlite.mailboxes import change_each
from cascade.stores.sqlite.rows import filters_text
from cascade.stores.sqlite.transaction import Transaction

__all__ = ["Commit", "commit_plain_steps"]

_FIND = "SELECT id, step, filters FROM agents WHERE name = ? AND epoch = ? AND status = 'ready'"

# Which columns a statement sets decides which indexes it has to look after: several, for speed.
_STEP = """
    UPDATE agents SET call = ?, step = step + 1, attempts = 0, result = ?, error = ?, changed_at = ?
    WHERE name = ? AND epoch = ? AND status = 'ready'
"""
# Binding a None costs as much as the column that it is for.
_PLAIN_STEP = """
    UPDATE agents SET call = ?, step = step + 1, attempts = 0, result = NULL, error = NULL,
        changed_at = ?
    WHERE name = ? AND epoch = ? AND status = 'ready'
"""
_KEEP = "INSERT INTO history SELECT id, step, ?, call FROM agents WHERE id = ?"
_FORGET = "DELETE FROM history WHERE agent = ? AND step < ?"
_WITHIN = """
    UPDATE agents SET attempts = iif(?, 0, attempts), result = ?, error = ?, changed_at = ?
    WHERE name = ? AND epoch = ? AND status = 'ready'
"""
_LET_GO = """
    UPDATE agents SET owner = NULL, status = :status,
        free_since = iif(:status = 'ready', coalesce(free_since, :at), NULL),
        ended_at = iif(:ended, :at, NULL),
        attempts = iif(:releases, max(attempts - 1, 0), attempts)
    WHERE id = :agent
"""
_SLEEP = """
    UPDATE agents SET free_since = NULL, wake_at = ?
    WHERE id = ? AND NOT EXISTS (SELECT 1 FROM signals WHERE agent = agents.id AND number > ?)
"""
_CONSUME = """
    DELETE FROM signals WHERE agent = (SELECT id FROM agents WHERE name = ?) AND number = ?
"""


class Commit:
    """The work of committing a checkpoint."""

    __slots__ = ("checkpoint",)

    def __init__(self, checkpoint: Checkpoint) -> None:
        """Say what is to be committed."""
        self.checkpoint = checkpoint

    def __call__(self, transaction: Transaction) -> set[str]:
        """Commit it; return the names of the agents whose mailboxes got a letter.

        Raises:
            LeaseLostError: the epoch is not the agent's, or it is not ready: nothing was changed.
        """
        checkpoint = self.checkpoint
        connection = transaction.connection
        found = connection.execute(_FIND, (checkpoint.name, checkpoint.epoch)).fetchone()
        if found is None:
            raise LeaseLostError(checkpoint.name, checkpoint.epoch)
        agent, step, filters = found
        if checkpoint.call is None:
            connection.execute(_WITHIN, (checkpoint.waits, *_values(checkpoint)))
        else:
            step += 1
            if checkpoint.history:
                connection.execute(_KEEP, (checkpoint.at, agent))
                connection.execute(_FORGET, (agent, step - checkpoint.history))
            connection.execute(_STEP, (checkpoint.call, *_values(checkpoint)))
        if checkpoint.journal:
            transaction.write_journal(agent, step, checkpoint.journal)
        _listen_and_let_go(transaction, checkpoint, agent, filters)
        consumed = [(checkpoint.name, number) for number in checkpoint.consumed]
        connection.executemany(_CONSUME, consumed)
        return transaction.mailboxes.post(checkpoint.letters, checkpoint.at)


def commit_plain_steps(
    transaction: Transaction, checkpoints: Sequence[Checkpoint]
) -> list[set[str]] | None:
    """Commit them with few statements, as if one after the other; None if one of them lost its lease."""
    connection = transaction.connection
    # sqlite3 asks its adapters about bytes, and not about a bytearray: that takes longer than the copy.
    rows = [(bytearray(each.call or b""), each.at, each.name, each.epoch) for each in checkpoints]
    if not change_each(connection, _PLAIN_STEP, rows):
        return None
    consumed = [(each.name, number) for each in checkpoints for number in each.consumed]
    connection.executemany(_CONSUME, consumed)
    return transaction.mailboxes.post_all([(each.letters, each.at) for each in checkpoints])


def _values(checkpoint: Checkpoint) -> tuple[object, ...]:
    return (
        *(checkpoint.result, checkpoint.error, checkpoint.at),
        *(checkpoint.name, checkpoint.epoch),
    )


def _listen_and_let_go(
    transaction: Transaction, checkpoint: Checkpoint, agent: int, filters: str
) -> None:
    connection = transaction.connection
    after = filters if checkpoint.filters is None else filters_text(checkpoint.filters)
    if after != filters:
        connection.execute("UPDATE agents SET filters = ? WHERE id = ?", (after, agent))
    if after != filters or checkpoint.status != "ready":
        transaction.hear(agent, (filters, "ready"), (after, checkpoint.status))
    if checkpoint.releases or checkpoint.status != "ready":
        connection.execute(
            _LET_GO,
            {
                "agent": agent,
                "status": checkpoint.status,
                "ended": checkpoint.status in ENDED,
                "at": checkpoint.at,
                "releases": checkpoint.releases,
            },
        )
    if (sleep := checkpoint.falls_asleep) is not None:
        connection.execute(_SLEEP, (sleep.until, agent, sleep.seen))
        transaction.mailboxes.note_sleeper()
