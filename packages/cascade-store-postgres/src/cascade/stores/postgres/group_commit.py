"""Group commit: what gathers while the last commit runs becomes one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from uuid import uuid4

import psycopg
from psycopg import AsyncConnection

from cascade.interfaces.errors import StoreError
from cascade.interfaces.store import Checkpoint
from cascade.stores.outcomes import Outcome, settle_all
from cascade.stores.postgres.checkpoints import commit, commit_plain_steps
from cascade.stores.postgres.connection import Reconnecting, explained
from cascade.stores.postgres.transaction import Transaction
from cascade.stores.wild_filters import WildFilters

__all__ = ["GroupCommit", "Work"]

_MOST = 1_000  # pieces of work in one transaction
_ATTEMPTS = 5  # at a group whose connection is lost again and again, or that others deadlock with
_AGAIN = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)


_MARK = """
    INSERT INTO writers VALUES (%s, %s)
    ON CONFLICT (id) DO UPDATE SET committed = excluded.committed, seen = now()
"""
_COMMITTED = "SELECT committed FROM writers WHERE id = %s FOR UPDATE"
_FORGET = "DELETE FROM writers WHERE seen < now() - interval '1 day'"


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done inside a transaction: a function, or a checkpoint."""

    do: Callable[[Transaction], Awaitable[object]]
    checkpoint: Checkpoint | None = None
    writes_letters: bool = True
    """Whether mailboxes may change; such transactions go one after the other."""


class GroupCommit:
    """A task that does what gathers for it, group by group.

    Work says by a `StoreError` that it refuses, before it has changed anything; then the rest of its
    group goes on. Whatever else it raises undoes the group, and each part is done again on its own. Where
    the connection is lost, the server knows whether the group was committed, and it is done again if not.
    """

    def __init__(self, connection: Reconnecting) -> None:
        """Begin without work; call `start` next."""
        self._connection = connection
        self.writer = uuid4().hex
        self._number = 0
        self._wild = WildFilters()
        self._gathered: list[tuple[Work, asyncio.Future[object]]] = []
        self._woken = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Introduce this writer to the server, and begin to do what is submitted."""
        connection = await self._connection.get()
        await connection.execute(_FORGET)
        await connection.execute(_MARK, (self.writer, self._number))
        self._task = asyncio.create_task(self._run(), name="cascade-store-group-commit")

    def submit(self, work: Work) -> asyncio.Future[object]:
        """Have work done; cancelling the future does not stop it."""
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._gathered.append((work, future))
        self._woken.set()
        return future

    async def aclose(self) -> None:
        """Finish what was submitted."""
        self._closing = True
        self._woken.set()
        if self._task is not None:
            await asyncio.shield(self._task)

    async def _run(self) -> None:
        while self._gathered or not self._closing:
            if not self._gathered:
                self._woken.clear()
                await self._woken.wait()
                continue
            group, self._gathered = self._gathered[:_MOST], self._gathered[_MOST:]
            outcomes = await self._do([work for work, _ in group])
            settle_all([future for _, future in group], outcomes)

    async def _do(self, group: Sequence[Work]) -> list[Outcome]:
        try:
            async with self._connection.lock:
                return await self._commit(group)
        except Exception as error:  # noqa: BLE001 - whoever gave the work is told
            self._wild.forget()
            lost = isinstance(error, StoreError | psycopg.OperationalError)
            if len(group) > 1 and not lost:
                return [(await self._do([work]))[0] for work in group]
            if isinstance(error, psycopg.Error):
                return [explained(error) for _ in group]
            return [type(error)(str(error)) if lost else error for _ in group]

    async def _commit(self, group: Sequence[Work]) -> list[Outcome]:
        """Do a group in a transaction, and again where somebody else is to blame that it failed."""
        self._number += 1
        for attempt in range(1, _ATTEMPTS + 1):
            connection = await self._connection.get()
            under_way = _UnderWay(connection, self._wild, group)
            try:
                return await under_way.commit((self.writer, self._number))
            except psycopg.Error as error:
                self._wild.forget()
                if attempt == _ATTEMPTS or not (connection.closed or isinstance(error, _AGAIN)):
                    raise
            if await self._was_committed():
                return under_way.outcomes
        raise AssertionError  # the loop returns or raises

    async def _was_committed(self) -> bool:
        """Ask what became of the group whose connection was lost; while its commit goes on this waits."""
        connection = await self._connection.get()
        row = await (await connection.execute(_COMMITTED, (self.writer,))).fetchone()
        return row is not None and row[0] == self._number


class _UnderWay:
    """One attempt at a transaction."""

    def __init__(
        self, connection: AsyncConnection, wild: WildFilters, group: Sequence[Work]
    ) -> None:
        self._connection = connection
        self._wild = wild
        self._group = group
        self.outcomes: list[Outcome] = []

    async def commit(self, mark: tuple[str, int]) -> list[Outcome]:
        async with self._connection.transaction():
            transaction = Transaction(self._connection, self._wild)
            if any(work.writes_letters for work in self._group):
                await transaction.mailboxes.lock()
            for checkpoints, works in _runs(self._group):
                if checkpoints:
                    self.outcomes += await commit_plain_steps(transaction, checkpoints)
                else:
                    self.outcomes += [await self._one(transaction, work) for work in works]
            await transaction.mailboxes.finish(mark[0])
            await self._connection.execute(_MARK, mark)
        return self.outcomes

    @staticmethod
    async def _one(transaction: Transaction, work: Work) -> Outcome:
        try:
            return await work.do(transaction)
        except StoreError as refusal:
            return refusal


def _runs(group: Sequence[Work]) -> Iterator[tuple[list[Checkpoint], list[Work]]]:
    """Yield plain steps of different agents that follow each other, and what lies between these."""
    steps: dict[str, Checkpoint] = {}
    for work in group:
        checkpoint = work.checkpoint
        plain = checkpoint is not None and checkpoint.is_plain_step
        if steps and (not plain or checkpoint is None or checkpoint.name in steps):
            yield [*steps.values()], []
            steps = {}
        if plain and checkpoint is not None:
            steps[checkpoint.name] = checkpoint
        else:
            yield [], [work]
    if steps:
        yield [*steps.values()], []


def committing(checkpoint: Checkpoint) -> Work:
    """Return the work of committing a checkpoint."""
    return Work(lambda transaction: commit(transaction, checkpoint), checkpoint)
