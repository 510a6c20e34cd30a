"""Fireflies on simulated time beside other simulators: the same model, the same flashes.

Torus, 8 neighbours, Mirollo-Strogatz b = 3, ε = 0.3/8, refractory 0.1, 60 simulated seconds. Every
candidate has to give as many flashes as the event heap, or its figure is not printed.
"""

from __future__ import annotations

import asyncio
import gc
import math
import tracemalloc
from collections.abc import Callable
from statistics import median
from time import perf_counter

import cascade as cs
from benchmarks import fireflies_peers as peers
from benchmarks.harness import Measured, Settings, absent, peer, report
from cascade.observatory import (
    Experiment,
    FlashLog,
    MirolloStrogatz,
    Oscillator,
    observing,
    random_phases,
    running_swarm,
    swarm_of,
    torus,
)
from cascade.observatory import Settings as Setting
from cascade.simulation import run_simulated

SECONDS = 60.0
SIDES = (10, 32, 50)


async def _flashes(side: int) -> int:
    """Run a swarm on a real engine and bus, and count its flashes."""
    agents = side * side
    swarm = swarm_of(torus(side), [Oscillator(MirolloStrogatz())] * agents)
    connector = cs.LocalBusConnector(cs.LocalBroker())
    log = FlashLog(agents)
    async with (
        cs.Engine(connector=connector) as engine,
        observing(connector, log),
        running_swarm(engine, swarm, random_phases(agents, 0)),
    ):
        await asyncio.sleep(SECONDS)
    return len(log)


def _cascade(side: int) -> int:
    return run_simulated(_flashes(side))


def _candidates() -> dict[str, Callable[[int], int] | None]:
    """Return, by name, what runs a swarm of that side and returns its flashes; None if not installed."""
    mesa, simpy = peer("mesa.experimental.devs"), peer("simpy")
    return {
        "event heap, no agents": lambda side: peers.event_heap(side, SECONDS),
        "Cascade: workflows on the bus": _cascade,
        "asyncio by hand, a future per wait": lambda side: peers.by_hand(side, SECONDS),
        "Mesa, DEVS": mesa and (lambda side: peers.with_mesa(side, SECONDS)),
        "SimPy, interrupts": simpy and (lambda side: peers.with_simpy(side, SECONDS)),
    }


def race(settings: Settings) -> None:
    """Run every candidate once per repeat and size."""
    repeats = 1 if settings.scale < 1 else 3
    for side in SIDES[:1] if settings.scale < 1 else SIDES:
        taken: dict[str, list[float]] = {}
        flashes: dict[str, int] = {}
        candidates = _candidates()
        for _ in range(repeats):
            for name, run in candidates.items():
                if run is not None:
                    gc.collect()
                    start = perf_counter()
                    flashes[name] = run(side)
                    taken.setdefault(name, []).append(perf_counter() - start)
        expected = flashes["event heap, no agents"]
        base = median(taken["Cascade: workflows on the bus"])
        rows = []
        for name in candidates:
            if name not in taken:
                rows.append(absent(name))
                continue
            if flashes[name] != expected:
                raise AssertionError(f"{name}: {flashes[name]} flashes, not {expected}")
            seconds = median(taken[name])
            rows.append(Measured(name, seconds, seconds / base, "s"))
        agents = side * side
        report(f"Fireflies: {agents:,} agents, 60 simulated seconds, {expected:,} flashes", rows)


def many(settings: Settings) -> None:
    """How much faster than real time, and how much memory an agent takes."""
    side = 100 if settings.scale == 1 else 10
    experiment = Experiment(
        Setting(
            topology=torus(side), phases=random_phases(side * side, 0), duration=20.0, full=True
        )
    )
    start = perf_counter()
    experiment.simulate(every=20.0)
    took = perf_counter() - start
    rows = [
        Measured("simulated seconds per second", 20.0 / took, 1, "", "> 1"),
        Measured("an agent, all in", _bytes_per_agent(side // 2), 1, "bytes", "≤ 6,144"),
    ]
    report(f"Fireflies: {side * side:,} agents, and memory", rows)


def _bytes_per_agent(side: int) -> float:
    """Return the bytes that the agents of a swarm hold while they live, without the log of flashes."""
    held = math.nan

    def look(_experiment: Experiment) -> None:
        nonlocal held
        gc.collect()
        held = (tracemalloc.get_traced_memory()[0] - before) / (side * side)

    experiment = Experiment(Setting(topology=torus(side), duration=3.5, full=True))
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    experiment.simulate(look, every=3.45)
    tracemalloc.stop()
    return held


def main(settings: Settings) -> None:
    """Run both."""
    race(settings)
    many(settings)
