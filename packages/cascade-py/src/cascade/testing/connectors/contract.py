"""All points of the contract in one class, and the fixture that makes connectors for them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from cascade.testing.connectors.errors import Errors
from cascade.testing.connectors.harness import Connect, ConnectorHarness, connecting
from cascade.testing.connectors.loops import Loops
from cascade.testing.connectors.memory import Memory
from cascade.testing.connectors.order import Order
from cascade.testing.connectors.reentrancy import Reentrancy
from cascade.testing.connectors.retained import Retained
from cascade.testing.connectors.shares import Shares
from cascade.testing.connectors.surroundings import Surroundings
from cascade.testing.connectors.topics import Topics
from cascade.testing.connectors.unsubscribe import Unsubscribe

__all__ = ["ConnectorContract"]


class ConnectorContract(
    Topics, Shares, Order, Retained, Reentrancy, Unsubscribe, Errors, Memory, Loops, Surroundings
):
    """The conformance suite; a subclass named ``Test…`` runs it with its own ``harness``.

    Examples:
        >>> import pytest
        >>> class TestMyConnector(ConnectorContract):
        ...     @pytest.fixture
        ...     def harness(self):
        ...         return MyHarness()  # see `cascade.testing.connectors`
    """

    @pytest.fixture
    def harness(self) -> ConnectorHarness:
        """Return what makes the connectors; each subclass has its own."""
        raise NotImplementedError("give the class a fixture 'harness' that returns your own")

    @pytest.fixture
    async def connect(self, harness: ConnectorHarness) -> AsyncIterator[Connect]:
        """Make a connector that is connected, and is disconnected at the end."""
        async with connecting(harness.connector) as connect:
            yield connect
