"""What all tests share: made-up examples are the same in every run and are not timed; an engine."""

import pytest
from hypothesis import HealthCheck, settings

import cascade as cs

settings.register_profile(
    "cascade",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],  # a busy machine is no fault of the examples
)
settings.load_profile("cascade")


@pytest.fixture
async def connector():
    """A connector to a broker of its own."""
    connector = cs.LocalBusConnector(cs.LocalBroker())
    await connector.connect()
    yield connector
    await connector.disconnect()


@pytest.fixture
async def engine(connector):
    """An engine that is open, on that connector."""
    async with cs.Engine(connector=connector) as engine:
        yield engine
