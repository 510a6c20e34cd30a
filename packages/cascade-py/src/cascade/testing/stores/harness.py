"""What a store's author gives to the conformance suite, and what its tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeAlias

from cascade.interfaces.store import Checkpoint, DurableAgent, Letter, Store

__all__ = [
    "OpenStore",
    "StoreHarness",
    "a_letter",
    "an_agent",
    "claimed",
    "mailbox",
    "opening",
    "step",
]

OpenStore: TypeAlias = Callable[[], Awaitable[Store]]
"""What the fixture ``open_store`` is: makes a store on the same data, and opens it."""


class StoreHarness(Protocol):
    """Makes stores that lie on the same data, which belong to one test alone."""

    def store(self) -> Store:
        """Return a new store, not open yet; it may be the same one again if it bears that."""

    def clear(self) -> None:
        """Have the stores made from now on find nothing."""


@asynccontextmanager
async def opening(make: Callable[[], Store]) -> AsyncIterator[OpenStore]:
    """Yield an `OpenStore`; its stores are closed at the end, the last one first.

    Examples:
        >>> import asyncio
        >>> from cascade.stores.memory import MemoryStore
        >>> async def main():
        ...     async with opening(MemoryStore) as open_store:
        ...         return await (await open_store()).list()
        >>> asyncio.run(main())
        []
    """
    made: list[Store] = []

    async def open_store() -> Store:
        store = make()
        await store.open()
        made.append(store)
        return store

    try:
        yield open_store
    finally:
        for store in reversed(made):
            await store.aclose()


def an_agent(name: str = "monday", **fields: Any) -> DurableAgent:
    """Return an agent that begins.

    Examples:
        >>> an_agent("tuesday").name
        'tuesday'
    """
    return DurableAgent(name, **{"start": b'{"start":1}', "call": b'{"start":1}', **fields})


def a_letter(payload: str, to: str | None = None, topic: str = "t", **fields: Any) -> Letter:
    """Return a letter with a text as its payload."""
    return Letter(topic, payload.encode(), to, **fields)


def step(agent: DurableAgent, **fields: Any) -> Checkpoint:
    """Return a checkpoint of an agent's owner; it commits a step unless it says ``call=None``."""
    given = {"at": 10.0, "call": b'{"next":1}', **fields}
    return Checkpoint(agent.name, agent.epoch, **given)


async def claimed(store: Store, name: str = "monday", **fields: Any) -> DurableAgent:
    """Create an agent, and claim it until the time 100."""
    await store.create([an_agent(name, **fields)])
    (agent,) = await store.claim("owner", 0, 100, names=[name])
    return agent


async def mailbox(store: Store, name: str = "monday") -> list[str]:
    """Return the payloads in a mailbox, as texts."""
    return [signal.payload.decode() for signal in await store.signals(name)]
