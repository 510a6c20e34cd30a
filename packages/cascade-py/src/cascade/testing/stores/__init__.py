"""The contract of stores as a test suite, for the stores of others as for our own.

It states every sentence of `cascade.interfaces.store.Store`. Give it a harness, in a class whose name
pytest collects (needs ``pytest``, ``pytest-asyncio`` in auto mode, and ``hypothesis``)::

    import pytest
    from cascade.testing.stores import StoreContract

    class Harness:
        def store(self):
            return MyStore("my://here")   # all of one harness on the same data
        def clear(self):
            ...                           # from now on they find nothing there

    class TestMyStore(StoreContract):
        @pytest.fixture
        def harness(self):
            return Harness()

* `contract`: the whole suite, and its fixtures ``store`` and ``open_store``
* `agents`, `claims`, `checkpoints`, `history`, `letters`, `sleep`, `together`: a part of the contract each
* `model`: random operations, compared with those of `MemoryStore`
* `harness`: what you give, and what tests share
"""

from cascade.testing.stores.contract import StoreContract
from cascade.testing.stores.harness import OpenStore, StoreHarness, an_agent, opening

__all__ = ["OpenStore", "StoreContract", "StoreHarness", "an_agent", "opening"]
