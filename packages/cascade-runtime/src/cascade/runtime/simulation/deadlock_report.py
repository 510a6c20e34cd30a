"""Who waits for what on an event loop, in words: for the errors of a simulation that is stuck."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any, TypeVar

from cascade.runtime.signals.waiter import Waiter
from cascade.runtime.state.agent import Agent

__all__ = ["names_of", "who_waits"]

T = TypeVar("T")

_SHOWN = 10


def who_waits(loop: asyncio.AbstractEventLoop) -> list[str]:
    """Return a line for each run that waits, with its topics; where there is none, for each task."""
    described = [_describe(task) for task in asyncio.all_tasks(loop)]
    runs = [line for line in described if line.startswith("run")]
    lines = sorted(runs or described)
    more = len(lines) - _SHOWN
    return lines if more <= 0 else [*lines[:_SHOWN], f"and {more} more"]


def names_of(ready: Iterable[Any]) -> list[str]:
    """Return the names of the first few tasks among the handles that are ready."""
    owners = (getattr(handle._callback, "__self__", None) for handle in ready)  # noqa: SLF001 - tells whose turn it is
    names = dict.fromkeys(task.get_name() for task in owners if isinstance(task, asyncio.Task))
    return list(names)[:_SHOWN]


def _describe(task: asyncio.Task[Any]) -> str:
    agent: Agent | None = None
    topics: tuple[str, ...] = ()
    for frame in _frames(task.get_coro()):
        agent = _local(frame, "agent", Agent) or agent
        waiter = _local(frame, "waiter", Waiter)
        if waiter is not None:
            topics = waiter.filters
    who = f"task {task.get_name()!r}" if agent is None else f"run {agent.name!r}"
    what = " or ".join(map(repr, topics)) if topics else "something else than a signal"
    return f"{who} waits for {what}"


def _local(frame: FrameType, name: str, kind: type[T]) -> T | None:
    value = frame.f_locals.get(name)
    return value if isinstance(value, kind) else None


def _frames(coroutine: Any) -> Iterator[FrameType]:
    """Yield the frames of a coroutine that is suspended, from the outermost in."""
    while coroutine is not None:
        for prefix, inner in (("cr", "cr_await"), ("gi", "gi_yieldfrom")):
            frame = getattr(coroutine, f"{prefix}_frame", None)
            if frame is not None:
                yield frame
                coroutine = getattr(coroutine, inner)
                break
        else:
            return
