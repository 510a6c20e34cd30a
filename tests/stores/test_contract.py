"""Our own stores keep the contract."""

from itertools import count

import pytest

from cascade.stores.memory import MemoryStore
from cascade.stores.sqlite import SqliteStore
from cascade.testing.stores import StoreContract


class MemoryHarness:
    """One store that is all of its stores."""

    def __init__(self):
        self.clear()

    def store(self):
        return self._store

    def clear(self):
        self._store = MemoryStore()


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def harness(self):
        return MemoryHarness()


class SqliteHarness:
    """Stores on one file."""

    def __init__(self, folder):
        self._folder = folder
        self._files = count()
        self.clear()

    def store(self):
        return SqliteStore(self._path)

    def clear(self):
        self._path = self._folder / f"{next(self._files)}.db"


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def harness(self, tmp_path):
        return SqliteHarness(tmp_path)
