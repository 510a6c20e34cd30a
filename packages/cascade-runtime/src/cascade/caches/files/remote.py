"""Values behind a URL, through fsspec: an object store, a network file system, memory.

    <url>/entries/34cd….json               an entry
    <url>/values/ab/ab12….json             a value

There is no index and there are no locks: two machines may compute the same value at the same time, and
write the same. ``used_at`` stays the time of writing, so what was written first is evicted first.
"""

from __future__ import annotations

import secrets
from importlib import import_module
from typing import Any

import msgspec

from cascade.caches.files.eviction import to_evict
from cascade.interfaces.cache import CacheEntry
from cascade.interfaces.errors import CacheError

__all__ = ["Remote"]

_LOOK_AFTER = 0.1  # share of max_bytes that is written from one look for too much to the next


class Remote:
    """What lies behind one URL. For one thread at a time."""

    def __init__(self, url: str, max_bytes: int | None, max_age: float | None) -> None:
        """Find out who knows the URL; nothing is read yet.

        Raises:
            CacheError: fsspec is not installed, or knows no such URL.
        """
        try:
            fsspec: Any = import_module("fsspec")  # an extra
        except ImportError as error:
            raise CacheError(
                f"a cache at a URL, such as {url.partition(':')[0]}://…, needs fsspec: "
                "pip install 'cascade-py[fs]'"
            ) from error
        try:
            self._files, self._root = fsspec.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise CacheError(f"the URL of the cache cannot be used: {error}") from error
        self._max_bytes = max_bytes
        self._max_age = max_age
        self._unlooked: int | None = None
        self._is_local = "file" in self._files.protocol

    def find(self, digest: str) -> CacheEntry | None:
        """Return an entry."""
        try:
            data = self._files.cat_file(self._entry(digest))
        except FileNotFoundError:
            return None
        try:
            return msgspec.json.decode(data, type=CacheEntry)
        except msgspec.DecodeError:
            self._files.rm_file(self._entry(digest))
            return None

    def read(self, entry: CacheEntry, now: float) -> bytes:
        """Return what is written of a value.

        Raises:
            OSError: it cannot be read.
        """
        del now
        return bytes(self._files.cat_file(self._value(entry)))

    def keep(self, entry: CacheEntry, data: bytes | memoryview) -> None:
        """Write a value, then its entry, and evict what is too much."""
        before = self.find(entry.digest)
        self._write(self._value(entry), bytes(data))
        self._write(self._entry(entry.digest), msgspec.json.encode(entry))
        if before is not None and before.content != entry.content:
            self._remove_values([before])
        if self._max_bytes is None and self._max_age is None:
            return
        self._unlooked = None if self._unlooked is None else self._unlooked + entry.size
        if self._unlooked is None or self._unlooked >= (self._max_bytes or 0) * _LOOK_AFTER:
            self._unlooked = 0
            self._evict(entry.created_at)

    def drop(self, entry: CacheEntry) -> bool:
        """Remove an entry as it was found; return whether it was still there."""
        if self.find(entry.digest) != entry:
            return False
        self._remove([entry])
        return True

    def entries(self, task: str | None) -> list[CacheEntry]:
        """Return the entries of a task or all, the newest first."""
        names = self._files.glob(f"{self._root}/entries/*.json")
        contents: dict[str, Any] = self._files.cat(names, on_error="omit") if names else {}
        found = [
            msgspec.json.decode(data, type=CacheEntry)
            for data in contents.values()
            if data.startswith(b"{") and data.endswith(b"}")
        ]
        chosen = [entry for entry in found if task in {None, entry.task}]
        return sorted(chosen, key=lambda entry: (-entry.created_at, entry.digest))

    def clear(self, task: str | None) -> int:
        """Remove the entries of a task or all, and return how many there were."""
        found = self.entries(task)
        self._remove(found)
        return len(found)

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def _entry(self, digest: str) -> str:
        return f"{self._root}/entries/{digest}.json"

    def _value(self, entry: CacheEntry) -> str:
        return f"{self._root}/values/{entry.content[:2]}/{entry.content}.{entry.form}"

    def _write(self, path: str, data: bytes) -> None:
        """Write a file whole: object stores do so themselves, local disks by moving it."""
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        if not self._is_local:
            self._files.pipe_file(path, data)
            return
        folder, _, name = path.rpartition("/")
        written = f"{folder}/.{secrets.token_hex(8)}-{name}.part"
        self._files.pipe_file(written, data)
        self._files.mv(written, path)

    def _evict(self, now: float) -> None:
        found = self.entries(None)[::-1]
        total = sum(entry.size for entry in found)
        most, age = self._max_bytes, self._max_age
        self._remove([*to_evict(found, total, now, max_bytes=most, max_age=age)])

    def _remove(self, removed: list[CacheEntry]) -> None:
        for entry in removed:
            self._files.rm_file(self._entry(entry.digest))
        self._remove_values(removed)

    def _remove_values(self, removed: list[CacheEntry]) -> None:
        """Remove the values of entries that are gone, but for those that others share."""
        shared = {entry.content for entry in self.entries(None)} if removed else set()
        for path in {self._value(entry) for entry in removed if entry.content not in shared}:
            if self._files.exists(path):
                self._files.rm_file(path)
