"""`FileCache`: values that outlive the process, in a folder or behind a URL."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypeVar

from cascade.caches.files.folder import Folder, lock_in
from cascade.caches.files.forms import read_form, write_form
from cascade.caches.files.remote import Remote
from cascade.common.messaging import bus
from cascade.common.messaging.secrets import holds_secret
from cascade.interfaces.cache import CachedValue, CacheEntry, CacheKey
from cascade.interfaces.errors import CacheError, DecodeError, EncodeError
from cascade.runtime.concurrency.clock import unix_time

__all__ = ["FileCache"]

T = TypeVar("T")

_NOTHING: Mapping[str, str] = MappingProxyType({})
_FIRST_WAIT = 0.005  # seconds from one look for a lock to the next, which grow
_LONGEST_WAIT = 0.25


class _Place(Protocol):
    """Where values lie: a `Folder`, or what is `Remote`."""

    def find(self, digest: str) -> CacheEntry | None: ...
    def read(self, entry: CacheEntry, now: float) -> bytes: ...
    def keep(self, entry: CacheEntry, data: bytes | memoryview) -> None: ...
    def drop(self, entry: CacheEntry) -> bool: ...
    def entries(self, task: str | None) -> list[CacheEntry]: ...
    def clear(self, task: str | None) -> int: ...
    def close(self) -> None: ...


class _More(NamedTuple):
    """What is said of a value that is written."""

    now: float
    good_until: float | None
    outputs: Mapping[str, str]


class _Unreadable(Exception):  # noqa: N818 - never leaves this module
    """An entry whose value cannot be read; the text says why."""


class _Worker:
    """A thread for what blocks, and the place that it has opened."""

    def __init__(self, make: Callable[[], _Place]) -> None:
        self._make = make
        self._place: _Place | None = None
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="cascade-cache")

    def place(self) -> _Place:
        """Return the place, open; called in the thread."""
        if self._place is None:
            self._place = self._make()
        return self._place

    def close(self) -> None:
        """Let go of the place; called in the thread."""
        if self._place is not None:
            self._place.close()


class FileCache:
    """Remembers values in files that are named by their content.

    A value is written as JSON where its task's annotation gives it back equal, as ``npy`` or ``parquet``
    where it is an array or a table, and as a pickle only where that is asked for. Processes may share a
    folder: one of them at a time computes a value.

    Examples:
        >>> import cascade as cs
        >>> from tempfile import TemporaryDirectory
        >>> @cs.task
        ... def load(year: int) -> list[int]:
        ...     return [year]
        >>> with TemporaryDirectory() as folder:
        ...     cs.run(load(2024), cache=FileCache(folder, max_bytes=10_000_000))
        [2024]
    """

    is_lasting = True

    def __init__(
        self,
        place: str | os.PathLike[str],
        *,
        max_bytes: int | None = None,
        max_age: float | None = None,
        pickle: bool = False,
    ) -> None:
        """Take the place; nothing is opened yet.

        Args:
            place: a folder on a local disk, which is made if it is not there; or a URL that fsspec knows,
                such as ``s3://bucket/cache`` (with the extra ``fs``).
            max_bytes: what the values take at most; what was not used for longest is forgotten.
            max_age: seconds that a value may lie unused; looked at when another one is written.
            pickle: write what has no other form as a pickle, and read such. Only read what you trust:
                a pickle runs code.

        Raises:
            ValueError: a bound is not above 0.
        """
        if (max_bytes is not None and max_bytes < 1) or (max_age is not None and max_age <= 0):
            raise ValueError(f"max_bytes and max_age are above 0, not {max_bytes} and {max_age}")
        self._where = os.fspath(place)
        self._folder = None if "://" in self._where else Path(self._where).absolute()
        self._bounds = max_bytes, max_age
        self._may_pickle = pickle
        self._worker: _Worker | None = None
        self._opening = threading.Lock()  # engines on several loops may share it

    def __repr__(self) -> str:
        """Show where it is."""
        return f"FileCache({self._where!r})"

    async def get(self, key: CacheKey) -> CachedValue | None:
        """Return the value that is remembered and still good, or None; see `Cache.get`."""
        if self._is_not_begun():
            return None
        try:
            return await self._do(self._read, key, unix_time())
        except _Unreadable as error:
            bus.warning("cache.unreadable", task=key.task, cache=self._where, reason=error)
            return None

    async def put(
        self,
        key: CacheKey,
        value: Any,
        *,
        good_until: float | None = None,
        outputs: Mapping[str, str] = _NOTHING,
    ) -> None:
        """Remember a value; see `Cache.put`."""
        await self._do(self._write, key, value, _More(unix_time(), good_until, outputs))

    @asynccontextmanager
    async def lock(self, key: CacheKey) -> AsyncIterator[None]:
        """Keep other processes from computing this value, where they share a folder."""
        if self._folder is None:
            yield
            return
        wait = _FIRST_WAIT
        try:
            lock = lock_in(self._folder, key.digest)
            while not lock.try_to_acquire():
                await asyncio.sleep(wait)
                wait = min(1.5 * wait, _LONGEST_WAIT)
        except OSError as error:
            raise self._failed(error) from error
        try:
            yield
        finally:
            lock.release()

    async def entries(self, task: str | None = None) -> Sequence[CacheEntry]:
        """Return what there is, of a task or of all: the newest first."""
        return await self._do(lambda place: place.entries(task))

    async def clear(self, task: str | None = None) -> int:
        """Forget what there is, of a task or of all."""
        return await self._do(lambda place: place.clear(task))

    async def aclose(self) -> None:
        """Let go of files and thread; the next use opens them again."""
        with self._opening:
            worker, self._worker = self._worker, None
        if worker is not None:
            await asyncio.get_running_loop().run_in_executor(worker.thread, worker.close)
            worker.thread.shutdown(wait=False)

    # --- in the thread ----------------------------------------------------------------------------

    async def _do(self, work: Callable[..., T], *args: Any) -> T:
        """Do something in the thread, with the place, which is opened first if it is not.

        Raises:
            CacheError: the place cannot be opened, read or written.
        """
        with self._opening:
            worker = self._worker = self._worker or _Worker(self._make)
            done = asyncio.get_running_loop().run_in_executor(
                worker.thread, lambda: work(worker.place(), *args)
            )
        try:
            return await done
        except (OSError, sqlite3.Error) as error:
            raise self._failed(error) from error

    def _is_not_begun(self) -> bool:
        """Return whether there is no folder yet: a look makes none."""
        folder = self._folder
        return self._worker is None and folder is not None and not folder.exists()

    def _make(self) -> _Place:
        if self._folder is None:
            return Remote(self._where, *self._bounds)
        return Folder(self._folder, *self._bounds)

    def _failed(self, error: Exception) -> CacheError:
        return CacheError(f"the cache at {self._where} cannot be used: {error}")

    def _read(self, place: _Place, key: CacheKey, now: float) -> CachedValue | None:
        entry = place.find(key.digest)
        if entry is None or (entry.good_until is not None and entry.good_until <= now):
            return None
        if entry.form == "pickle" and not self._may_pickle:
            raise _Unreadable("it is a pickle, which FileCache(…, pickle=True) alone reads")
        try:
            value = read_form(entry.form, _checked(entry, place.read(entry, now)), key.kind)
        except (FileNotFoundError, DecodeError) as error:
            if not place.drop(entry):  # somebody has forgotten or renewed it meanwhile
                return None
            raise _Unreadable(str(error)) from error
        return CachedValue(value, entry.outputs)

    def _write(self, place: _Place, key: CacheKey, value: Any, more: _More) -> None:
        form, data = write_form(value, key.kind, may_pickle=self._may_pickle)
        if holds_secret(data):
            raise EncodeError("the value", "it holds a secret, which is not for files")
        entry = CacheEntry.of(
            key,
            more.now,
            more.good_until,
            more.outputs,
            size=len(data),
            form=form,
            content=sha256(data).hexdigest(),
        )
        max_bytes, _ = self._bounds
        if max_bytes is None or entry.size <= max_bytes:
            place.keep(entry, data)
        elif (before := place.find(key.digest)) is not None:
            place.drop(before)


def _checked(entry: CacheEntry, data: bytes) -> bytes:
    if sha256(data).hexdigest() != entry.content:
        raise DecodeError("the value", "its file was changed")
    return data
