"""Our own connectors keep the contract: in memory, and through a real Mosquitto with MQTT 5 and 3.1.1."""

import tempfile
from itertools import count
from pathlib import Path

import pytest

from cascade.connectors.local import LocalBroker, LocalBusConnector
from cascade.connectors.mqtt import MqttConnector
from cascade.testing.connectors import ConnectorContract, Prefixed
from mqtt.broker import NEEDS_BROKER, Broker


class LocalHarness:
    """The in-memory connector, which keeps every point in its strictest form."""

    one_order = True
    retained_in_order = True
    keeps_overflow = True
    many = 100_000

    def __init__(self):
        self.broker = LocalBroker()

    def connector(self, **options):
        return LocalBusConnector(broker=self.broker, **options)


class TestLocalBusConnector(ConnectorContract):
    @pytest.fixture
    def harness(self):
        harness = LocalHarness()
        yield harness
        left = harness.broker.subscription_count
        harness.broker.reset()
        assert left == 0, "connectors that were disconnected left subscriptions behind"


class MqttHarness:
    """A part of a Mosquitto of its own for each test.

    Retained messages are handed over before subscribe returns here too: Mosquitto sends them right
    behind its answer. Another broker may send them later; then they come as late as that.
    """

    one_order = False
    """Each client has a connection of its own, and its own pace."""

    retained_in_order = False
    """Mosquitto walks through its tree of topics."""

    keeps_overflow = False
    """Only the broker of a lasting session keeps anything."""

    many = 2_000
    """Each message makes a journey of its own."""

    def __init__(self, url, protocol, prefix):
        self._url = url
        self._protocol = protocol
        self._prefix = prefix

    def connector(self, **options):
        connector = MqttConnector(self._url, protocol=self._protocol, **options)
        return Prefixed(connector, self._prefix)


class OverMosquitto(ConnectorContract):
    protocol = "5"
    settings = ()

    @pytest.fixture(scope="class")
    @classmethod
    def parts(cls):
        """Return what makes a harness, each with a part of the one broker of these tests."""
        numbers = count()
        with (
            tempfile.TemporaryDirectory() as folder,
            Broker(Path(folder), *cls.settings) as broker,
        ):
            yield lambda: MqttHarness(broker.url, cls.protocol, f"part-{next(numbers)}")

    @pytest.fixture
    def harness(self, parts):
        return parts()


class TestMqttConnector(OverMosquitto):
    pytestmark = NEEDS_BROKER


class TestMqttConnectorWithVersion3(OverMosquitto):
    """MQTT 3.1.1 cannot tell the copies of a message for overlapping filters apart.

    So the broker has to send one copy; Mosquitto has a setting for that.
    """

    pytestmark = NEEDS_BROKER
    protocol = "3.1.1"
    settings = ("allow_duplicate_messages false",)
