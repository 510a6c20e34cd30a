"""Where the conformance suite runs: each harness makes connectors that share one broker.

A connector of another kind joins the suite by one more line in `HARNESSES`. Its harness is a
context manager; what it opens is a broker without subscriptions and without retained messages.
The flags say where a network makes a point of the contract weaker, and nothing else.
"""

import pytest

from cascade.connectors.local import LocalBroker, LocalBusConnector

__all__ = ["HARNESSES", "LocalHarness"]


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


HARNESSES = [pytest.param(LocalHarness, id="local")]
