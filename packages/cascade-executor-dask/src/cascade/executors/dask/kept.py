"""Values that stay on their workers: here is a reference, which other remote calls are given in their place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from distributed import Client, Future

from cascade.executors.pool.transfer import unpack_outcome
from cascade.interfaces.errors import ExecutorError

__all__ = ["Kept", "collecting", "fetch", "with_kept"]

_collected: ContextVar[list[Kept] | None] = ContextVar("cascade_dask_collected", default=None)
_there: ContextVar[Sequence[bytes]] = ContextVar("cascade_dask_kept", default=())


class Kept:
    """A value on a worker, until nobody here has it any more.

    As an argument of a remote task, also inside of lists and the like, it is the value itself.

    Examples:
        >>> import cascade as cs
        >>> @cs.task(mode="remote")
        ... def table() -> list[int]:
        ...     return list(range(1_000_000))
        >>> stays = table.with_placement(keep=True)  # its value is one of these, on a cluster
    """

    def __init__(self, name: str, future: Future[Any], client: Client) -> None:
        """Refer to a task of the cluster, by the client that has it, on whose event loop this is made."""
        self._name = name
        self._loop = asyncio.get_running_loop()
        self.future = future
        self.client = client

    async def fetch(self) -> Any:
        """Return the value.

        Raises:
            ExecutorError: the cluster does not have it any more.
        """
        gone = ExecutorError(
            f"the value of {self._name!r} that was kept on the cluster is not there any more"
        )
        if self._loop.is_closed():
            raise gone
        fetching = asyncio.run_coroutine_threadsafe(self._fetched(), self._loop)
        try:
            packed: bytes = await asyncio.wrap_future(fetching)
        except asyncio.CancelledError as error:
            asking = asyncio.current_task()
            if asking is None or asking.cancelling():
                raise
            raise gone from error  # the connection was closed meanwhile
        except Exception as error:
            raise gone from error
        return unpack_outcome(packed, self._name)

    async def _fetched(self) -> bytes:
        (outcomes,) = await self.client.gather([self.future])
        packed: bytes = outcomes.packed[0]
        return packed

    def __reduce__(self) -> tuple[Callable[[int], Any], tuple[int]]:
        """Be the value itself where a remote call is read; nothing else can have it."""
        collected = _collected.get()
        if collected is None:
            raise TypeError(
                f"the value of {self._name!r} is kept on a cluster, and goes to its remote tasks alone; "
                "'await cascade.executors.dask.fetch(value)' brings it here"
            )
        collected.append(self)
        return _value, (len(collected) - 1,)

    def __repr__(self) -> str:
        """Show of which task it is the value."""
        return f"<value of {self._name!r}, kept on the cluster>"


async def fetch(value: Any) -> Any:
    """Return a value that was kept on a cluster; any other as it is.

    So a program is the same on an executor that keeps nothing.

    Examples:
        >>> import asyncio
        >>> asyncio.run(fetch(3))
        3
    """
    return await value.fetch() if isinstance(value, Kept) else value


@contextmanager
def collecting() -> Iterator[list[Kept]]:
    """Gather the references that are written inside."""
    found: list[Kept] = []
    token = _collected.set(found)
    try:
        yield found
    finally:
        _collected.reset(token)


@contextmanager
def with_kept(packed: Sequence[bytes]) -> Iterator[None]:
    """Read calls that refer to these values, on a worker."""
    token = _there.set(packed)
    try:
        yield
    finally:
        _there.reset(token)


def _value(number: int) -> Any:
    return unpack_outcome(_there.get()[number], "a kept value")
