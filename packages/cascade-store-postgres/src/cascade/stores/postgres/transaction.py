"""What a transaction works with, and the parts of it that several kinds of work need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg import AsyncConnection

from cascade.interfaces.store import ENDED, AgentStatus, DurableAgent
from cascade.stores.postgres.mailboxes import Mailboxes
from cascade.stores.postgres.rows import agent_of
from cascade.stores.wild_filters import WildFilters

__all__ = ["Transaction"]

_JOURNAL = """
    INSERT INTO journal SELECT %s, %s, place, value
    FROM unnest(%s::text[], %s::bytea[]) AS new (place, value)
    ON CONFLICT (agent, step, place) DO UPDATE SET value = excluded.value
"""


class Transaction:
    """A connection inside a transaction, and the mailboxes in it."""

    def __init__(self, connection: AsyncConnection, wild: WildFilters) -> None:
        """Take a connection on which a transaction has begun."""
        self.connection = connection
        self.mailboxes = Mailboxes(connection, wild)

    async def agent(self, name: str) -> DurableAgent:
        """Return an agent that is there."""
        agent = await agent_of(self.connection, name)
        assert agent is not None  # noqa: S101 - this transaction has just seen it
        return agent

    async def hear(
        self,
        agent: int,
        before: tuple[Sequence[str], AgentStatus],
        after: tuple[Sequence[str], AgentStatus],
    ) -> None:
        """Have a mailbox listen to what its filters and its status say, which were others before."""
        old, new = (
            () if status in ENDED else tuple(filters) for filters, status in (before, after)
        )
        if old != new:
            await self.mailboxes.listen(agent, old, new)

    async def write_journal(self, agent: int, step: int, journal: Mapping[str, bytes]) -> None:
        """Add values to the journal of an agent's step, instead of those at the same places."""
        await self.connection.execute(
            "DELETE FROM journal WHERE agent = %s AND step < %s", (agent, step)
        )
        await self.connection.execute(_JOURNAL, (agent, step, [*journal], [*journal.values()]))
