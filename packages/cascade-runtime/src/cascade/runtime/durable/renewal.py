"""Leases renewed from a thread, so that an event loop that is busy does not lose its agents."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from threading import Event, Thread

from cascade.interfaces.store import Store
from cascade.runtime.durable.telling import reported

__all__ = ["Renewal"]


class Renewal:
    """A thread that renews the leases of one owner, with a store and an event loop of its own.

    Attributes:
        renewed: how often it has done so.
    """

    def __init__(self, store: Store, owner: str, lease: Callable[[], float]) -> None:
        """Take a store on the same data that nobody else uses; nothing is opened before it is needed."""
        self._store = store
        self._owner = owner
        self._lease = lease
        self.renewed = 0
        self._ended = Event()
        self._thread = Thread(target=self._main, name="cascade-leases", daemon=True)

    def start(self) -> None:
        """Begin; the first time is a third of the lease from now."""
        self._thread.start()

    async def stop(self) -> None:
        """End the thread, and close its store."""
        self._ended.set()
        await asyncio.to_thread(self._thread.join)

    def _main(self) -> None:
        while not self._ended.wait(self._lease() / 3):
            with reported("renew leases"):
                asyncio.run(self._renew_until_it_ends())

    async def _renew_until_it_ends(self) -> None:
        await self._store.open()
        try:
            while not self._ended.is_set():
                await self._store.renew(self._owner, time.time() + self._lease())
                self.renewed += 1
                await asyncio.to_thread(self._ended.wait, self._lease() / 3)
        finally:
            await self._store.aclose()
