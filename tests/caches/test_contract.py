"""Our own caches keep the contract."""

from itertools import count

import fsspec
import pytest

from cascade.caches.files import FileCache
from cascade.caches.memory import MemoryCache
from cascade.interfaces.protocols import Cache
from cascade.testing.caches import CacheContract


class MemoryHarness:
    """One cache that is all of its caches."""

    def __init__(self):
        self._cache = None

    def cache(self, max_bytes=None):
        if self._cache is None:
            self._cache = MemoryCache(max_bytes=max_bytes)
        return self._cache


class TestMemoryCache(CacheContract):
    @pytest.fixture
    def harness(self):
        return MemoryHarness()


class FileHarness:
    """Caches in one place."""

    def __init__(self, place):
        self._place = place

    def cache(self, max_bytes=None):
        return FileCache(self._place, max_bytes=max_bytes)


class TestFolder(CacheContract):
    @pytest.fixture
    def harness(self, tmp_path):
        return FileHarness(tmp_path / "cache")


class TestFolderBehindAUrl(CacheContract):
    @pytest.fixture
    def harness(self, tmp_path):
        return FileHarness(f"file://{tmp_path}/cache")


class TestUrl(CacheContract):
    numbers = count()

    @pytest.fixture
    def harness(self):
        url = f"memory://caches/{next(self.numbers)}"
        yield FileHarness(url)
        fsspec.filesystem("memory").store.clear()


@pytest.mark.parametrize("cache", [MemoryCache(), FileCache("here")])
def test_they_are_caches(cache):
    assert isinstance(cache, Cache)
