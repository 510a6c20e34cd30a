"""One experiment each, from its parameters and a seed to what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from statistics import fmean
from typing import Any

from cascade.observatory.experiment import Experiment, Settings
from cascade.observatory.response import (
    Additive,
    FlashKuramoto,
    MirolloStrogatz,
    lorentzian_periods,
)
from cascade.observatory.synchrony import Criterion
from cascade.observatory.topology import all_to_all, torus

__all__ = ["additive_torus", "everyone", "kuramoto", "pair", "torus_cycles"]

_SAME_INSTANT = 1e-9  # periods: simulated time is exact, and this only allows for rounding


def pair(b: float, epsilon: float, phase: float, seed: int) -> Mapping[str, Any]:
    """Two of Mirollo & Strogatz, one at phase 0: firings until one absorbs the other, that one included."""
    experiment = Experiment(
        Settings(
            topology=all_to_all(2),
            response=MirolloStrogatz(b, epsilon, refractory=0.0),
            phases=[0.0, phase],
            duration=30.0,
            seed=seed,
            criterion=Criterion(window=_SAME_INSTANT, share=1.0),
        )
    )
    experiment.simulate()
    volleys = [len(list(same)) for _, same in groupby(experiment.log.seen)]
    return {"firings": volleys.index(2) + 1 if 2 in volleys else None}  # noqa: PLR2004 - both of them


def everyone(count: int, e: float, seed: int) -> Mapping[str, Any]:
    """All-to-all with ε = e/N, from random starts: cycles until all flash at one instant; None if never."""
    return {"cycles": _cycles(all_to_all(count), MirolloStrogatz(3.0, e / count, 0.0), 1.0, seed)}


def torus_cycles(side: int, seed: int) -> Mapping[str, Any]:
    """Torus, 8 neighbours, ε = 0.3/8, refractory 0.1: cycles until 99 % flash at one instant."""
    return {"cycles": _cycles(torus(side), MirolloStrogatz(3.0, 0.3 / 8, 0.1), 0.99, seed)}


def _cycles(topology: Any, response: MirolloStrogatz, share: float, seed: int) -> float | None:
    criterion = Criterion(window=_SAME_INSTANT, share=share, order=0.97)
    experiment = Experiment(
        Settings(
            topology=topology, response=response, duration=200.0, seed=seed, criterion=criterion
        )
    )
    experiment.simulate()
    return experiment.in_step_after


def kuramoto(coupling: float, seconds: float, seed: int) -> Mapping[str, Any]:
    """A hundred flash-only Kuramoto oscillators, T = 1 s, γ = 0.05: r, averaged over the last two thirds."""
    count = 100
    experiment = Experiment(
        Settings(
            topology=all_to_all(count),
            response=FlashKuramoto(coupling, count),
            periods=lorentzian_periods(count, 1.0, 0.05),
            duration=seconds,
            seed=seed,
            full=True,
        )
    )
    experiment.simulate()
    times, values = experiment.coherence.times, experiment.coherence.values
    return {"r": fmean(r for at, r in zip(times, values, strict=True) if at >= seconds / 3)}


def additive_torus(side: int, cycles: int, seed: int) -> Mapping[str, Any]:
    """The negative control on a torus: r, averaged over the last 10 cycles."""
    experiment = Experiment(
        Settings(
            topology=torus(side),
            response=Additive(0.3 / 8, refractory=0.0),
            duration=float(cycles),
            seed=seed,
            full=True,
        )
    )
    experiment.simulate(every=10.0)
    return {"r": fmean(experiment.coherence.values[-200:])}
