"""The seam for remembered values: what a cache does, what a value is known by, what is said of an entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, runtime_checkable

__all__ = ["Cache", "CacheEntry", "CacheKey", "CachedValue"]

_NOTHING: Mapping[str, str] = MappingProxyType({})


class CacheKey(NamedTuple):
    """What a value is known by, and of what that is made."""

    digest: str
    """Stands for all that follows: equal digests, equal keys. Hexadecimal."""

    task: str
    """The id of the task."""

    version: str | None = None
    code: Mapping[str, str] = _NOTHING
    """Digests of the functions and constants that the task consists of, by name."""

    arguments: Mapping[str, str] = _NOTHING
    resources: Mapping[str, str] = _NOTHING
    is_lasting: bool = True
    """Whether another process finds the same task by it."""

    kind: Any = Any
    """The annotation of what the task returns, by which its value is written and read."""


class CachedValue(NamedTuple):
    """A value that is remembered."""

    value: Any
    outputs: Mapping[str, str] = _NOTHING
    """Digests of the files that the task wrote, by path."""


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """What a cache says of one entry; times are Unix time."""

    digest: str
    task: str
    version: str | None
    code: dict[str, str]
    arguments: dict[str, str]
    resources: dict[str, str]
    outputs: dict[str, str]
    created_at: float
    used_at: float
    good_until: float | None
    size: int
    """In bytes."""

    form: str = ""
    """How the value is written; empty where it is kept as it is."""

    content: str = ""
    """The digest of what is written."""

    @classmethod
    def of(
        cls,
        key: CacheKey,
        now: float,
        good_until: float | None,
        outputs: Mapping[str, str],
        *,
        size: int,
        form: str = "",
        content: str = "",
    ) -> CacheEntry:
        """Return the entry of a value that is remembered now."""
        return cls(
            key.digest,
            key.task,
            key.version,
            dict(key.code),
            dict(key.arguments),
            dict(key.resources),
            dict(outputs),
            created_at=now,
            used_at=now,
            good_until=good_until,
            size=size,
            form=form,
            content=content,
        )


@runtime_checkable
class Cache(Protocol):
    """Remembers values by content. Used on an event loop; several engines may share one.

    A cache opens what it needs with its first use, and again with the first one after `aclose`. What it
    cannot read is a miss, of which it tells through the message bus.
    """

    @property
    def is_lasting(self) -> bool:
        """Whether values outlive the process, so that only tasks that are found again have any."""

    async def get(self, key: CacheKey) -> CachedValue | None:
        """Return the value that is remembered and still good, or None. It counts as used.

        Raises:
            CacheError: the cache cannot be reached.
        """

    async def put(
        self,
        key: CacheKey,
        value: Any,
        *,
        good_until: float | None = None,
        outputs: Mapping[str, str] = _NOTHING,
    ) -> None:
        """Remember a value, instead of the one there was, until an instant in Unix time.

        What is too much is forgotten: first what was not used for longest. A value that is too much by
        itself is not remembered.

        Raises:
            EncodeError: the value has no form that would come back equal; nothing is remembered.
            CacheError: the cache cannot be reached.
        """

    def lock(self, key: CacheKey) -> AbstractAsyncContextManager[None]:
        """Keep others who share the values from computing this one at the same time.

        Within one engine nobody asks twice at once. Where nobody else shares the values, or they cannot be
        kept apart, it does nothing.
        """

    async def entries(self, task: str | None = None) -> Sequence[CacheEntry]:
        """Return what there is, of a task by its id or of all: the newest first."""

    async def clear(self, task: str | None = None) -> int:
        """Forget what there is, of a task or of all, and return how many entries that were."""

    async def aclose(self) -> None:
        """Let go of what is open."""
