"""Swarms on simulated time, for these tests."""

import asyncio

import cascade as cs
from cascade.observatory import FlashLog, observing, running_swarm, swarm_of
from cascade.simulation import run_simulated


async def _watch(swarm, phases, seconds):
    broker = cs.LocalBroker()
    connector = cs.LocalBusConnector(broker=broker)
    log = FlashLog(len(swarm))
    async with (
        cs.Engine(connector=connector) as engine,
        observing(connector, log),
        running_swarm(engine, swarm, phases),
    ):
        await asyncio.sleep(seconds)
    assert broker.subscription_count == 0
    return log


def flashes_of(topology, oscillator, phases, seconds):
    """Return the log of a swarm that lived on a real engine and bus, for simulated seconds."""
    swarm = swarm_of(topology, [oscillator] * len(topology))
    return run_simulated(_watch(swarm, phases, seconds))
