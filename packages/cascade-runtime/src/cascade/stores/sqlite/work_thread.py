"""A thread that does what gathers for it, group by group, and tells the event loop once for each group."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Thread
from typing import Generic, Protocol, TypeAlias, TypeVar

from cascade.stores.outcomes import Outcome, settle_all

__all__ = ["Work", "WorkThread", "Worker"]

S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)
T = TypeVar("T")

Work: TypeAlias = Callable[[S], object]
"""What is to be done, with what the worker gives to all work."""


class Worker(Protocol[S_co]):
    """What a `WorkThread` does its work with; made, used and closed in the thread."""

    def do(self, group: Sequence[Work[S_co]]) -> list[Outcome]:
        """Do all of a group; return an outcome for each. It raises nothing."""

    def close(self) -> None:
        """Let go what it holds."""


class WorkThread(Generic[S]):
    """Belongs to the event loop that it was started on.

    What is submitted in one turn of the loop, or while the thread is at work, becomes one group. The
    thread is a daemon: a program that ends without closing it does not wait for it.
    """

    def __init__(self, name: str, make: Callable[[], Worker[S]]) -> None:
        """Say how the worker is made; call `start` next."""
        self._loop = asyncio.get_running_loop()
        self._make = make
        self._gathered: list[tuple[Work[S], asyncio.Future[object]]] = []
        self._groups: SimpleQueue[list[tuple[Work[S], asyncio.Future[object]]] | None] = (
            SimpleQueue()
        )
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._begun: asyncio.Future[None] = self._loop.create_future()
        self._ended: asyncio.Future[None] = self._loop.create_future()

    async def start(self) -> None:
        """Begin; raise what making the worker raises."""
        self._thread.start()
        try:
            await self._begun
        except asyncio.CancelledError:
            self._groups.put(None)  # it may have to wait for the file; then it ends by itself
            raise
        except BaseException:
            self._thread.join()
            raise

    def submit(self, work: Callable[[S], T]) -> asyncio.Future[T]:
        """Have work done; cancelling the future does not stop it."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._gathered.append((work, future))  # type: ignore[arg-type] # a future of anything
        if len(self._gathered) == 1:
            # Those who were woken together submit in one turn: all of it becomes one group.
            self._loop.call_soon(self._hand_on)
        return future

    def _hand_on(self) -> None:
        if self._gathered:
            self._groups.put(self._gathered)
            self._gathered = []

    async def aclose(self) -> None:
        """Finish what was submitted, and end the thread."""
        self._hand_on()
        self._groups.put(None)
        await asyncio.shield(self._ended)
        self._thread.join()

    def abandon(self) -> None:
        """End the thread of a loop that is gone, without waiting for it."""
        self._groups.put(None)

    def _run(self) -> None:
        try:
            worker = self._make()
        except BaseException as error:  # noqa: BLE001 - whoever starts it is told
            self._tell(settle_all, [self._begun], [error])
            return
        self._tell(settle_all, [self._begun], [None])
        try:
            while self._work(worker):
                pass
        finally:
            worker.close()
            self._tell(settle_all, [self._ended], [None])

    def _work(self, worker: Worker[S]) -> bool:
        """Do the next group; return whether there may be more."""
        group = self._groups.get()
        more = group is not None
        while more and not self._groups.empty():
            following = self._groups.get()
            if following is None:
                more = False
            else:
                group = [*(group or ()), *following]
        if group:
            outcomes = worker.do([work for work, _ in group])
            self._tell(settle_all, [future for _, future in group], outcomes)
        return more

    def _tell(self, function: Callable[..., None], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            if not self._loop.is_closed():  # else nobody is left to be told
                raise
