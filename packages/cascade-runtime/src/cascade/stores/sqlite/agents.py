"""Agents inside a transaction: they are entered, decided about, copied and swept."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from cascade.interfaces.errors import AgentExistsError, StateNotKeptError, StoreError
from cascade.interfaces.store import ENDED, AgentStatus, DurableAgent, Swept
from cascade.stores.sqlite.claims import prolong
from cascade.stores.sqlite.rows import filters_text
from cascade.stores.sqlite.transaction import Transaction

__all__ = ["create", "decide", "fork", "note_files", "sweep"]

_INSERT = """
    INSERT INTO agents (
        name, call, label, status, step, epoch, attempts, owner, free_since, ended_at, filters,
        wake_at, result, error, created_at, changed_at
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING
"""
_COPY = """
    INSERT INTO agents (
        name, call, label, status, step, epoch, attempts, free_since, filters, created_at, changed_at
    ) SELECT :name, call, label, 'ready', step, 0, 0, :at, filters, :at, :at
    FROM agents WHERE id = :agent
"""
_COPY_START = "INSERT INTO starts SELECT :copy, start, params FROM starts WHERE agent = :agent"
_COPY_JOURNAL = """
    INSERT INTO journal SELECT :copy, step, place, value FROM journal
    WHERE agent = :agent AND step = (SELECT step FROM agents WHERE id = :copy)
"""
_STEPS = """
    SELECT step FROM history WHERE agent = :agent UNION SELECT step FROM agents WHERE id = :agent
    ORDER BY step
"""
_GO_BACK = """
    UPDATE agents SET step = past.step, call = past.call
    FROM (SELECT step, call FROM history WHERE agent = :agent AND step = :step) AS past
    WHERE id = :copy
"""
_DECIDE = """
    UPDATE agents SET status = :status, epoch = epoch + 1, owner = NULL, error = :reason,
        attempts = iif(:status = 'ready', 0, attempts), changed_at = :at, wake_at = NULL,
        free_since = iif(:status = 'ready', coalesce(free_since, :at), NULL),
        ended_at = iif(:status IN ('finished', 'failed', 'cancelled'), :at, NULL)
    WHERE id = :agent
"""
_ENDED = "SELECT id FROM agents WHERE ended_at < ?"
_PARTS = (
    "DELETE FROM signals WHERE agent = ?",
    "DELETE FROM journal WHERE agent = ?",
    "DELETE FROM history WHERE agent = ?",
    "DELETE FROM starts WHERE agent = ?",
    "DELETE FROM agents WHERE id = ?",
)
_MOST_PAGES = 10_000  # in one sweep, some tens of milliseconds
_DROP_OWNERS = """
    DELETE FROM owners WHERE NOT EXISTS (
        SELECT 1 FROM agents WHERE owner = owners.name AND status = 'ready'
    )
"""


def note_files(transaction: Transaction, place: str | None) -> str | None:
    """Have large values lie at a place from now on; return where they lie, also where None is given."""
    connection = transaction.connection
    connection.execute("UPDATE files SET place = coalesce(?, place)", (place,))
    (found,) = connection.execute("SELECT place FROM files").fetchone()
    return None if found is None else str(found)


def create(transaction: Transaction, agents: Sequence[DurableAgent]) -> list[DurableAgent]:
    """Enter agents, and hand them the dead letters that wait for their names."""
    return [
        agent if _enter(transaction, agent) else transaction.agent(agent.name) for agent in agents
    ]


def _enter(transaction: Transaction, agent: DurableAgent) -> bool:
    """Enter an agent; return whether it lies there just as it was given."""
    ready = agent.status == "ready"
    owner = agent.owner if ready else None
    asleep = ready and owner is None and agent.asleep
    filters = filters_text(agent.filters)
    cursor = transaction.connection.execute(
        _INSERT,
        (
            *(agent.name, None if agent.call == agent.start else agent.call),
            *(agent.label, agent.status),
            *(agent.step, agent.epoch, agent.attempts, owner),
            agent.created_at if ready and owner is None and not asleep else None,
            agent.changed_at if agent.status in ENDED else None,
            *(filters, agent.wake_at if asleep else None, agent.result, agent.error),
            *(agent.created_at, agent.changed_at),
        ),
    )
    if not cursor.rowcount:
        return False
    number = cursor.lastrowid
    assert number is not None  # noqa: S101 - a row was inserted
    transaction.connection.execute(
        "INSERT INTO starts VALUES (?, ?, ?)", (number, agent.start, agent.params)
    )
    if asleep:
        transaction.mailboxes.note_sleeper()
    if agent.journal:
        transaction.write_journal(number, agent.step, agent.journal)
    if agent.filters:
        transaction.hear(number, ("[]", "ready"), (filters, agent.status))
    transaction.mailboxes.hand_dead_letters(number, agent.name)
    if agent.owner is not None:
        prolong(transaction.connection, agent.owner, agent.lease_until or 0.0)
    return agent.owner is None and agent.lease_until is None and asleep == agent.asleep


def decide(
    transaction: Transaction, name: str, status: AgentStatus, at: float, reason: str | None
) -> DurableAgent | None:
    """Set an agent's status from outside, and fence its owner."""
    found = transaction.connection.execute(
        "SELECT id, status, filters FROM agents WHERE name = ?", (name,)
    ).fetchone()
    if found is None:
        return None
    number, before, filters = found
    transaction.connection.execute(
        _DECIDE, {"agent": number, "status": status, "reason": reason, "at": at}
    )
    transaction.hear(number, (filters, before), (filters, status))
    if before in ENDED and status not in ENDED:
        transaction.mailboxes.hand_dead_letters(number, name)
    return transaction.agent(name)


def fork(
    transaction: Transaction, name: str, new_name: str, at: float, step: int | None
) -> DurableAgent:
    """Copy an agent under a new name, with its present state or an earlier one.

    Raises:
        AgentExistsError: there is one of the new name.
        StateNotKeptError: there is no such state.
        StoreError: there is none of that name.
    """
    connection = transaction.connection
    find = "SELECT id, filters FROM agents WHERE name = ?"
    found = connection.execute(find, (name,)).fetchone()
    if found is None:
        raise StoreError(f"there is no agent {name!r} to fork")
    if connection.execute(find, (new_name,)).fetchone() is not None:
        raise AgentExistsError(new_name)
    number, filters = found
    steps = [each for (each,) in connection.execute(_STEPS, {"agent": number})]
    if step is not None and step not in steps:
        raise StateNotKeptError(name, step, steps)
    cursor = connection.execute(_COPY, {"name": new_name, "at": at, "agent": number})
    copy = cursor.lastrowid
    assert copy is not None  # noqa: S101 - a row was inserted
    for statement in (_COPY_START, _GO_BACK, _COPY_JOURNAL):
        connection.execute(statement, {"agent": number, "copy": copy, "step": step})
    transaction.hear(copy, ("[]", "ready"), (filters, "ready"))
    transaction.mailboxes.copy(number, copy)
    transaction.mailboxes.hand_dead_letters(copy, new_name)
    return transaction.agent(new_name)


def sweep(transaction: Transaction, ended_before: float, letters_before: float) -> Swept:
    """Remove what ended and dead letters that came before these times, and give pages back."""
    connection = transaction.connection
    ended = connection.execute(_ENDED, (ended_before,)).fetchall()
    for part in _PARTS:
        connection.executemany(part, ended)
    letters = connection.execute("DELETE FROM dead_letters WHERE at < ?", (letters_before,))
    connection.execute(_DROP_OWNERS)
    _give_pages_back(connection)
    return Swept(len(ended), letters.rowcount)


def _give_pages_back(connection: sqlite3.Connection) -> None:
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    for _ in range(min(free, _MOST_PAGES)):
        # It would give back one page with each row of no columns, which this module does not go through.
        connection.execute("PRAGMA incremental_vacuum(1)")
