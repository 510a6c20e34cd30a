"""Where the conformance suite runs: each harness makes connectors that share one broker.

A connector of another kind joins the suite by one more line in `HARNESSES`. Its harness is a
context manager; what it opens is a broker without subscriptions and without retained messages.
The flags say where a network makes a point of the contract weaker, and nothing else.
"""

import tempfile
from pathlib import Path

import pytest

from cascade.connectors.local import LocalBroker, LocalBusConnector
from cascade.connectors.mqtt import MqttConnector
from mqtt.broker import NEEDS_BROKER, Broker

__all__ = ["HARNESSES", "LocalHarness", "Mqtt3Harness", "MqttHarness"]


class LocalHarness:
    """The in-memory connector, which keeps every point in its strictest form."""

    one_order = True
    """Subscriptions of different connectors are served in one order, that of subscribing."""

    retained_in_order = True
    """Retained messages of several topics come oldest first."""

    many = 100_000
    """How many messages are a long chain here."""

    def __enter__(self):
        self._broker = LocalBroker()
        return self

    def __exit__(self, *_error):
        left = self._broker.subscription_count
        self._broker.reset()
        assert left == 0, "connectors that were disconnected left subscriptions behind"

    def connector(self, **options):
        """Return a new connector, not connected yet."""
        return LocalBusConnector(broker=self._broker, **options)


class MqttHarness:
    """MQTT 5 through a real Mosquitto.

    Retained messages are handed over before subscribe returns here too: Mosquitto sends them right
    behind its answer. Another broker may send them later; then they come as late as that.
    """

    one_order = False
    """Each client has a connection of its own, and its own pace."""

    retained_in_order = False
    """Mosquitto walks through its tree of topics."""

    many = 2_000
    """Each message makes a journey of its own."""

    protocol = "5"
    settings = ()

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory()
        self._broker = Broker(Path(self._folder.name), *self.settings)
        self._broker.start()
        return self

    def __exit__(self, *_error):
        self._broker.stop()
        self._folder.cleanup()

    def connector(self, **options):
        """Return a new connector, not connected yet."""
        return MqttConnector(self._broker.url, protocol=self.protocol, **options)


class Mqtt3Harness(MqttHarness):
    """MQTT 3.1.1, which has no way to tell the copies of a message for overlapping filters apart.

    So the broker has to send one copy; Mosquitto has a setting for that.
    """

    protocol = "3.1.1"
    settings = ("allow_duplicate_messages false",)


HARNESSES = [
    pytest.param(LocalHarness, id="local"),
    pytest.param(MqttHarness, id="mqtt", marks=NEEDS_BROKER),
    pytest.param(Mqtt3Harness, id="mqtt3", marks=NEEDS_BROKER),
]
