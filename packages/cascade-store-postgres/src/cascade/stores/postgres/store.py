"""`PostgresStore`: durable agents in PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from os import PathLike
from typing import Any

import psycopg
from psycopg import AsyncConnection

from cascade.interfaces.errors import StoreError
from cascade.interfaces.store import (
    AgentStatus,
    Arrivals,
    Checkpoint,
    DurableAgent,
    Letter,
    PastState,
    StoredSignal,
    Swept,
)
from cascade.stores.large.values import LargeValues, absolute
from cascade.stores.postgres import agents as on_agents
from cascade.stores.postgres import claims
from cascade.stores.postgres.connection import Reconnecting, explained
from cascade.stores.postgres.group_commit import GroupCommit, Work, committing
from cascade.stores.postgres.rows import (
    agent_of,
    agents_of,
    arrivals,
    history_of,
    named_files,
    signals_of,
)
from cascade.stores.postgres.schema import migrate, note_files
from cascade.stores.postgres.transaction import Transaction

__all__ = ["PostgresStore"]


class PostgresStore:
    """Keeps durable agents in a schema of a PostgreSQL database, 15 or later.

    One connection writes: whatever is committed while its last commit runs becomes one transaction.
    Another one reads. Any number of stores on any number of machines may share a schema. A lost
    connection is made again, and what was under way is done once: the server knows what was committed.
    A store belongs to the event loop that opened it.

    Examples:
        >>> store = PostgresStore("postgresql://me@localhost/agents", schema="orders")
    """

    def __init__(
        self,
        url: str,
        *,
        schema: str = "cascade",
        patience: float = 30.0,
        files: str | PathLike[str] | None = None,
    ) -> None:
        """Say where the server is; `open` connects.

        Args:
            url: as libpq understands it: ``postgresql://user:password@host/database``, or
                ``host=… dbname=…``.
            schema: where the tables are, and are made if they are not there.
            patience: seconds to try to reach a server again that was there before.
            files: a folder that all machines have, or a URL that fsspec knows, for values of more than
                256 KiB; where they lie is written down, for those who connect without it. None: in the
                database, too.
        """
        self._url = url
        self._schema = schema
        self._patience = patience
        self._files = absolute(files)
        self._large = LargeValues(None)
        self._opening = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writer: Reconnecting | None = None
        self._reader: Reconnecting | None = None
        self._listener: Reconnecting | None = None
        self._commits: GroupCommit | None = None

    async def open(self) -> None:
        """Connect, and bring the tables to this version. Calling it again does nothing.

        Raises:
            StoreError: the server is not there or refuses, or a newer version has made the tables.
        """
        async with self._opening:
            if self._commits is not None and self._loop is not None and not self._loop.is_closed():
                return
            writer = Reconnecting(self._url, self._schema, self._patience)
            try:
                await migrate(await writer.get(), self._schema)
                large = LargeValues(await note_files(await writer.get(), self._files))
                commits = GroupCommit(writer)
                await commits.start()
            except BaseException as error:
                await writer.aclose()
                if isinstance(error, psycopg.Error):
                    raise explained(error) from error
                raise
            self._loop = asyncio.get_running_loop()
            self._writer, self._large = writer, large
            self._reader = Reconnecting(self._url, self._schema, self._patience)
            self._listener = Reconnecting(self._url, self._schema, self._patience)
            self._commits = commits

    async def aclose(self) -> None:
        """Finish what was begun, and disconnect."""
        async with self._opening:
            commits, self._commits = self._commits, None
            if commits is not None:
                await commits.aclose()
            for connection in (self._writer, self._reader, self._listener):
                if connection is not None:
                    await connection.aclose()
            self._writer = self._reader = self._listener = self._loop = None

    def twin(self) -> PostgresStore:
        """Return another store on the same schema, for another thread."""
        return PostgresStore(self._url, schema=self._schema, patience=self._patience)

    def _check(self) -> None:
        if self._commits is None:
            raise StoreError("the store is not open; call 'await store.open()' first")
        if asyncio.get_running_loop() is not self._loop:
            raise StoreError(
                "the store was opened on another event loop; give each loop a PostgresStore of its own"
            )

    async def _write(
        self, do: Callable[[Transaction], Awaitable[object]], *, writes_letters: bool = True
    ) -> Any:
        return await self._submit(Work(do, writes_letters=writes_letters))

    async def _submit(self, work: Work) -> Any:
        self._check()
        assert self._commits is not None  # noqa: S101 - just checked
        return await self._large.whole(await self._commits.submit(work))

    async def _read(self, work: Callable[[AsyncConnection], Awaitable[object]]) -> Any:
        self._check()
        assert self._reader is not None  # noqa: S101 - just checked
        return await self._large.whole(await self._reader.read(work))

    async def create(self, agents: Sequence[DurableAgent]) -> list[DurableAgent]:
        """Enter agents, and hand them the dead letters that wait for their names."""
        stowed = await self._large.stowed(agents)
        created: list[DurableAgent] = await self._write(partial(on_agents.create, agents=stowed))
        return created

    async def load(self, name: str) -> DurableAgent | None:
        """Return an agent, or None."""
        agent: DurableAgent | None = await self._read(partial(agent_of, name=name))
        return agent

    async def signals(self, name: str, after: int = 0) -> list[StoredSignal]:
        """Return what lies in a mailbox with a number above ``after``, in order."""
        found: list[StoredSignal] = await self._read(partial(signals_of, name=name, after=after))
        return found

    async def arrived(self, owner: str, after: int = 0) -> Arrivals:
        """Return which agents of an owner have signals above a number, whoever sent them."""
        found: Arrivals = await self._read(partial(arrivals, owner=owner, after=after))
        return found

    async def others_wrote(self) -> None:
        """Return when the server tells that another store has put letters into mailboxes.

        Raises:
            StoreError: the server is not there any more.
        """
        self._check()
        assert self._listener is not None  # noqa: S101 - just checked
        assert self._commits is not None  # noqa: S101 - just checked
        await self._listener.hear_other_than(self._commits.writer)

    async def claim(
        self,
        owner: str,
        now: float,
        until: float,
        *,
        limit: int = 100,
        names: Collection[str] | None = None,
        labels: Collection[str] | None = None,
    ) -> list[DurableAgent]:
        """Take agents that are ready, that nobody holds, and that are awake or due."""
        given = {"owner": owner, "now": now, "until": until, "limit": limit}
        work = partial(claims.claim, **given, names=names, labels=labels)  # type: ignore[arg-type]  # by name
        taken: list[DurableAgent] = await self._write(work, writes_letters=False)
        return taken

    async def renew(self, owner: str, until: float) -> set[str]:
        """Prolong all leases of an owner; return the names of what it holds."""
        work = partial(claims.renew, owner=owner, until=until)
        held: set[str] = await self._write(work, writes_letters=False)
        return held

    async def commit(self, checkpoint: Checkpoint) -> set[str]:
        """Commit a checkpoint; return the names of the agents whose mailboxes got a letter.

        Raises:
            LeaseLostError: the epoch is not the agent's, or it is not ready: nothing was changed.
            StoreError: the server is not there, or refuses: nothing was changed.
        """
        (stowed,) = await self._large.stowed([checkpoint], checkpoint.name)
        reached: set[str] = await self._submit(committing(stowed))
        return reached

    async def deliver(self, letters: Sequence[Letter], at: float) -> set[str]:
        """Put letters of others into mailboxes; return as `commit` does."""

        async def post(transaction: Transaction) -> set[str]:
            (reached,) = await transaction.mailboxes.post([(stowed, at)])
            return reached

        stowed = await self._large.stowed(letters)
        reached: set[str] = await self._write(post)
        return reached

    async def decide(
        self, name: str, status: AgentStatus, at: float, *, reason: str | None = None
    ) -> DurableAgent | None:
        """Set an agent's status from outside, and fence its owner; ``ready`` also empties its attempts."""
        work = partial(on_agents.decide, name=name, status=status, at=at, reason=reason)
        agent: DurableAgent | None = await self._write(work)
        return agent

    async def history(self, name: str) -> list[PastState]:
        """Return the earlier states of an agent that are kept, the oldest first."""
        found: list[PastState] = await self._read(partial(history_of, name=name))
        return found

    async def fork(
        self, name: str, new_name: str, at: float, *, step: int | None = None
    ) -> DurableAgent:
        """Copy an agent's state, filters and unread signals under a new name, which nobody holds.

        Raises:
            AgentExistsError: there is one of the new name.
            StateNotKeptError: there is no such state.
            StoreError: there is none of that name.
        """
        copy: DurableAgent = await self._write(
            partial(on_agents.fork, name=name, new_name=new_name, at=at, step=step)
        )
        return copy

    async def list(
        self,
        *,
        statuses: Collection[AgentStatus] | None = None,
        prefix: str = "",
        after: str = "",
        limit: int = 1000,
    ) -> list[DurableAgent]:
        """Return agents by name, in order of their names, those behind ``after``."""
        work = partial(agents_of, statuses=statuses, prefix=prefix, after=after, limit=limit)
        agents: list[DurableAgent] = await self._read(work)
        return agents

    async def sweep(self, ended_before: float, letters_before: float) -> Swept:
        """Remove agents that ended, and dead letters that came, before these times."""
        work = partial(on_agents.sweep, ended_before=ended_before, letters_before=letters_before)
        swept: Swept = await self._write(work)
        await self._large.sweep(lambda: self._read(named_files))
        return swept
