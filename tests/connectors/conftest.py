"""The fixtures of the conformance suite."""

import pytest

from connectors.connecting import connecting
from connectors.harnesses import HARNESSES


@pytest.fixture(params=HARNESSES)
def harness(request):
    """A broker, and what makes connectors to it."""
    with request.param() as opened:
        yield opened


@pytest.fixture
async def connect(harness):
    """Make a connector that is connected, and is disconnected at the end."""
    async with connecting(harness.connector) as connect:
        yield connect
