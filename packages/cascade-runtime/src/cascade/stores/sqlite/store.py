"""`SqliteStore`: durable agents in one file."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TypeVar, get_args

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
from cascade.stores.sqlite import agents as on_agents
from cascade.stores.sqlite import claims
from cascade.stores.sqlite.checkpoints import Commit
from cascade.stores.sqlite.place import refuse_network_file_system
from cascade.stores.sqlite.reader import Reader
from cascade.stores.sqlite.rows import (
    agent_of,
    agents_of,
    arrivals,
    history_of,
    last_number,
    named_files,
    signals_of,
)
from cascade.stores.sqlite.schema import Synchronous
from cascade.stores.sqlite.traffic import Traffic
from cascade.stores.sqlite.transaction import Transaction
from cascade.stores.sqlite.work_thread import WorkThread
from cascade.stores.sqlite.writer import Writer

__all__ = ["SqliteStore"]

T = TypeVar("T")

_LOOK = 0.05  # seconds between two looks for what others have written


class SqliteStore:
    """Keeps durable agents in one SQLite file, which any number of processes of one machine may share.

    One thread writes: whatever is committed while its last commit runs becomes one transaction. Another
    one reads. A store belongs to the event loop that opened it. Where a task is cancelled while it waits
    for a method, what it asked for is done all the same.

    Examples:
        >>> import asyncio, tempfile
        >>> from cascade.interfaces.store import DurableAgent
        >>> async def main(folder):
        ...     store = SqliteStore(f"{folder}/agents.db")
        ...     await store.open()
        ...     await store.create([DurableAgent("monday", start=b"{}", call=b"{}")])
        ...     (claimed,) = await store.claim("worker", now=0, until=30)
        ...     await store.aclose()
        ...     return claimed.name, claimed.epoch
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     asyncio.run(main(folder))
        ('monday', 1)
    """

    def __init__(
        self,
        path: str | Path,
        *,
        synchronous: Synchronous = "NORMAL",
        busy_timeout: float = 30.0,
        files: str | PathLike[str] | None = None,
    ) -> None:
        """Say where the file is, or is to be; `open` opens it.

        Args:
            path: the file. Beside it lie two more while it is open, with ``-wal`` and ``-shm`` at the end.
            synchronous: ``NORMAL``: a process that is killed loses nothing, a machine that stops at once
                may lose the last commits; ``FULL``: each commit waits until the disk has it.
            busy_timeout: seconds to wait for other processes that write.
            files: a folder, or a URL that fsspec knows, for values of more than 256 KiB; where they lie is
                written down, for those who open the file without it. None: in the file, too.

        Raises:
            ValueError: an option is none of these, or the path is no file's.
        """
        if synchronous not in get_args(Synchronous):
            raise ValueError(f"synchronous is 'NORMAL' or 'FULL', not {synchronous!r}")
        if not str(path) or str(path).startswith(":"):
            raise ValueError(f"{str(path)!r} is no path of a file; in memory there is MemoryStore")
        self._path = Path(path).absolute()
        self._synchronous: Synchronous = synchronous
        self._busy_timeout = busy_timeout
        self._files = absolute(files)
        self._large = LargeValues(None)
        self._opening = asyncio.Lock()
        self._traffic = Traffic()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writer: WorkThread[Transaction] | None = None
        self._reader: WorkThread[sqlite3.Connection] | None = None

    async def open(self) -> None:
        """Open the file, and bring it to this version. Calling it again does nothing.

        Raises:
            StoreError: it cannot be opened, is no store, was written by a newer version, or lies on a
                network file system.
        """
        async with self._opening:
            if self._loop is not None and self._loop.is_closed():
                self._abandon()
            if self._writer is not None:
                return
            refuse_network_file_system(self._path)
            self._traffic = Traffic()
            make_writer = partial(
                Writer, self._path, self._synchronous, self._busy_timeout, self._traffic
            )
            writer = WorkThread("cascade-store-writer", make_writer)
            await writer.start()
            reader = WorkThread(
                "cascade-store-reader", partial(Reader, self._path, self._busy_timeout)
            )
            try:
                place = await writer.submit(partial(on_agents.note_files, place=self._files))
                large = LargeValues(place)
                await reader.start()
            except BaseException:
                await writer.aclose()
                raise
            self._writer, self._reader, self._large = writer, reader, large
            self._loop = asyncio.get_running_loop()

    def _abandon(self) -> None:
        """Let go the threads of a loop that ended without closing the store."""
        for thread in (self._writer, self._reader):
            if thread is not None:
                thread.abandon()
        self._writer = self._reader = self._loop = None

    async def aclose(self) -> None:
        """Finish what was begun, and close the file; no thread is left."""
        async with self._opening:
            writer, reader = self._writer, self._reader
            self._writer = self._reader = self._loop = None
            if reader is not None:
                await reader.aclose()
            if writer is not None:
                await writer.aclose()

    def twin(self) -> SqliteStore:
        """Return another store on the same file, for another thread."""
        return SqliteStore(
            self._path, synchronous=self._synchronous, busy_timeout=self._busy_timeout
        )

    async def _write(self, work: Callable[[Transaction], T]) -> T:
        return await self._large.whole(await self._checked(self._writer).submit(work))

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._large.whole(await self._checked(self._reader).submit(work))

    def _checked(self, thread: WorkThread[T] | None) -> WorkThread[T]:
        if thread is None:
            raise StoreError(f"{self._path} is not open; call 'await store.open()' first")
        if asyncio.get_running_loop() is not self._loop:
            raise StoreError(
                f"{self._path} was opened on another event loop; give each loop a SqliteStore of its own"
            )
        return thread

    async def create(self, agents: Sequence[DurableAgent]) -> list[DurableAgent]:
        """Enter agents, and hand them the dead letters that wait for their names."""
        stowed = await self._large.stowed(agents)
        return await self._write(partial(on_agents.create, agents=stowed))

    async def load(self, name: str) -> DurableAgent | None:
        """Return an agent, or None."""
        return await self._read(partial(agent_of, name=name))

    async def signals(self, name: str, after: int = 0) -> list[StoredSignal]:
        """Return what lies in a mailbox with a number above ``after``, in order."""
        return await self._read(partial(signals_of, name=name, after=after))

    async def arrived(self, owner: str, after: int = 0) -> Arrivals:
        """Return which agents of an owner have signals above a number, whoever sent them."""
        return await self._read(partial(arrivals, owner=owner, after=after))

    async def others_wrote(self) -> None:
        """Return when other processes have put letters into mailboxes; look each few milliseconds."""
        while not self._traffic.is_news(await self._read(last_number)):  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(_LOOK)

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
        return await self._write(
            partial(
                claims.claim,
                owner=owner,
                now=now,
                until=until,
                limit=limit,
                names=names,
                labels=labels,
            )
        )

    async def renew(self, owner: str, until: float) -> set[str]:
        """Prolong all leases of an owner; return the names of what it holds."""
        return await self._write(partial(claims.renew, owner=owner, until=until))

    async def commit(self, checkpoint: Checkpoint) -> set[str]:
        """Commit a checkpoint; return the names of the agents whose mailboxes got a letter.

        Raises:
            LeaseLostError: the epoch is not the agent's, or it is not ready: nothing was changed.
            StoreError: the file could not be written: nothing was changed.
        """
        if self._large.is_used:  # looked at here, for the sake of plain steps
            (checkpoint,) = await self._large.stowed([checkpoint], checkpoint.name)
        return await self._checked(self._writer).submit(Commit(checkpoint))

    async def deliver(self, letters: Sequence[Letter], at: float) -> set[str]:
        """Put letters of others into mailboxes; return as `commit` does."""
        stowed = await self._large.stowed(letters)
        return await self._write(lambda transaction: transaction.mailboxes.post(stowed, at))

    async def decide(
        self, name: str, status: AgentStatus, at: float, *, reason: str | None = None
    ) -> DurableAgent | None:
        """Set an agent's status from outside, and fence its owner; ``ready`` also empties its attempts."""
        return await self._write(
            partial(on_agents.decide, name=name, status=status, at=at, reason=reason)
        )

    async def history(self, name: str) -> list[PastState]:
        """Return the earlier states of an agent that are kept, the oldest first."""
        return await self._read(partial(history_of, name=name))

    async def fork(
        self, name: str, new_name: str, at: float, *, step: int | None = None
    ) -> DurableAgent:
        """Copy an agent's state, filters and unread signals under a new name, which nobody holds.

        Raises:
            AgentExistsError: there is one of the new name.
            StateNotKeptError: there is no such state.
            StoreError: there is none of that name.
        """
        return await self._write(
            partial(on_agents.fork, name=name, new_name=new_name, at=at, step=step)
        )

    async def list(
        self,
        *,
        statuses: Collection[AgentStatus] | None = None,
        prefix: str = "",
        after: str = "",
        limit: int = 1000,
    ) -> list[DurableAgent]:
        """Return agents by name, in order of their names, those behind ``after``."""
        return await self._read(
            partial(agents_of, statuses=statuses, prefix=prefix, after=after, limit=limit)
        )

    async def sweep(self, ended_before: float, letters_before: float) -> Swept:
        """Remove agents that ended, and dead letters that came, before these times."""
        swept = await self._write(
            partial(on_agents.sweep, ended_before=ended_before, letters_before=letters_before)
        )
        await self._large.sweep(lambda: self._read(named_files))
        return swept
