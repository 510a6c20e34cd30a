"""The swarm: every firefly a run of its own, all on one engine."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import cascade as cs
from cascade.observatory.agent import Firefly, live
from cascade.observatory.oscillator import Oscillator
from cascade.observatory.topology import Topology

__all__ = ["FLASHES", "random_phases", "running_swarm", "swarm_of"]

FLASHES = "fireflies/flash"
"""The level above the topics of all flashes; agent 7 flashes on ``fireflies/flash/7``."""


def swarm_of(topology: Topology, oscillators: Sequence[Oscillator]) -> tuple[Firefly, ...]:
    """Return one firefly for each place of a topology, with its oscillator.

    Raises:
        ValueError: there are not as many oscillators as places.

    Examples:
        >>> from cascade.observatory import MirolloStrogatz, Oscillator, ring
        >>> swarm = swarm_of(ring(3), [Oscillator(MirolloStrogatz())] * 3)
        >>> swarm[0].topic, swarm[0].hears
        ('fireflies/flash/0', ('fireflies/flash/2', 'fireflies/flash/1'))
    """
    if len(oscillators) != len(topology):
        raise ValueError(
            f"{len(topology)} fireflies need as many oscillators, not {len(oscillators)}"
        )
    topics = [f"{FLASHES}/{number}" for number in range(len(topology))]
    everyone = (f"{FLASHES}/+",)
    return tuple(
        Firefly(
            topics[number],
            everyone if topology.sees_everyone else tuple(topics[other] for other in seen),
            oscillators[number],
        )
        for number, seen in enumerate(topology.neighbours)
    )


def random_phases(count: int, seed: int) -> list[float]:
    """Return start phases, evenly random from 0 to below 1 and always the same for a seed.

    Examples:
        >>> random_phases(2, seed=1) == random_phases(2, seed=1)
        True
    """
    numbers = random.Random(seed)
    return [numbers.random() for _ in range(count)]


@asynccontextmanager
async def running_swarm(
    engine: cs.Engine,
    swarm: Sequence[Firefly],
    phases: Sequence[float],
    start_time: float | None = None,
) -> AsyncIterator[None]:
    """Run a swarm as long as the context is open; after it, every run has ended.

    Args:
        engine: an entered engine with a connector.
        swarm: the fireflies.
        phases: where each of them starts, from 0 to below 1.
        start_time: when they start, in seconds on the loop's clock; each at once if left out. On a wall
            clock a moment ahead lets all of them be there in time.

    Raises:
        ValueError: there are not as many phases as fireflies.
        ExceptionGroup: a firefly failed; the body of the context was cancelled.

    Examples:
        >>> import asyncio
        >>> import cascade as cs
        >>> from cascade.observatory import FlashLog, MirolloStrogatz, Oscillator, observing, ring
        >>> from cascade.simulation import run_simulated
        >>> async def main() -> int:
        ...     connector, log = cs.LocalBusConnector(cs.LocalBroker()), FlashLog(3)
        ...     swarm = swarm_of(ring(3), [Oscillator(MirolloStrogatz())] * 3)
        ...     async with cs.Engine(connector=connector) as engine, observing(connector, log):
        ...         async with running_swarm(engine, swarm, [0.0, 0.0, 0.0]):
        ...             await asyncio.sleep(2.5)
        ...     return len(log)
        >>> run_simulated(main())
        6
    """
    lives = [live(firefly, phase, start_time) for firefly, phase in zip(swarm, phases, strict=True)]
    async with asyncio.TaskGroup() as group:
        runs = [
            group.create_task(engine.run(life, name=firefly.topic), name=firefly.topic)
            for firefly, life in zip(swarm, lives, strict=True)
        ]
        try:
            yield
        finally:
            for run in runs:
                run.cancel()
