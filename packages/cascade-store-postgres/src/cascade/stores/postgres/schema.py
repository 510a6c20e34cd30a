"""The tables, and the way from older versions of them to this one."""

from __future__ import annotations

from typing import LiteralString

from psycopg import AsyncConnection, sql

from cascade.interfaces.errors import StoreError

__all__ = ["MIGRATIONS", "migrate", "note_files"]

_LOCK = 0x43736364  # "Cscd": one store at a time looks after the tables

MIGRATIONS: tuple[tuple[LiteralString, ...], ...] = (
    (
        """
        CREATE TABLE agents (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name text COLLATE "C" NOT NULL UNIQUE,
            status text NOT NULL,
            epoch bigint NOT NULL,
            step bigint NOT NULL,
            attempts bigint NOT NULL,
            owner text,
            free_since float8, -- while it is ready and awake, and nobody holds it
            ended_at float8, -- while its status is one of those that end
            wake_at float8, -- while it sleeps, if there is an hour
            created_at float8 NOT NULL,
            changed_at float8 NOT NULL,
            label text NOT NULL,
            filters text[] NOT NULL,
            error text,
            start bytea NOT NULL,
            params bytea NOT NULL,
            call bytea NOT NULL,
            result bytea
        ) WITH (fillfactor = 50)
        """,
        """
        CREATE INDEX agents_by_owner ON agents (owner, free_since, id) INCLUDE (label)
        WHERE status = 'ready'
        """,
        "CREATE INDEX agents_due ON agents (wake_at) WHERE wake_at IS NOT NULL",
        "CREATE INDEX agents_ended ON agents (ended_at) WHERE ended_at IS NOT NULL",
        # The leases of an owner end together.
        "CREATE TABLE owners (name text PRIMARY KEY, until float8 NOT NULL)",
        # Of the agent's present step; what is older goes when something is added.
        """
        CREATE TABLE journal (
            agent bigint NOT NULL, step bigint NOT NULL, place text NOT NULL, value bytea NOT NULL,
            PRIMARY KEY (agent, step, place)
        )
        """,
        """
        CREATE TABLE signals (
            agent bigint NOT NULL, number bigint NOT NULL, topic text NOT NULL, payload bytea NOT NULL,
            id text, PRIMARY KEY (agent, number)
        )
        """,
        "CREATE UNIQUE INDEX signals_by_id ON signals (agent, id) WHERE id IS NOT NULL",
        # Of agents that have not ended. Few filters have wildcards; each store knows those by heart.
        """
        CREATE TABLE filters (
            filter text COLLATE "C" NOT NULL, agent bigint NOT NULL, wild boolean NOT NULL,
            PRIMARY KEY (filter, agent)
        )
        """,
        "CREATE INDEX wild_filters ON filters (filter) WHERE wild",
        """
        CREATE TABLE dead_letters (
            number bigint PRIMARY KEY, name text NOT NULL, at float8 NOT NULL, topic text NOT NULL,
            payload bytea NOT NULL, id text
        )
        """,
        "CREATE INDEX dead_letters_by_name ON dead_letters (name, number)",
        "CREATE UNIQUE INDEX dead_letters_by_id ON dead_letters (name, id) WHERE id IS NOT NULL",
        "CREATE INDEX dead_letters_by_age ON dead_letters (at)",
        # One row: the number of the last signal, how often a wildcard filter was new, and whether any
        # agent has ever slept, so that letters have to wake. Who writes into mailboxes locks it, so that
        # numbers rise in the order of the commits.
        """
        CREATE TABLE counters (
            number bigint NOT NULL, wild_version bigint NOT NULL, slept boolean NOT NULL
        )
        """,
        "INSERT INTO counters VALUES (0, 0, false)",
        # The last group that each store has committed, for those who lose the connection meanwhile.
        """
        CREATE TABLE writers (
            id text PRIMARY KEY, committed bigint NOT NULL, seen timestamptz NOT NULL DEFAULT now()
        )
        """,
    ),
    (
        # Earlier states, of agents whose owner asks for them.
        """
        CREATE TABLE history (
            agent bigint NOT NULL, step bigint NOT NULL, ended_at float8 NOT NULL, call bytea NOT NULL,
            PRIMARY KEY (agent, step)
        )
        """,
    ),
    (
        # One row: where the files lie that values name which are too large for a row.
        "CREATE TABLE files (place text)",
        "INSERT INTO files VALUES (NULL)",
    ),
)
"""What makes each version of the tables of the one before; the first one of an empty schema."""


async def migrate(connection: AsyncConnection, schema: str) -> None:
    """Make the schema, or bring its tables to this version.

    Raises:
        StoreError: a newer version of Cascade has made them.
    """
    name = sql.Identifier(schema)
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        await connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(name))
        await connection.execute("CREATE TABLE IF NOT EXISTS versions (version integer NOT NULL)")
        cursor = await connection.execute("SELECT coalesce(max(version), 0) FROM versions")
        row = await cursor.fetchone()
        version = int(row[0]) if row else 0
        if version > len(MIGRATIONS):
            raise StoreError(
                f"the schema {schema!r} was written by a newer version of Cascade (its tables have "
                f"version {version}, this one knows {len(MIGRATIONS)}); install that version, or take "
                "another schema"
            )
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                await connection.execute(statement)
        if version < len(MIGRATIONS):
            await connection.execute("DELETE FROM versions")
            await connection.execute("INSERT INTO versions VALUES (%s)", (len(MIGRATIONS),))


async def note_files(connection: AsyncConnection, place: str | None) -> str | None:
    """Have large values lie at a place from now on; return where they lie, also where None is given."""
    statement = "UPDATE files SET place = coalesce(%s, place) RETURNING place"
    found = await (await connection.execute(statement, (place,))).fetchone()
    return None if found is None else found[0]
