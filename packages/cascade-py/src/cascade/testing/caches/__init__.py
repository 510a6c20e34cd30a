"""The contract of caches as a test suite, for the caches of others as for our own.

It states every sentence of `cascade.interfaces.cache.Cache`. Give it a harness, in a class whose name
pytest collects (needs ``pytest`` and ``pytest-asyncio`` in auto mode)::

    import pytest
    from cascade.testing.caches import CacheContract

    class Harness:
        def cache(self, max_bytes=None):
            return MyCache("my://here", max_bytes=max_bytes)   # all of one harness on the same data

    class TestMyCache(CacheContract):
        @pytest.fixture
        def harness(self):
            return Harness()

* `contract`: the whole suite, and its fixture ``cache``
* `values`, `eviction`, `entries`, `together`: a part of the contract each
* `harness`: what you give, and what tests share
"""

from cascade.testing.caches.contract import CacheContract
from cascade.testing.caches.harness import CacheHarness, a_key

__all__ = ["CacheContract", "CacheHarness", "a_key"]
