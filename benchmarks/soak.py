"""Ten million turns of an agent that sends and hears, and what the process grows by meanwhile."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from time import perf_counter
from typing import Any

import cascade as cs
from benchmarks.harness import Measured, Settings, report

_PAGE_KIB = 4


@cs.task
async def _turn(left: int, _sent: Any, heard: int) -> int:
    if heard != left:
        raise AssertionError(f"heard {heard} where {left} was sent")
    if not left:
        return left
    return _turn(left - 1, cs.send("turn", left - 1), cs.recv("turn", buffered=True))


def _resident_kib() -> float:
    """Return the resident memory of this process in KiB (Linux)."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_KIB


async def _soak(turns: int) -> list[Measured]:
    async with cs.Engine(connector=cs.LocalBusConnector(cs.LocalBroker())) as engine:
        await engine.run(_turn(10_000, None, 10_000))
        before, start = _resident_kib(), perf_counter()
        assert await engine.run(_turn(turns, None, turns)) == 0
        took, after = perf_counter() - start, _resident_kib()
    return [
        Measured("resident memory grew by", after - before, 1, "KiB", "none to speak of"),
        Measured("each turn took", took / turns * 1e6, 1, "µs"),
    ]


def main(settings: Settings) -> None:
    """Soak."""
    turns = settings.count(10_000_000)
    report(f"Soak: {turns:,} turns of recv and send", asyncio.run(_soak(turns)))
