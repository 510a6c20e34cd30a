"""All parts of the contract in one class, and the fixtures that make caches for them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from cascade.interfaces.cache import Cache
from cascade.testing.caches.entries import Entries
from cascade.testing.caches.eviction import Eviction
from cascade.testing.caches.harness import BYTES, CacheHarness
from cascade.testing.caches.together import Together
from cascade.testing.caches.values import Values

__all__ = ["CacheContract"]


class CacheContract(Values, Eviction, Entries, Together):
    """The conformance suite; a subclass named ``Test…`` runs it with its own ``harness``.

    Examples:
        >>> import pytest
        >>> class TestMyCache(CacheContract):
        ...     @pytest.fixture
        ...     def harness(self):
        ...         return MyHarness()  # see `cascade.testing.caches`
    """

    @pytest.fixture
    def harness(self) -> CacheHarness:
        """Return what makes the caches; each subclass has its own."""
        raise NotImplementedError("give the class a fixture 'harness' that returns your own")

    @pytest.fixture
    async def cache(self, harness: CacheHarness) -> AsyncIterator[Cache]:
        """Return a cache without bounds, which is closed at the end."""
        cache = harness.cache()
        yield cache
        await cache.aclose()

    @pytest.fixture
    async def bounded_cache(self, harness: CacheHarness) -> AsyncIterator[Cache]:
        """Return a cache that has room for three values and a half."""
        cache = harness.cache(max_bytes=BYTES * 7 // 2)
        yield cache
        await cache.aclose()
