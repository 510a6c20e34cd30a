"""Measures candidates side by side: interleaved, in one process, the median of several repeats.

A machine's speed drifts while it measures, so a figure alone says little. Every repeat therefore runs
every candidate once, and the ratios are taken between medians of the same repeats. The garbage
collector runs as users have it.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import math
import platform
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

__all__ = ["Measured", "Settings", "absent", "compare", "peer", "report", "timed", "timed_async"]

RESULTS = Path("build/benchmarks")


@dataclass(frozen=True)
class Settings:
    """How thoroughly to measure."""

    repeats: int = 7
    scale: float = 1.0
    """Factor on the number of operations in each repeat."""

    def count(self, full: int) -> int:
        """Return how many operations to do where ``full`` is the thorough number."""
        return max(1, int(full * self.scale))


@dataclass(frozen=True)
class Measured:
    """One row of a table."""

    name: str
    value: float
    ratio: float
    """Value over that of the first row of its group."""

    unit: str
    goal: str = ""
    note: str = ""


def peer(module: str) -> Any | None:
    """Return a module of somebody else's package, or None where that is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


def absent(name: str) -> Measured:
    """Return the row of what could not be measured here."""
    return Measured(name, math.nan, math.nan, "", note="not installed")


def timed(count: int, work: Callable[[], object]) -> float:
    """Return nanoseconds per operation of a function that does ``count`` of them."""
    start = perf_counter()
    work()
    return (perf_counter() - start) / count * 1e9


async def timed_async(count: int, work: Awaitable[object]) -> float:
    """Return nanoseconds per operation of an awaitable that does ``count`` of them."""
    start = perf_counter()
    await work
    return (perf_counter() - start) / count * 1e9


async def compare(
    candidates: dict[str, Callable[[], Awaitable[float]]],
    settings: Settings,
    *,
    unit: str = "ns",
    goals: dict[str, str] | None = None,
    notes: dict[str, str] | None = None,
) -> list[Measured]:
    """Run every candidate once per repeat; return the medians, with ratios to the first candidate."""
    values: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(settings.repeats):
        for name, candidate in candidates.items():
            values[name].append(await candidate())
            await asyncio.sleep(0)
    medians = {name: median(measured) for name, measured in values.items()}
    first = next(iter(medians.values()))
    return [
        Measured(
            name,
            value,
            value / first,
            unit,
            (goals or {}).get(name, ""),
            (notes or {}).get(name, ""),
        )
        for name, value in medians.items()
    ]


def report(title: str, rows: list[Measured]) -> None:
    """Print a table in Markdown, and save it as JSON under ``build/benchmarks``."""
    print(f"\n### {title}\n\n| | measured | ratio | goal | |\n| --- | ---: | ---: | --- | --- |")
    measured = [row for row in rows if not math.isnan(row.value)]
    for row in rows:
        figures = f"{row.value:,.4g} {row.unit} | {row.ratio:.2f}" if row in measured else " | "
        print(f"| {row.name} | {figures} | {row.goal} | {row.note} |")
    RESULTS.mkdir(parents=True, exist_ok=True)
    slug = "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split())
    saved = {
        "title": title,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "rows": [asdict(row) for row in measured],
    }
    (RESULTS / f"{slug}.json").write_text(json.dumps(saved, indent=1), encoding="utf-8")
