"""A broker of its own for each test, and connectors to it."""

from functools import partial

import pytest

from cascade.connectors.local import LocalBroker, LocalBusConnector
from cascade.testing.connectors import connecting


@pytest.fixture
def broker():
    """A broker that has to be empty again at the end."""
    broker = LocalBroker()
    yield broker
    left = broker.subscription_count
    broker.reset()
    assert left == 0


@pytest.fixture
async def connect(broker):
    """Make a connector that is connected, and is disconnected at the end."""
    async with connecting(partial(LocalBusConnector, broker)) as connect:
        yield connect


@pytest.fixture(autouse=True)
def long_slices(monkeypatch):
    """Let no load of the machine end the time slice of a delivery; who tests that sets it back."""
    monkeypatch.setattr("cascade.connectors.local.dispatcher._SLICE", 3600.0)
