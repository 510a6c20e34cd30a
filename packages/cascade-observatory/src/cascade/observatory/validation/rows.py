"""What was published, with its tolerance, and how it is measured here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Any

from cascade.observatory.sweep import Trial
from cascade.observatory.validation import trials

__all__ = ["ROWS", "Claim", "Row"]


@dataclass(frozen=True, slots=True)
class Claim:
    """One number that was published, and what it is compared with."""

    setting: Mapping[str, Any]
    """The parameters that it belongs to; measured is what the trials with these gave."""

    expected: str
    """As it was published."""

    holds: Callable[[float], bool]
    """Whether a measured number is within tolerance."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One result, with all of its claims."""

    name: str
    title: str
    source: str
    """Where it comes from."""

    tolerance: str
    trial: Trial
    measure: Callable[[list[Any]], float]
    """Turns what the trials of one claim gave into the one number that is compared with it."""

    claims: Sequence[Claim]
    seeds: int
    """How many seeds, from 0."""

    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Parameters that are the same for all claims."""


def _near(expected: float, tolerance: float) -> Callable[[float], bool]:
    return lambda measured: abs(measured - expected) <= tolerance


def _within(expected: float, share: float) -> Callable[[float], bool]:
    return lambda measured: abs(measured - expected) <= share * expected


def _exactly(expected: float) -> Callable[[float], bool]:
    return lambda measured: measured == expected


def _at_most(limit: float) -> Callable[[float], bool]:
    return lambda measured: measured <= limit


def _cycles(values: list[Any]) -> float:
    """Return the median number of cycles; one that never came counts as infinitely many."""
    return median(float("inf") if value is None else value for value in values)


def _synchronised(values: list[Any]) -> float:
    return sum(value is not None for value in values)


def _pairs(b: float, epsilon: float, firings: Sequence[int]) -> list[Claim]:
    return [
        Claim({"b": b, "epsilon": epsilon, "phase": phase}, f"{count}", _exactly(count))
        for phase, count in zip((0.1, 0.3, 0.7, 0.9), firings, strict=True)
    ]


_MS = "Mirollo & Strogatz, SIAM J. Appl. Math. 50 (1990) 1645"
_KURAMOTO = "Kuramoto (1975); Strogatz, Physica D 143 (2000) 1; Kc = 2/(π g(0)) = 2γ"

ROWS = (
    Row(
        "V2",
        "Flash-only Kuramoto above the threshold, T = 1 s, γ = 0.05, N = 100, 300 s: "
        "r = √(1 - Kc/K), averaged over the last 200 s",
        _KURAMOTO,
        "± 0.02",
        trials.kuramoto,
        fmean,
        [
            Claim({"coupling": k}, f"{r:.3f}", _near(r, 0.02))
            for k, r in ((0.15, 0.577), (0.2, 0.707), (0.3, 0.816), (0.5, 0.894))
        ],
        seeds=8,
        fixed={"seconds": 300.0},
    ),
    Row(
        "V2b",
        "The same below the threshold",
        _KURAMOTO,
        "r < 0.2",
        trials.kuramoto,
        fmean,
        [Claim({"coupling": 0.05}, "< 0.2", lambda r: r < 0.2)],  # noqa: PLR2004 - as published
        seeds=8,
        fixed={"seconds": 300.0},
    ),
    Row(
        "V5",
        "Two oscillators, one at phase 0 and one at φ: firings until one absorbs the other",
        _MS,
        "exact",
        trials.pair,
        median,
        [
            *_pairs(3.0, 0.02, (3, 15, 18, 4)),
            *_pairs(3.0, 0.05, (1, 5, 8, 2)),
            *_pairs(3.0, 0.1, (1, 3, 6, 2)),
            *_pairs(1.0, 0.05, (3, 15, 22, 6)),
        ],
        seeds=1,
    ),
    Row(
        "V7",
        "All-to-all from random starts, b = 3, ε = 0.2/N, N = 100: runs in which everyone synchronises",
        _MS,
        "exact",
        trials.everyone,
        _synchronised,
        [Claim({"e": 0.2}, "100 of 100", _exactly(100))],
        seeds=100,
        fixed={"count": 100},
    ),
    Row(
        "V7b",
        "All-to-all, b = 3, ε = e/N, N = 100: median cycles until everyone flashes at one instant. "
        "With e = 0.4 most runs take about 1.7 or 2.5 cycles and few between, so that few seeds will "
        "not do",
        _MS,
        "± 25 %",
        trials.everyone,
        _cycles,
        [
            Claim({"e": e}, f"{cycles}", _within(cycles, 0.25))
            for e, cycles in ((0.05, 30.1), (0.1, 14.0), (0.2, 6.0), (0.4, 1.8))
        ],
        seeds=101,
        fixed={"count": 100},
    ),
    Row(
        "V8",
        "Torus L × L, 8 neighbours, b = 3, ε = 0.3/8, refractory 0.1: "
        "median cycles until 99 % flash at one instant",
        "Campbell, Wang & Jayaprakash, Neural Computation 11 (1999) 1595: like the logarithm of size",
        "± 2 cycles",
        trials.torus_cycles,
        _cycles,
        [
            Claim({"side": side}, f"{cycles}", _near(cycles, 2))
            for side, cycles in ((10, 4), (20, 5.5), (30, 7.5), (50, 8))
        ],
        seeds=15,
    ),
    Row(
        "V12",
        "Negative control: additive pulses (a straight line instead of the concave curve), torus "
        "50 × 50, ε = 0.3/8, no refractory period: r after 200 cycles, the worst seed",
        "without dissipation nothing pulls together",
        "r ≤ 0.11",
        trials.additive_torus,
        max,
        [Claim({"side": 50}, "≤ 0.11", _at_most(0.11))],
        seeds=3,
        fixed={"cycles": 200},
    ),
)
