"""``python -m benchmarks.sleepers``: durable agents that wait, in one file and out of memory.

Half of them wait for an hour that does not come, half for a signal to their names. Measured: the time
until all of them have begun and sleep, the file and the memory of the process then, and how long it takes
from a signal to one of them until its value is in the store.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import cascade as cs

__all__ = ["main"]

_WOKEN = 50
_AT_ONCE = 1_000


@cs.task
async def rings(n: int, seconds: float) -> int:
    """Wait for an hour."""
    return value(n, cs.wait(seconds))


@cs.task
async def listens(n: int, name: str) -> int:
    """Wait for a signal."""
    return value(n, cs.recv(cs.agent(name)))


@cs.task
async def value(n: int, _waited: object) -> int:
    """Come to an end."""
    return n


@cs.task
async def wakes(name: str) -> None:
    """Send to an agent."""
    return cs.send(cs.agent(name), None)


def _call(n: int) -> Any:
    """Return what an agent begins with."""
    return rings(n, 1e8) if n % 2 else listens(n, f"a{n:07}")


def _memory() -> float:
    """Return the memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def _sizes(path: Path) -> tuple[int, int]:
    """Return the size of a file, and with those beside it."""
    return path.stat().st_size, sum(each.stat().st_size for each in path.parent.iterdir())


async def _all_sleep(engine: cs.Engine) -> None:
    """Wait until all agents sleep; those that do are not looked at again."""
    after = ""
    while records := await engine.agents.list(statuses=["ready"], after=after, limit=1_000):
        if all(record.asleep for record in records):
            after = records[-1].name
        else:
            await asyncio.sleep(0.2)


async def _measure(path: Path, agents: int) -> None:
    async with cs.Engine(store=path) as engine:
        engine.agents.settings.hibernates_after = 1.0
        before, began = _memory(), perf_counter()
        for first in range(0, agents, _AT_ONCE):
            numbers = range(first, min(first + _AT_ONCE, agents))
            await engine.agents.start({f"a{n:07}": _call(n) for n in numbers})
        await _all_sleep(engine)
        seconds = perf_counter() - began
        size, files = _sizes(path)
        print(
            f"{agents:,} agents: all asleep after {seconds:.1f} s, {seconds / agents * 1e6:.0f} µs each"
        )
        print(f"file: {size / agents:.0f} bytes each ({files / agents:.0f} with its log)")
        print(f"memory: {_memory():.0f} MB, {before:.0f} MB before the first of them")
        times = []
        for n in range(0, 2 * _WOKEN, 2):
            began = perf_counter()
            await engine.run(wakes(f"a{n:07}"), name=f"w{n}", durable=True)
            while await engine.agents.list(statuses=["ready"], prefix=f"a{n:07}", limit=1):
                await asyncio.sleep(0.0005)
            times.append((perf_counter() - began) * 1e3)
        print(
            f"woken by a signal, to its value: {median(times):.1f} ms, {max(times):.1f} ms at most"
        )


def main() -> int:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(prog="sleepers", description=__doc__)
    parser.add_argument("--agents", type=int, default=100_000)
    agents = parser.parse_args().agents
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(Path(folder) / "agents.db", agents))
    return 0


if __name__ == "__main__":
    sys.exit(main())
