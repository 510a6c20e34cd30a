"""``python -m benchmarks.takeup``: agents whose process has died, taken up by another one.

They are entered as such a process leaves them: with its name, and a lease that is over. Each goes on for
some steps, and ends. Measured from before the other engine opens: until it has taken the first thousand
steps, until all have ended, and the memory of the process at its most.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, time
from typing import Any

import cascade as cs
from cascade.interfaces.store import DurableAgent
from cascade.spec.codec import encode
from cascade.stores.sqlite import SqliteStore

__all__ = ["main"]

_AT_ONCE = 1_000
_FIRST = 1_000  # steps
_made = 0


@cs.task(mode="inline")
def goes_on(left: int) -> Any:
    """Take some steps, and end."""
    global _made  # noqa: PLW0603 - counted here, since it is what is measured
    _made += 1
    return goes_on(left - 1) if left else 0


def _left(agents: int, steps: int) -> Iterator[list[DurableAgent]]:
    """Yield agents, as a process that has died has left them."""
    call, now = encode(goes_on(steps)), time()
    for first in range(0, agents, _AT_ONCE):
        yield [
            DurableAgent(
                f"a{number:07}",
                call,
                call,
                owner="gone",
                lease_until=now - 1,
                epoch=1,
                created_at=now,
                changed_at=now,
            )
            for number in range(first, min(first + _AT_ONCE, agents))
        ]


async def _enter(path: Path, agents: int, steps: int) -> None:
    store = SqliteStore(path)
    await store.open()
    for batch in _left(agents, steps):
        await store.create(batch)
    await store.aclose()


async def _measure(path: Path, agents: int, steps: int) -> None:
    await _enter(path, agents, steps)
    began = perf_counter()
    async with cs.Engine(store=path) as engine:
        while _made < _FIRST:
            await asyncio.sleep(0.001)
        first = perf_counter() - began
        while await engine.agents.list(statuses=["ready"], limit=1):
            await asyncio.sleep(0.05)
        took = perf_counter() - began
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"{agents:,} agents of a process that is gone, {steps + 1} steps each")
    print(f"the first {_FIRST:,} steps after {first:.2f} s")
    print(f"all ended after {took:.1f} s, {took / agents / (steps + 1) * 1e6:.0f} µs a step")
    print(f"memory at most: {most:.0f} MB")


def main() -> int:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(prog="takeup", description=__doc__)
    parser.add_argument("--agents", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=2, help="that each takes before its last one")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(Path(folder) / "agents.db", given.agents, given.steps))
    return 0


if __name__ == "__main__":
    sys.exit(main())
