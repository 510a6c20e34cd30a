"""Stores on the command line: where one lies, and opened without driving the agents in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from cascade.interfaces.errors import StoreError, near_name
from cascade.interfaces.store import DurableAgent, Store
from cascade.runtime.durable.opening import store_at

__all__ = ["OptionalStore", "StorePath", "load_agent", "opened"]

_STORE = typer.Option(
    "--store",
    envvar="CASCADE_STORE",
    help="Where durable agents lie: a file, as agents.db, or a URL, as postgresql://host/agents.",
)
StorePath = Annotated[str, _STORE]
OptionalStore = Annotated[str | None, _STORE]

_NEAR = 1000  # agents among whose names a near one is looked for


@asynccontextmanager
async def opened(place: str) -> AsyncIterator[Store]:
    """Open a store that is there for as long as the context is open; no agent in it is claimed.

    Raises:
        StoreError: there is none, or it cannot be opened.
    """
    is_file = Path(place).is_file()  # noqa: ASYNC240 - a command has nothing else to do
    if not (is_file or "://" in place):
        raise StoreError(f"there is no store at {place}; 'cascade run --store' begins one")
    store = store_at(place)
    await store.open()
    try:
        yield store
    finally:
        await store.aclose()


async def load_agent(store: Store, name: str) -> DurableAgent:
    """Return an agent by its name.

    Raises:
        StoreError: there is none; the text names one with a name like it.
    """
    record = await store.load(name)
    if record is None:
        likely = await store.list(prefix=name[:1], limit=_NEAR)
        near = near_name(name, [each.name for each in likely])
        raise StoreError(f"there is no agent {name!r}.{near}")
    return record
