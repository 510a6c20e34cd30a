"""For tests of workflows and agents: simulated time, and what people would have been told.

With pytest, the fixture ``simulated_time`` is there as soon as cascade-py is installed::

    def test_it_reminds_after_an_hour(simulated_time):
        async def main():
            async with cs.Engine(connector=cs.LocalBusConnector(cs.LocalBroker())) as engine:
                return await engine.run(reminder())

        assert simulated_time(main()) == "stand up"

`explore` tries many orders of what is simultaneous, and faults of the bus, until agents go wrong.
`cascade.testing.crashes` has durable agents die at every change of their store, and
`cascade.testing.connectors` and `cascade.testing.stores` are the contracts of those as test suites.
"""

from cascade.common.messaging.testing import capture
from cascade.simulation import run_simulated
from cascade.testing.exploring import explore

__all__ = ["capture", "explore", "run_simulated"]
