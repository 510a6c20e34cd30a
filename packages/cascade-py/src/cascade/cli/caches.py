"""Caches on the command line: where one lies, opened for as long as a command looks at it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from cascade.interfaces.cache import Cache
from cascade.interfaces.errors import CacheError
from cascade.runtime.state.cache import cache_at

__all__ = ["CachePlace", "OptionalCache", "opened"]

_CACHE = typer.Option(
    "--cache",
    envvar="CASCADE_CACHE",
    help="Where values lie: a folder, as cache/, or a URL, as s3://bucket/cache.",
)
CachePlace = Annotated[str, _CACHE]
OptionalCache = Annotated[str | None, _CACHE]


@asynccontextmanager
async def opened(place: str) -> AsyncIterator[Cache]:
    """Look at a cache that is there, for as long as the context is open.

    Raises:
        CacheError: there is none, or it cannot be opened.
    """
    is_folder = Path(place).is_dir()  # noqa: ASYNC240 - a command has nothing else to do
    if not (is_folder or "://" in place):
        raise CacheError(f"there is no cache at {place}; 'cascade run --cache' begins one")
    cache = cache_at(place)
    try:
        yield cache
    finally:
        await cache.aclose()
