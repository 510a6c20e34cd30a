"""Simulated time for these tests: sleeping costs nothing, and nothing depends on the machine."""

import asyncio

import cascade as cs
from cascade.observatory import FlashLog, flying, observing, swarm_of


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer as soon as nothing is ready."""

    def __init__(self):
        super().__init__()
        self._now = 0.0
        look = self._selector.select
        self._selector.select = lambda timeout: self._jump(timeout) or look(0)

    def _jump(self, seconds):
        assert seconds is not None, "everybody waits, and no timer is left"
        self._now += seconds

    def time(self):
        return self._now


def simulate(main):
    """Run a coroutine in simulated time; nothing may be left over."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(main)


async def _watch(swarm, phases, seconds):
    broker = cs.LocalBroker()
    connector = cs.LocalBusConnector(broker=broker)
    log = FlashLog(len(swarm))
    async with (
        cs.Engine(connector=connector) as engine,
        observing(connector, log),
        flying(engine, swarm, phases),
    ):
        await asyncio.sleep(seconds)
    assert broker.subscription_count == 0
    return log


def flashes_of(neighbours, oscillator, phases, seconds):
    """Return the log of a swarm that lived on a real engine and bus, for simulated seconds."""
    return simulate(_watch(swarm_of(neighbours, oscillator), phases, seconds))
