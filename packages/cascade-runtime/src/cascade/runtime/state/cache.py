"""From what an engine is given to the cache that it remembers values in."""

from __future__ import annotations

from os import PathLike

from cascade.caches.memory import MemoryCache
from cascade.interfaces.cache import Cache
from cascade.runtime.plugins import made_from, plugins

__all__ = ["cache_at", "cache_in"]

_GROUP = "cascade.caches"


def cache_in(given: object) -> Cache:
    """Return the cache that an engine is given; one of its own in memory if that is None.

    Raises:
        TypeError: it is no cache, and no place of one.
        ValueError: the URL is not valid.
    """
    if given is None:
        return MemoryCache()
    if isinstance(given, (str, PathLike)):
        return cache_at(given)
    if isinstance(given, Cache):
        return given
    kind = type(given).__qualname__
    raise TypeError(
        f"cache is a MemoryCache, a FileCache, the path of a folder or a URL, not a {kind}"
    )


def cache_at(place: str | PathLike[str]) -> Cache:
    """Return the cache in the folder of a path, or behind a URL; nothing is opened yet.

    A scheme that no installed distribution offers is left to fsspec.

    Raises:
        ValueError: the URL is not valid.
    """
    if isinstance(place, str) and place.partition("://")[0] in plugins(_GROUP):
        made: Cache = made_from(_GROUP, place)
        return made
    from cascade.caches.files import FileCache  # noqa: PLC0415 - who has none needs no SQLite

    return FileCache(place)
