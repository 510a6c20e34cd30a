"""The contract of connectors as a test suite, for the connectors of others as for our own.

It states every point of `cascade.interfaces.protocols.Connector`. Give it a harness, in a class
whose name pytest collects (needs ``pytest`` and ``pytest-asyncio`` in auto mode)::

    import pytest
    from cascade.testing.connectors import ConnectorContract

    class Harness:
        one_order = retained_in_order = keeps_overflow = False   # what a network weakens
        many = 2_000
        def connector(self, **options):
            return MyConnector("my://broker", **options)

    class TestMyConnector(ConnectorContract):
        @pytest.fixture
        def harness(self):
            return Harness()

Where a broker takes long to start, let tests share one: `Prefixed` gives each a part of its topics.

* `contract`: the whole suite, and its fixture ``connect``
* `topics`, `shares`, `order`, `retained`, `reentrancy`, `unsubscribe`, `errors`, `memory`, `loops`,
  `surroundings`: a point of the contract each
* `callbacks`: callbacks for tests, which a test waits for, and not for time
* `harness`: what you give
"""

from cascade.testing.connectors.callbacks import Gated, Heard, patience, reports
from cascade.testing.connectors.contract import ConnectorContract
from cascade.testing.connectors.harness import (
    Connect,
    ConnectorHarness,
    Prefixed,
    connecting,
)

__all__ = [
    "Connect",
    "ConnectorContract",
    "ConnectorHarness",
    "Gated",
    "Heard",
    "Prefixed",
    "connecting",
    "patience",
    "reports",
]
