"""Calls on their way to the cluster and back: each with its future, some together in one task of Dask."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from distributed import Future

from cascade.executors.dask.kept import Kept
from cascade.executors.dask.parts import Part
from cascade.executors.dask.worker import Outcomes
from cascade.executors.pool.transfer import name_of
from cascade.interfaces.executor import Invocation
from cascade.runtime.concurrency.futures import settle

__all__ = ["Call", "Group", "deliver"]


@dataclass(slots=True, eq=False)
class Call:
    """One call, from when it is submitted until its future is done.

    It is made on the event loop that submits it, and settled there; in between it is the session's.
    """

    invocation: Invocation
    work: bytes
    """The call, as the worker reads it."""

    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    module: str | None = None
    """The module that the worker imports to find the function; None where it goes by its code."""

    parts: tuple[Part, ...] = ()
    """Its big arguments."""

    kept: tuple[Kept, ...] = ()
    """Values on the cluster that it refers to."""

    losses: int = 0
    """How often its big arguments were lost with a worker."""

    group: Group | None = None
    """What it is a part of, once it was sent."""

    @property
    def name(self) -> str:
        """What people call the task."""
        return self.invocation.name or name_of(self.invocation.function)

    def begins(self, worker: str) -> None:
        """Tell its event loop that the function begins."""
        with suppress(RuntimeError):  # the loop has been closed: nobody waits there any more
            self.loop.call_soon_threadsafe(self.invocation.begins, worker)


@dataclass(slots=True, eq=False)
class Group:
    """Calls that are one task of the cluster."""

    key: str
    calls: list[Call]
    future: Future[Outcomes]
    kept: Future[Outcomes] | None = None
    """What has the value, where that stays on the cluster."""

    workers: frozenset[str] | None = None
    """The only workers that it may run on, by their addresses; None: on any."""

    unfit_since: float | None = None
    """Since when no worker fits, in seconds of the session's clock."""

    @property
    def is_wanted(self) -> bool:
        """Whether anybody still waits for any of the calls."""
        return not all(call.future.done() for call in self.calls)


def deliver(settled: Iterable[tuple[Call, Any, BaseException | None]]) -> None:
    """Give calls their values or errors, each on the event loop that it came from."""
    for loop, some in groupby(settled, lambda each: each[0].loop):
        with suppress(RuntimeError):  # the loop has been closed: nobody waits there any more
            loop.call_soon_threadsafe(_settle_all, list(some))


def _settle_all(settled: list[tuple[Call, Any, BaseException | None]]) -> None:
    for call, value, error in settled:
        settle(call.future, value, error)
