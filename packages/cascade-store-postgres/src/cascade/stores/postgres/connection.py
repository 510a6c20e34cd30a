"""A connection that is opened again when it was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import psycopg
from psycopg import AsyncConnection, sql

from cascade.interfaces.errors import StoreError, StoreUnavailableError

__all__ = ["Reconnecting", "explained"]

_FIRST_DELAY = 0.05  # seconds; each wait is twice as long
_LONGEST_DELAY = 2.0
_MOST_IDLE = (
    5.0  # seconds amid a transaction, after which the server ends it and what it has locked
)


def explained(error: psycopg.Error) -> StoreError:
    """Return what PostgreSQL says as an error of ours."""
    kind = StoreUnavailableError if isinstance(error, psycopg.OperationalError) else StoreError
    return kind(f"PostgreSQL: {str(error).strip() or type(error).__name__}")


class Reconnecting:
    """One connection to a server; whoever uses it at a time has it alone."""

    def __init__(self, url: str, schema: str, patience: float) -> None:
        """Say where the server is, and for how many seconds to look for it again."""
        self._url = url
        self._schema = schema
        self._patience = patience
        self._connection: AsyncConnection | None = None
        self._listening: AsyncConnection | None = None
        self.lock = asyncio.Lock()

    async def get(self) -> AsyncConnection:
        """Return the connection; where it was lost, a new one.

        Raises:
            StoreError: the server is not there, for too long.
        """
        if self._connection is not None and not self._connection.closed:
            return self._connection
        first = self._connection is None
        end = asyncio.get_running_loop().time() + (0 if first else self._patience)
        delay = _FIRST_DELAY
        while True:
            try:
                self._connection = await self._connect()
                return self._connection
            except psycopg.OperationalError as error:
                if asyncio.get_running_loop().time() + delay > end:
                    raise explained(error) from error
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY)

    async def _connect(self) -> AsyncConnection:
        connection = await AsyncConnection.connect(self._url, autocommit=True)
        settings = sql.SQL(
            "SET search_path TO {}; SET idle_in_transaction_session_timeout TO {}"
        ).format(sql.Identifier(self._schema), sql.Literal(int(_MOST_IDLE * 1000)))
        try:
            await connection.execute(settings)
        except BaseException:  # also where it is cancelled: nobody else would close it
            await connection.close()
            raise
        return connection

    async def read(self, work: Callable[[AsyncConnection], Awaitable[object]]) -> object:
        """Do what only reads, and sees one state of the tables; once more where the connection was lost.

        Raises:
            StoreError: the server refuses it, or is not there.
        """
        async with self.lock:
            for attempt in (1, 2):
                connection = await self.get()
                try:
                    async with connection.transaction():
                        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                        return await work(connection)
                except psycopg.Error as error:
                    if not connection.closed or attempt == 2:  # noqa: PLR2004 - the last one
                        raise explained(error) from error
            raise AssertionError  # the loop returns or raises

    async def hear_other_than(self, writer: str) -> None:
        """Return when the server tells of another writer.

        Raises:
            StoreError: the server is not there any more.
        """
        async with self.lock:
            connection = await self.get()
            try:
                if connection is not self._listening:
                    channel = sql.Identifier(f"cascade_{self._schema}")
                    await connection.execute(sql.SQL("LISTEN {}").format(channel))
                    self._listening = connection
                async for told in connection.notifies():
                    if told.payload != writer:
                        return
            except psycopg.Error as error:
                raise explained(error) from error

    async def aclose(self) -> None:
        """Close the connection."""
        async with self.lock:
            if self._connection is not None:
                await self._connection.close()
            self._connection = None
