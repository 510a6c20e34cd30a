"""A folder of values on a local disk: files named by content, and an index of entries.

    folder/index.db                        the entries, and the files that SQLite has beside it
    folder/values/ab/ab12….json            a value; entries of equal values share it
    folder/locks/34cd….lock                there while a process computes a value

A file is written beside its place and moved there, inside the transaction that writes its entry; so no
reader sees half of one, and no writer loses the file of an entry to another one's eviction.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cascade.caches.files.eviction import to_evict
from cascade.caches.files.index import Index
from cascade.caches.files.locks import FileLock
from cascade.common.messaging import bus
from cascade.interfaces.cache import CacheEntry

__all__ = ["Folder", "lock_in"]

_AT_ONCE = 100  # entries that eviction reads at a time


def lock_in(folder: Path, digest: str) -> FileLock:
    """Return the lock of a value in a folder, which is made if it is not there.

    Raises:
        OSError: it cannot be made.
    """
    locks = folder / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    return FileLock(locks / f"{digest}.lock")


class Folder:
    """An open folder. For one thread at a time; other processes may have it open, too."""

    def __init__(self, path: Path, max_bytes: int | None, max_age: float | None) -> None:
        """Open the folder, or begin it.

        Raises:
            OSError: it cannot be made.
            sqlite3.Error: the index cannot be opened.
        """
        self._values = path / "values"
        self._max_bytes = max_bytes
        self._max_age = max_age
        self._used: dict[str, float] = {}
        self._values.mkdir(parents=True, exist_ok=True)
        self._index = _index_in(path)

    def find(self, digest: str) -> CacheEntry | None:
        """Return an entry."""
        return self._index.find(digest)

    def read(self, entry: CacheEntry, now: float) -> bytes:
        """Return what is written of a value, which counts as used.

        Raises:
            OSError: it cannot be read.
        """
        data = self._file(entry).read_bytes()
        self._used[entry.digest] = now
        return data

    def keep(self, entry: CacheEntry, data: bytes | memoryview) -> None:
        """Write a value and its entry, and evict what is too much."""
        place = self._file(entry)
        place.parent.mkdir(exist_ok=True)
        written = place.with_name(f".{secrets.token_hex(8)}")
        written.write_bytes(data)
        try:
            with self._index.transaction():
                before = self._index.find(entry.digest)
                os.replace(written, place)  # noqa: PTH105 - of two paths
                self._index.put(entry)
                if before is not None:
                    self._remove_unless_shared(before)
                self._note_used()
                self._evict(entry.created_at)
        finally:
            written.unlink(missing_ok=True)

    def drop(self, entry: CacheEntry) -> bool:
        """Remove an entry as it was found; return whether it was still there."""
        with self._index.transaction():
            if self._index.find(entry.digest) != entry:
                return False
            self._remove(entry)
            return True

    def entries(self, task: str | None) -> list[CacheEntry]:
        """Return the entries of a task or all, the newest first."""
        with self._index.transaction():
            self._note_used()
        return self._index.all(task)

    def clear(self, task: str | None) -> int:
        """Remove the entries of a task or all, and return how many there were."""
        with self._index.transaction():
            found = self._index.all(task)
            for entry in found:
                self._remove(entry)
        return len(found)

    def close(self) -> None:
        """Let go of the index."""
        try:
            with suppress(sqlite3.Error), self._index.transaction():  # it is but a note of use
                self._note_used()
        finally:
            self._index.close()

    def _file(self, entry: CacheEntry) -> Path:
        return self._values / entry.content[:2] / f"{entry.content}.{entry.form}"

    def _note_used(self) -> None:
        used, self._used = self._used, {}
        self._index.note_used(used)

    def _evict(self, now: float) -> None:
        """Remove what was not used for too long, and then what was not used for longest."""
        total = self._index.bytes() if self._max_bytes is not None else 0
        unused, most, age = self._unused(), self._max_bytes, self._max_age
        for entry in to_evict(unused, total, now, max_bytes=most, max_age=age):
            self._remove(entry)

    def _unused(self) -> Iterator[CacheEntry]:
        if self._max_bytes is None and self._max_age is None:
            return
        while entries := self._index.unused(_AT_ONCE):
            yield from entries

    def _remove(self, entry: CacheEntry) -> None:
        self._index.drop(entry.digest)
        self._remove_unless_shared(entry)

    def _remove_unless_shared(self, entry: CacheEntry) -> None:
        if not self._index.has_content(entry.content):
            self._file(entry).unlink(missing_ok=True)


def _index_in(path: Path) -> Index:
    """Open the index of a folder; where the file is none (any more), begin with an empty one."""
    place = path / "index.db"
    try:
        return Index(place)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        bus.warning("cache.index_lost", folder=path, error=error)
        for name in ("index.db", "index.db-wal", "index.db-shm"):
            (path / name).unlink(missing_ok=True)
        return Index(place)
