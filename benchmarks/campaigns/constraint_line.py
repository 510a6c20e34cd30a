"""``python -m benchmarks.campaigns.constraint_line``: a hundred thousand tasks in line behind a limit.

Tasks wait behind a limit of concurrency, all at the same time. However long the line, each of them should
cost the same: the verdict, and the exit status, is that one of the longest line costs at most twice what
one of the shortest does, that all of them ran, and never more at once than the limit says.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import cascade as cs

__all__ = ["Line", "Verdict", "campaign"]

_LIMIT = 10
_MOST = 2.0  # times what a task of the shortest line costs


@dataclass(frozen=True)
class Line:
    """What became of one line."""

    tasks: int
    ran: int
    at_once: int
    seconds: float

    @property
    def each(self) -> float:
        """Microseconds that each task cost."""
        return self.seconds / self.tasks * 1e6


@dataclass(frozen=True)
class Verdict:
    """What became of all lines, from the shortest to the longest."""

    lines: Sequence[Line]

    @property
    def limit_holds(self) -> bool:
        """Whether all tasks ran, and never more at once than the limit says."""
        return all(line.ran == line.tasks and line.at_once <= _LIMIT for line in self.lines)

    @property
    def is_linear(self) -> bool:
        """Whether a task costs the same in a short and in a long line, or nearly."""
        return self.lines[-1].each <= _MOST * self.lines[0].each

    def __str__(self) -> str:
        holds = "HOLDS" if self.limit_holds and self.is_linear else "BROKEN"
        lines = "".join(
            f"\n  {line.tasks:,} tasks, {line.ran:,} ran, {line.at_once} at once: "
            f"{line.seconds:.2f} s, {line.each:.1f} µs each"
            for line in self.lines
        )
        return f"{holds}: a limit of {_LIMIT}{lines}"


class _Count:
    """How many run, have run, and ran at once at most."""

    running = ran = most = 0


async def _line(tasks: int) -> Line:
    count = _Count()

    @cs.task
    async def counted(_number: int) -> None:
        count.running += 1
        count.most = max(count.most, count.running)
        await asyncio.sleep(0)
        count.running -= 1
        count.ran += 1

    connector = cs.LocalBusConnector(cs.LocalBroker())
    async with cs.Engine(connector=connector) as engine:
        order = {"id": "limit", "type": "concurrency", "n": _LIMIT}
        await connector.publish("cascade/constraints/task/counted", order, retain=True)
        call = counted.map(range(tasks))
        gc.collect()
        began = perf_counter()
        await engine.run(call)
        took = perf_counter() - began
    return Line(tasks, count.ran, count.most, took)


async def campaign(lengths: Sequence[int]) -> Verdict:
    """Have lines of these lengths wait, the shortest first."""
    return Verdict([await _line(length) for length in sorted(lengths)])


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, nargs="+", default=[10_000, 30_000, 100_000])
    verdict = asyncio.run(campaign(parser.parse_args().tasks))
    print(verdict)
    return 0 if verdict.limit_holds and verdict.is_linear else 1


if __name__ == "__main__":
    sys.exit(main())
