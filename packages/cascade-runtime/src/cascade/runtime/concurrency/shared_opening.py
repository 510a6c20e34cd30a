"""What several users share: the first one opens it, the others wait for that, the last one closes it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from cascade.runtime.concurrency.futures import release

__all__ = ["SharedOpening"]


class SharedOpening:
    """Counts the users of one thing, all on one event loop, until it is closed again."""

    def __init__(
        self, name: str, opens: Callable[[], Awaitable[None]], closes: Callable[[], Awaitable[None]]
    ) -> None:
        """Begin without a user.

        Args:
            name: what it is, for errors.
            opens: opens it.
            closes: closes it, also where it did not open to its end.
        """
        self._name = name
        self._opens = opens
        self._closes = closes
        self._users = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opening: asyncio.Future[None] | None = None
        self._closing: asyncio.Future[None] | None = None

    async def enter(self) -> None:
        """Count one user more; the first one opens, the others wait for that.

        Raises:
            RuntimeError: it is in use on another event loop.
            Exception: whatever its opening raises, to everybody who waits for it.
        """
        loop = asyncio.get_running_loop()
        if not self._users and self._closing is None:
            self._loop = loop
        elif self._loop is not loop:
            raise RuntimeError(
                f"{self._name} is in use on another event loop; give each loop one of its own, or hand "
                "the work over with asyncio.run_coroutine_threadsafe"
            )
        while self._closing is not None:
            await asyncio.shield(self._closing)
        self._users += 1
        try:
            if self._users == 1:
                await self._open()
            elif self._opening is not None and not self._opening.done():
                await asyncio.shield(self._opening)
            elif self._opening is not None:
                self._opening.result()
        except BaseException:
            self._users -= 1
            raise

    async def leave(self) -> None:
        """Count one user less; the last one closes."""
        self._users -= 1
        if not self._users:
            await self._close()

    async def _open(self) -> None:
        """Open; where that fails, those who wait for it hear the same, and nothing stays open."""
        opening = self._opening = asyncio.get_running_loop().create_future()
        try:
            await self._opens()
        except BaseException as error:
            if isinstance(error, Exception):
                opening.set_exception(error)
                opening.exception()  # it is raised here; that nobody else waits is no fault
            else:
                opening.cancel()
            await self._close()
            raise
        opening.set_result(None)

    async def _close(self) -> None:
        """Close; who comes meanwhile waits for that, and opens it anew."""
        closing = self._closing = asyncio.get_running_loop().create_future()
        try:
            await self._closes()
        finally:
            self._closing = None
            release(closing)
