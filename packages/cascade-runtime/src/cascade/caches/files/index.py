"""What a folder's entries are, in an SQLite file. Processes share it; each change is a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from cascade.interfaces.cache import CacheEntry
from cascade.stores.write_ahead import use_write_ahead_log

__all__ = ["Index"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    digest TEXT PRIMARY KEY, task TEXT NOT NULL, parts BLOB NOT NULL, form TEXT NOT NULL,
    content TEXT NOT NULL, size INTEGER NOT NULL, created_at REAL NOT NULL, used_at REAL NOT NULL,
    good_until REAL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entries_by_use ON entries (used_at);
CREATE INDEX IF NOT EXISTS entries_by_content ON entries (content);
CREATE INDEX IF NOT EXISTS entries_by_task ON entries (task, created_at);
"""
_VERSION = 1
_PATIENCE = 30.0  # seconds to wait for another process's transaction
_COLUMNS = "digest, task, parts, form, content, size, created_at, used_at, good_until"


class _Parts(msgspec.Struct):
    """What is only shown, and never searched."""

    version: str | None
    code: dict[str, str]
    arguments: dict[str, str]
    resources: dict[str, str]
    outputs: dict[str, str]


_read_parts = msgspec.json.Decoder(_Parts).decode


class Index:
    """The entries of a folder. For one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open the file, or begin it.

        Raises:
            sqlite3.Error: it cannot be opened, or is of a later version.
        """
        self._connection = sqlite3.connect(
            path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            use_write_ahead_log(self._connection, _PATIENCE)
            self._connection.execute("PRAGMA synchronous = NORMAL")
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            _check(version)
            self._connection.executescript(_SCHEMA)
            self._connection.execute(f"PRAGMA user_version = {_VERSION}")
        except BaseException:
            self._connection.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all of it or nothing, one process at a time."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def find(self, digest: str) -> CacheEntry | None:
        """Return an entry."""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM entries WHERE digest = ?",  # noqa: S608 - no text of others
            (digest,),
        )
        return next(map(_entry, rows), None)

    def all(self, task: str | None) -> list[CacheEntry]:
        """Return the entries of a task or all, the newest first."""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM entries WHERE ? IS NULL OR task = ? "  # noqa: S608 - the same
            "ORDER BY created_at DESC, digest",
            (task, task),
        )
        return [_entry(row) for row in rows]

    def put(self, entry: CacheEntry) -> None:
        """Write an entry, instead of the one of its digest."""
        parts = _Parts(entry.version, entry.code, entry.arguments, entry.resources, entry.outputs)
        self._connection.execute(
            "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(entry.digest, entry.task, msgspec.json.encode(parts), entry.form),
                *(entry.content, entry.size, entry.created_at, entry.used_at, entry.good_until),
            ),
        )

    def note_used(self, times: dict[str, float]) -> None:
        """Note when entries were used last."""
        self._connection.executemany(
            "UPDATE entries SET used_at = max(used_at, ?) WHERE digest = ?",
            [(time, digest) for digest, time in times.items()],
        )

    def drop(self, digest: str) -> None:
        """Remove an entry."""
        self._connection.execute("DELETE FROM entries WHERE digest = ?", (digest,))

    def has_content(self, content: str) -> bool:
        """Return whether any entry has this content."""
        query = "SELECT 1 FROM entries WHERE content = ? LIMIT 1"
        return self._connection.execute(query, (content,)).fetchone() is not None

    def bytes(self) -> int:
        """Return what all entries take."""
        (total,) = self._connection.execute("SELECT sum(size) FROM entries").fetchone()
        return int(total or 0)

    def unused(self, count: int) -> list[CacheEntry]:
        """Return so many entries, what was not used for longest first."""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM entries ORDER BY used_at, digest LIMIT ?",  # noqa: S608 - the same
            (count,),
        )
        return [_entry(row) for row in rows]

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def _check(version: int) -> None:
    if version not in {0, _VERSION}:
        raise sqlite3.OperationalError(f"it is of a later version, {version}")


def _entry(row: tuple[str, str, bytes, str, str, int, float, float, float | None]) -> CacheEntry:
    digest, task, data, form, content, size, created_at, used_at, good_until = row
    parts = _read_parts(data)
    return CacheEntry(
        *(digest, task, parts.version, parts.code, parts.arguments, parts.resources, parts.outputs),
        *(created_at, used_at, good_until, size, form, content),
    )
