"""``cs.sql``: a statement to a database, its values always bound; over connections that an engine keeps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import make_url, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from cascade.providers.ready_made import provider_of
from cascade.spec.resource import inject, resource
from cascade.spec.task import task

__all__ = ["Databases", "databases", "sql"]

_DRIVERS: Mapping[str, str] = MappingProxyType(
    {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}
)


class Databases:
    """The databases of an engine, by their URLs, each with its pool of connections."""

    def __init__(self) -> None:
        """Begin with none."""
        self._by_url: dict[str, AsyncEngine] = {}

    def at(self, url: str) -> AsyncEngine:
        """Return a database; it is connected to when that is first needed.

        Raises:
            ValueError: it is no URL of a database; its text is not shown, since it may hold a password.
        """
        if url not in self._by_url:
            try:
                parsed = make_url(url)
            except ArgumentError:
                raise ValueError(
                    "the database is named by a URL, such as sqlite:///shop.db or postgresql://host/shop"
                ) from None
            driver = _DRIVERS.get(parsed.drivername, parsed.drivername)
            # Values of rows may be secret; errors show the statement alone.
            self._by_url[url] = create_async_engine(
                parsed.set(drivername=driver), hide_parameters=True
            )
        return self._by_url[url]

    async def close(self) -> None:
        """Close all connections."""
        for each in self._by_url.values():
            await each.dispose()


# What a cached statement gives depends on its URL, which is an argument, and not on who connects.
@resource(name="sql_databases", scope="engine", cache_key="sql_databases")
async def databases() -> AsyncIterator[Databases]:
    """Keep connections for as long as the engine is open."""
    opened = Databases()
    try:
        yield opened
    finally:
        await opened.close()


@task(name="sql")
async def sql(
    statement: str,
    params: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    *,
    url: str,
    databases: Databases = inject(databases),
) -> list[dict[str, Any]]:
    """Execute one statement in a transaction of its own, and return its rows; none where it has none.

    Args:
        statement: SQL, with ``:name`` for each value.
        params: the values by their names; several of these execute the statement for each.
        url: the database, such as ``sqlite:///shop.db`` or ``postgresql://user@host/shop``; one with a
            password better comes from ``cs.env("DATABASE_URL", secret=True)``.
        databases: keeps the connections.

    Raises:
        sqlalchemy.exc.DBAPIError: the database refuses it, or cannot be reached.
        ValueError: the URL is none.

    Examples:
        >>> import cascade as cs
        >>> cs.run(cs.sql("select :n + 1 as more", {"n": 1}, url="sqlite://"))
        [{'more': 2}]
    """
    given = dict(params) if isinstance(params, Mapping) else [dict(each) for each in params or ()]
    async with databases.at(url).begin() as connection:
        result = await connection.execute(text(statement), given or None)
        return [dict(row) for row in result.mappings()] if result.returns_rows else []


SqlProvider = provider_of("sql", sql)
