"""The fixtures of the conformance suite."""

import pytest

from connectors.harnesses import HARNESSES


@pytest.fixture(params=HARNESSES)
def harness(request):
    """A broker, and what makes connectors to it."""
    with request.param() as opened:
        yield opened


@pytest.fixture
async def connect(harness):
    """Make a connector that is connected, and is disconnected at the end."""
    made = []

    async def connect(**options):
        connector = harness.connector(**options)
        await connector.connect()
        made.append(connector)
        return connector

    yield connect
    for connector in made:
        await connector.disconnect()
