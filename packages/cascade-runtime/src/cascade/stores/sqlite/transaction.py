"""What a transaction works with, and the parts of it that several kinds of work need."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from cascade.interfaces.store import ENDED, AgentStatus, DurableAgent
from cascade.stores.sqlite.mailboxes import Mailboxes
from cascade.stores.sqlite.rows import agent_of, filters_of
from cascade.stores.wild_filters import WildFilters

__all__ = ["Transaction"]


class Transaction:
    """A connection inside a transaction, and the mailboxes in it."""

    def __init__(self, connection: sqlite3.Connection, wild: WildFilters) -> None:
        """Take a connection on which a transaction has begun."""
        self.connection = connection
        self.mailboxes = Mailboxes(connection, wild)

    def agent(self, name: str) -> DurableAgent:
        """Return an agent that is there."""
        agent = agent_of(self.connection, name)
        assert agent is not None  # noqa: S101 - this transaction has just seen it
        return agent

    def hear(
        self, agent: int, before: tuple[str, AgentStatus], after: tuple[str, AgentStatus]
    ) -> None:
        """Have a mailbox listen to what its filters and its status say, which were others before."""
        old, new = (() if status in ENDED else filters_of(text) for text, status in (before, after))
        if old != new:
            self.mailboxes.listen(agent, old, new)

    def write_journal(self, agent: int, step: int, journal: Mapping[str, bytes]) -> None:
        """Add values to the journal of an agent's step, instead of those at the same places."""
        self.connection.execute("DELETE FROM journal WHERE agent = ? AND step < ?", (agent, step))
        self.connection.executemany(
            "INSERT OR REPLACE INTO journal VALUES (?, ?, ?, ?)",
            [(agent, step, place, value) for place, value in journal.items()],
        )
