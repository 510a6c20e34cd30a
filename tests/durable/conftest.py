"""What tests of durable agents share: engines that look often, and stores of two kinds."""

import pytest

from cascade.runtime.durable import ownership
from cascade.stores.memory import MemoryStore
from cascade.stores.sqlite import SqliteStore
from durable import steps


@pytest.fixture
def quick(monkeypatch):
    """Have engines look often for what nobody drives, and nothing be told of earlier tests."""
    monkeypatch.setattr(ownership, "_POLL", 0.01)
    steps.ran.clear()


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    """Make a store in memory, and one in a file."""
    return MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "agents.db")
