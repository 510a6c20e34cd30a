"""From what an engine is given to the store that its durable agents lie in."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from cascade.interfaces.store import Store
from cascade.runtime.durable.agents import DurableAgents
from cascade.runtime.durable.driving import Evaluate
from cascade.runtime.plugins import made_from
from cascade.runtime.state.services import EngineServices

__all__ = ["agents_in", "store_at"]


def agents_in(
    store: Store | str | PathLike[str], services: EngineServices, name: str, evaluate: Evaluate
) -> DurableAgents:
    """Return the durable agents of an engine of that name; see `store_at`."""
    lies_in = store_at(store) if isinstance(store, (str, PathLike)) else store
    return DurableAgents(lies_in, services, name, evaluate)


def store_at(place: str | PathLike[str]) -> Store:
    """Return the store that a URL names, or that in the SQLite file of a path; not opened yet.

    Raises:
        UnknownSchemeError: no installed distribution knows the URL's scheme.
        ValueError: the URL or the path is not valid.
    """
    if isinstance(place, str) and "://" in place:
        made: Store = made_from("cascade.stores", place)
        return made
    from cascade.stores.sqlite import SqliteStore  # noqa: PLC0415 - who has another one needs no SQLite

    return SqliteStore(Path(place))
