"""The items of a mapping with a window: so many of them are under way at once, each an agent of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any

from cascade.interfaces.errors.notes import add_note
from cascade.runtime.concurrency.futures import wait_to_the_end
from cascade.runtime.state.agent import Agent, Frame
from cascade.runtime.state.position import place_of, position
from cascade.spec.lazy_types import LazyResult

__all__ = ["evaluate_items"]


def evaluate_items(frame: Frame, calls: list[Any], window: int) -> Coroutine[Any, Any, list[Any]]:
    """Return a coroutine that gives the values of a mapping's calls, in order.

    It is called inside the function of the mapping, which says where that stands.
    """
    return _evaluate(frame, _name_of_mapping(), calls, window)


async def _evaluate(frame: Frame, name: str, calls: list[Any], window: int) -> list[Any]:
    values: list[Any] = [None] * len(calls)
    items = enumerate(calls)  # one for all workers: each takes the next
    loop = frame.run.loop
    workers = [loop.create_task(_work(frame, name, items, values)) for _ in range(window)]
    try:
        await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
        was_cancelled = any(each.cancelled() for each in workers)  # by what it evaluated
    finally:
        await _end(workers)
    failures = [error for each in workers if not each.cancelled() and (error := each.exception())]
    if was_cancelled and not failures:
        raise asyncio.CancelledError
    if failures:
        for other in failures[1:]:
            add_note(failures[0], f"meanwhile, in another item: {other!r}")
        raise failures[0]
    return values


async def _work(
    frame: Frame, name: str, items: Iterator[tuple[int, Any]], values: list[Any]
) -> None:
    """Evaluate one item after the other, as long as there are any."""
    run, shared = frame.run, frame.agent.time_slice
    for number, call in items:
        agent = Agent(run, f"{name}/{number}", shared)
        try:
            for filters in run.listen:
                await agent.listen(filters)
            values[number] = await run.services.evaluate(agent, call)
        finally:
            if agent.has_mailbox:
                await agent.close()


async def _end(workers: list[asyncio.Task[None]]) -> None:
    """Cancel and await those that still run."""
    for each in workers:
        each.cancel()
    await wait_to_the_end(workers)  # it ends already, whoever cancels it meanwhile


def _name_of_mapping() -> str:
    """Return what the names of its items begin with: of a target the agent's name alone."""
    here = position.get()
    at = here.at
    if isinstance(at, LazyResult):
        frame, is_first = here.frame, True
    else:
        frame = at.frame
        is_root = at.is_tail and at.graph.place == f"{frame.here}/"
        is_first = at.begins_agent or is_root
    agent = frame.agent
    is_target = is_first and frame is agent and not frame.waiting
    return agent.name if is_target else f"{agent.name}/{place_of(here)}"
