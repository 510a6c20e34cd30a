"""Brokers and connectors for tests of what only a network does."""

import pytest

from cascade.connectors.mqtt import MqttConnector
from cascade.testing.connectors import connecting
from mqtt.broker import Broker


@pytest.fixture
def start_broker(tmp_path):
    """Start a Mosquitto with settings of the test's own; it is stopped at the end."""
    started = []

    def start(*settings, **options):
        folder = tmp_path / f"broker-{len(started)}"
        folder.mkdir()
        broker = Broker(folder, *settings, **options)
        broker.start()
        started.append(broker)
        return broker

    yield start
    for broker in started:
        broker.stop()


@pytest.fixture
def broker(start_broker):
    """A Mosquitto that lets everybody do everything."""
    return start_broker()


@pytest.fixture
async def connect():
    """Make a connector that is connected, and is disconnected at the end."""

    def make(broker, **options):
        quick = {"retry_delay": 0.02, "max_retry_delay": 0.1}
        return MqttConnector(broker.url, **{**quick, **options})

    async with connecting(make) as connect:
        yield connect
