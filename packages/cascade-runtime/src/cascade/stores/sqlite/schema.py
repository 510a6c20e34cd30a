"""Connections to a file, the tables in it, and the way from older versions of them to this one."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Literal, TypeAlias

from cascade.interfaces.errors import StoreError
from cascade.stores.write_ahead import use_write_ahead_log

__all__ = [
    "MIGRATIONS",
    "Synchronous",
    "connect_to_read",
    "connect_to_write",
    "explained",
]

Synchronous: TypeAlias = Literal["NORMAL", "FULL"]
"""``FULL`` waits at each commit until the disk has it; ``NORMAL`` may lose the last commits when the
machine, not the process, stops at once, and never tears them."""

_APPLICATION = 0x43736364  # "Cscd", so that no other program's file is taken for ours

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE agents (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            status TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            step INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            owner TEXT,
            free_since REAL, -- while it is ready and awake, and nobody holds it
            ended_at REAL, -- while its status is one of those that end
            wake_at REAL, -- while it sleeps, if there is an hour
            created_at REAL NOT NULL,
            changed_at REAL NOT NULL,
            label TEXT NOT NULL,
            filters TEXT NOT NULL,
            error TEXT,
            call BLOB, -- NULL while it is the start
            result BLOB
        )
        """,
        # What never changes, apart from what is written anew with each step.
        """
        CREATE TABLE starts (agent INTEGER PRIMARY KEY, start BLOB NOT NULL, params BLOB NOT NULL)
        """,
        """
        CREATE INDEX agents_by_owner ON agents (owner, free_since, id, label)
        WHERE status = 'ready'
        """,
        "CREATE INDEX agents_due ON agents (wake_at) WHERE wake_at IS NOT NULL",
        "CREATE INDEX agents_ended ON agents (ended_at) WHERE ended_at IS NOT NULL",
        # The leases of an owner end together.
        "CREATE TABLE owners (name TEXT PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID",
        # Of the agent's present step; what is older goes when something is added.
        """
        CREATE TABLE journal (
            agent INTEGER NOT NULL, step INTEGER NOT NULL, place TEXT NOT NULL, value BLOB NOT NULL,
            PRIMARY KEY (agent, step, place)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE signals (
            agent INTEGER NOT NULL, number INTEGER NOT NULL, topic TEXT NOT NULL,
            payload BLOB NOT NULL, id TEXT,
            PRIMARY KEY (agent, number)
        ) WITHOUT ROWID
        """,
        "CREATE UNIQUE INDEX signals_by_id ON signals (agent, id) WHERE id IS NOT NULL",
        # Of agents that have not ended. Few filters have wildcards; each store knows those by heart.
        """
        CREATE TABLE filters (
            filter TEXT NOT NULL, agent INTEGER NOT NULL, wild INTEGER NOT NULL,
            PRIMARY KEY (filter, agent)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX wild_filters ON filters (filter) WHERE wild",
        """
        CREATE TABLE dead_letters (
            number INTEGER PRIMARY KEY, name TEXT NOT NULL, at REAL NOT NULL, topic TEXT NOT NULL,
            payload BLOB NOT NULL, id TEXT
        )
        """,
        "CREATE INDEX dead_letters_by_name ON dead_letters (name, number)",
        "CREATE UNIQUE INDEX dead_letters_by_id ON dead_letters (name, id) WHERE id IS NOT NULL",
        "CREATE INDEX dead_letters_by_age ON dead_letters (at)",
        # One row: the number of the last signal, how often a wildcard filter was new, and whether any
        # agent has ever slept, so that letters have to wake.
        """
        CREATE TABLE counters (
            number INTEGER NOT NULL, wild_version INTEGER NOT NULL, slept INTEGER NOT NULL
        )
        """,
        "INSERT INTO counters VALUES (0, 0, 0)",
    ),
    (
        # Earlier states, of agents whose owner asks for them; the call is NULL where it was the start.
        """
        CREATE TABLE history (
            agent INTEGER NOT NULL, step INTEGER NOT NULL, ended_at REAL NOT NULL, call BLOB,
            PRIMARY KEY (agent, step)
        ) WITHOUT ROWID
        """,
    ),
    (
        # One row: where the files lie that values name which are too large for a row.
        "CREATE TABLE files (place TEXT)",
        "INSERT INTO files VALUES (NULL)",
    ),
)
"""What makes each version of the tables of the one before; the first one of an empty file."""


def connect_to_write(
    path: Path, synchronous: Synchronous, busy_timeout: float
) -> sqlite3.Connection:
    """Open a file to read and write, and bring its tables to this version.

    Raises:
        StoreError: it is no store, or a newer one.
        sqlite3.Error: it cannot be opened.
    """
    connection = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None)
    try:
        if _version_of(connection, path) == 0:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # heeded by an empty file alone
        use_write_ahead_log(connection, busy_timeout)
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("BEGIN IMMEDIATE")
        _migrate(connection, path)
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_to_read(path: Path, busy_timeout: float) -> sqlite3.Connection:
    """Open a file that is a store, to read it."""
    connection = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _version_of(connection: sqlite3.Connection, path: Path) -> int:
    """Return the version of the tables, 0 for none; write nothing into a file that is not ours."""
    version: int
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and application != _APPLICATION:
        raise StoreError(
            f"{path} is a database of another program; give the store a file of its own"
        )
    if version > len(MIGRATIONS):
        raise StoreError(
            f"{path} was written by a newer version of Cascade (its tables have version {version}, this "
            f"one knows {len(MIGRATIONS)}); install that version, or take another file"
        )
    return version


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = _version_of(connection, path)  # another process may have been faster
    for statements in MIGRATIONS[version:]:
        for statement in statements:
            connection.execute(statement)
    if version < len(MIGRATIONS):
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


_SENTENCES = {
    sqlite3.SQLITE_BUSY: "others held it locked for too long; see which do, or raise busy_timeout",
    sqlite3.SQLITE_FULL: "the disk is full; make room and try again",
    sqlite3.SQLITE_READONLY: "it may not be written; change its permissions and those of its folder",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; the folder has to be there, and may be written",
    sqlite3.SQLITE_NOTADB: "it is no SQLite file; give the store a file of its own",
    sqlite3.SQLITE_CORRUPT: "it is damaged; 'sqlite3 FILE .recover' saves what can be saved",
    sqlite3.SQLITE_IOERR: "the disk does not read or write it; nothing of this was stored",
}


def explained(error: sqlite3.Error, path: Path) -> StoreError:
    """Return what SQLite says as an error that says what to do."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the kind
    sentence = _SENTENCES.get(code)
    return StoreError(f"{path}: {sentence} ({error})" if sentence else f"{path}: {error}")
