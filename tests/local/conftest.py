"""A broker of its own for each test, and connectors to it."""

import pytest

from cascade.connectors.local import LocalBroker, LocalBusConnector


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
    made = []

    async def connect(**options):
        connector = LocalBusConnector(broker=broker, **options)
        await connector.connect()
        made.append(connector)
        return connector

    yield connect
    for connector in made:
        await connector.disconnect()
