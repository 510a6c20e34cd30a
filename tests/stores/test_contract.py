"""Our own stores keep the contract."""

import pytest

from cascade.stores.memory import MemoryStore
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
