"""Which values are too large for a row, and how they go to files and come back.

A value is written before the commit that names it, under its hash and a part that no other file has; so
a file that no row names after a while is named by none later, and can go.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from asyncio import Lock
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast
from weakref import WeakValueDictionary

from cascade.interfaces.errors import StoreError
from cascade.interfaces.store import Checkpoint, DurableAgent, Letter, PastState, StoredSignal
from cascade.stores.large.files import Files, files_at

__all__ = ["FIRST_NAME", "LAST_NAME", "LargeValues", "absolute"]

T = TypeVar("T")
R = TypeVar("R", DurableAgent, Checkpoint, Letter)

LARGE = 256 * 1024  # bytes; what has more goes to a file
_MARK = b"\x00cascade-file:"  # no JSON begins so
FIRST_NAME, LAST_NAME = _MARK, b"\x00cascade-file;"
"""What all values that name a file lie between."""

_KEEP = 3600.0  # seconds that a file has until a commit names it

_PARTS: Mapping[type, Sequence[str]] = {
    DurableAgent: ("start", "call", "params", "result"),
    Checkpoint: ("call", "result"),
    Letter: ("payload",),
    StoredSignal: ("payload",),
    PastState: ("call",),
}


def absolute(place: str | os.PathLike[str] | None) -> str | None:
    """Return a URL as it is, and a folder with its whole path."""
    if place is None or "://" in os.fspath(place):
        return None if place is None else os.fspath(place)
    return str(Path(place).absolute())


class LargeValues:
    """The large values of one store."""

    def __init__(self, place: str | None) -> None:
        """Have them lie at a URL or in a folder; None: they stay in their rows.

        Raises:
            StoreError: the URL cannot be used.
        """
        self._place = place
        self._files: Files | None = None if place is None else files_at(place)
        self._order: WeakValueDictionary[str, Lock] = WeakValueDictionary()
        """What is under way, by agent: checkpoints are committed in the order given."""

    @property
    def is_used(self) -> bool:
        """Whether large values go to files."""
        return self._files is not None

    async def stowed(self, records: Sequence[R], order: str = "") -> Sequence[R]:
        """Return what goes to the store, once its large values lie in files.

        Raises:
            StoreError: a file cannot be written.
        """
        files = self._files
        if files is None:
            return records
        lock = self._order.setdefault(order, Lock())
        async with lock:
            if not any(_is_large(value) for each in records for value in _values(each)):
                return records
            return await _in_thread(f"write to {self._place}", lambda: _stow(files, records))

    async def whole(self, found: T) -> T:
        """Return what came from the store with the values that lie in files.

        Raises:
            StoreError: a file is not there or cannot be read, or it is not known where files lie.
        """
        records: list[Any] = found if isinstance(found, list) else [found]
        if not any(value.startswith(_MARK) for each in records for value in _values(each)):
            return found
        files = self._files
        if files is None:
            raise StoreError(
                "the store has a value in a file, and did not say where when it was opened; close it, "
                "and open it again"
            )
        read = await _in_thread(
            f"read from {self._place}",
            lambda: [_with_values(each, lambda data: _read(files, data)) for each in records],
        )
        return cast("T", read if isinstance(found, list) else read[0])

    async def sweep(self, named: Callable[[], Awaitable[set[bytes]]]) -> None:
        """Remove files that are old enough, and that nothing names.

        Args:
            named: gives all values of the store between `FIRST_NAME` and `LAST_NAME`.
        """
        files = self._files
        if files is None:
            return
        before = time.time() - _KEEP  # by the clock that files are dated with
        doing = f"remove files from {self._place}"
        old = await _in_thread(doing, lambda: [*files.written_before(before)])
        if old:
            unnamed = {*old} - {name.removeprefix(_MARK).decode() for name in await named()}
            await _in_thread(doing, lambda: _remove(files, unnamed))


def _is_large(value: bytes) -> bool:
    return len(value) > LARGE or value.startswith(_MARK)


def _values(record: object) -> Iterator[bytes]:
    """Yield all values of what goes to a store or comes from it."""
    for part in _PARTS.get(type(record), ()):
        value = getattr(record, part)
        if value is not None:
            yield value
    if isinstance(record, (DurableAgent, Checkpoint)):
        yield from record.journal.values()
    if isinstance(record, Checkpoint):
        for letter in record.letters:
            yield letter.payload


def _with_values(record: Any, change: Callable[[bytes], bytes]) -> Any:
    """Return the same with each value changed."""
    changes: dict[str, Any] = {}
    for part in _PARTS.get(type(record), ()):
        value = getattr(record, part)
        changes[part] = None if value is None else change(value)
    if isinstance(record, (DurableAgent, Checkpoint)):
        changes["journal"] = {place: change(value) for place, value in record.journal.items()}
    if isinstance(record, Checkpoint):
        changes["letters"] = [_with_values(each, change) for each in record.letters]
    return replace(record, **changes) if changes else record


def _stow(files: Files, records: Sequence[R]) -> list[R]:
    """Write the large values of records to files, equal ones once."""
    written: dict[bytes, bytes] = {}

    def stow(value: bytes) -> bytes:
        if not _is_large(value):
            return value
        if value not in written:
            name = f"{sha256(value).hexdigest()}-{secrets.token_hex(8)}"
            files.write(name, value)
            written[value] = _MARK + name.encode()
        return written[value]

    return [_with_values(each, stow) for each in records]


def _read(files: Files, value: bytes) -> bytes:
    if not value.startswith(_MARK):
        return value
    name = value.removeprefix(_MARK).decode()
    data = files.read(name)
    if sha256(data).hexdigest() != name.partition("-")[0]:
        raise StoreError(f"the file {name} of a value was changed; bring it back from a copy")
    return data


def _remove(files: Files, names: Iterable[str]) -> None:
    for each in names:
        files.remove(each)


async def _in_thread(doing: str, work: Callable[[], T]) -> T:
    """Do what blocks in a thread.

    Raises:
        StoreError: the place does not do it.
    """
    try:
        return await asyncio.to_thread(work)
    except StoreError:
        raise
    except Exception as error:  # each place behind fsspec has errors of its own
        raise StoreError(f"the store cannot {doing}: {type(error).__name__}: {error}") from error
