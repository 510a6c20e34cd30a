"""Big arguments: each goes to the cluster once, however many calls have it.

A big argument is taken out of its call, and a reference is written in its place. On a worker each call gets
a copy of its own, as it would have if it had been sent along.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import blake2b
from typing import Any
from weakref import WeakValueDictionary

from distributed.sizeof import safe_sizeof

__all__ = ["Part", "Parts", "given"]

_BIG = 1_000_000  # bytes
_SMALL = (int, float, bool, type(None))
_KEPT = 8  # parts that stay on the cluster, for calls to come

_here: ContextVar[Sequence[bytes]] = ContextVar("cascade_dask_parts", default=())


class Part:
    """An argument as bytes; one for all calls that have it."""

    __slots__ = ("__weakref__", "data")

    def __init__(self, data: bytes) -> None:
        """Keep the bytes."""
        self.data = data


class _Reference:
    """Stands for a part in the arguments of a call."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __reduce__(self) -> tuple[Callable[[int], Any], tuple[int]]:
        """Be the argument itself where it is read."""
        return _part, (self._number,)


def _part(number: int) -> Any:
    return pickle.loads(_here.get()[number])  # noqa: S301 - from the client that sent the call


@contextmanager
def given(parts: Sequence[bytes]) -> Iterator[None]:
    """Read calls with these parts, on a worker."""
    token = _here.set(parts)
    try:
        yield
    finally:
        _here.reset(token)


class Parts:
    """The parts of the calls that are under way, and the last few."""

    def __init__(self, pickled: Callable[[Any], bytes]) -> None:
        """Begin without any; an argument is written by this function."""
        self._pickled = pickled
        self._by_digest: WeakValueDictionary[bytes, Part] = WeakValueDictionary()
        self._last: deque[Part] = deque(maxlen=_KEPT)

    def take_out(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any], tuple[Part, ...]]:
        """Return arguments without what is big in them, and that beside."""
        found: list[Part] = []

        def without(value: Any) -> Any:
            if isinstance(value, _SMALL) or safe_sizeof(value) < _BIG:
                return value
            found.append(self._part_of(value))
            return _Reference(len(found) - 1)

        args = tuple([without(each) for each in args])
        kwargs = {name: without(each) for name, each in kwargs.items()}
        return args, kwargs, tuple(found)

    def _part_of(self, value: Any) -> Part:
        """Return the part of a value: one for each content, since a value may change between two calls."""
        data = self._pickled(value)
        digest = blake2b(data, digest_size=16).digest()
        part = self._by_digest.get(digest)
        if part is None:
            part = self._by_digest[digest] = Part(data)
            self._last.append(part)
        return part
