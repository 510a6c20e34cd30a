"""All parts of the contract in one class, and the fixtures that open stores for them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from cascade.interfaces.store import Store
from cascade.testing.stores.agents import Agents
from cascade.testing.stores.checkpoints import Checkpoints
from cascade.testing.stores.claims import Claims
from cascade.testing.stores.harness import OpenStore, StoreHarness, opening
from cascade.testing.stores.history import History
from cascade.testing.stores.letters import Letters
from cascade.testing.stores.model import Model
from cascade.testing.stores.sleep import Sleepers
from cascade.testing.stores.together import Together

__all__ = ["StoreContract"]


class StoreContract(Agents, Claims, Checkpoints, History, Letters, Sleepers, Together, Model):
    """The conformance suite; a subclass named ``Test…`` runs it with its own ``harness``.

    Examples:
        >>> import pytest
        >>> class TestMyStore(StoreContract):
        ...     @pytest.fixture
        ...     def harness(self):
        ...         return MyHarness()  # see `cascade.testing.stores`
    """

    @pytest.fixture
    def harness(self) -> StoreHarness:
        """Return what makes the stores; each subclass has its own."""
        raise NotImplementedError("give the class a fixture 'harness' that returns your own")

    @pytest.fixture
    async def open_store(self, harness: StoreHarness) -> AsyncIterator[OpenStore]:
        """Make a store that is open, and is closed at the end."""
        async with opening(harness.store) as open_store:
            yield open_store

    @pytest.fixture
    async def store(self, open_store: OpenStore) -> Store:
        """Return a store that is open."""
        return await open_store()
