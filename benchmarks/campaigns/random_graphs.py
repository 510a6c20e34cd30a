"""``python -m benchmarks.campaigns.random_graphs``: random graphs, cancelled at random instants; all closes.

Each graph is drawn from a number, so that ``--first`` repeats what one of them did. Beside the calls of
`expressions` it has resources of all three scopes, demands, threads, signals and sleeps; a limit holds
some of them in line. It is cancelled after a random number of turns of the event loop, or of
milliseconds, sometimes twice, sometimes never. Then whatever was opened is closed, slots and capacities
are free again, mailboxes are gone, and no asyncio task is left.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from time import perf_counter, sleep
from types import MappingProxyType
from typing import Any

import cascade as cs
from benchmarks.campaigns.expressions import NEEDS, Build, FailedError, built, drawn
from cascade.common.messaging import bus

__all__ = ["Verdict", "campaign"]

_PATIENCE = 30.0  # seconds after which a graph that has not ended never will
_THREADS_END = 2.0  # seconds after which every thread of a task that was cancelled has ended
_LIVES_ON = "resource '_of_engine'"  # the task of what is open until the engine closes
_LIMIT = {"id": "limit", "type": "concurrency", "n": 2}
_SHOWN = 10  # faults


@dataclass
class Verdict:
    """What became of the graphs."""

    graphs: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    """How many ended with a value, failed, or were cancelled."""

    faults: list[str] = field(default_factory=list)
    """What was not closed, with the number of the graph."""

    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether everything was closed."""
        return not self.faults

    def __str__(self) -> str:
        ends = ", ".join(f"{count} {end}" for end, count in sorted(self.ends.items()))
        told = "".join(f"\n  {fault}" for fault in self.faults[:_SHOWN])
        holds = "HOLDS" if self.holds else f"BROKEN ({len(self.faults)} faults)"
        return f"{holds}: {self.graphs} graphs in {self.seconds:.1f} s: {ends}{told}"


# --- what graphs are made of, beside `expressions` --------------------------------------------------

_open: Counter[str] = Counter()
"""Resources that are open, by their names."""


async def _closing(name: str) -> None:
    try:
        await asyncio.sleep(0)  # where a cancellation may come, which is thrown in here
    finally:
        _open[name] -= 1


@cs.resource(scope="task")
async def _of_task() -> AsyncIterator[str]:
    _open["task"] += 1
    try:
        await asyncio.sleep(0)
        yield "task"
    finally:
        await _closing("task")


@cs.resource(scope="run")
def _of_run() -> Iterator[str]:
    _open["run"] += 1
    try:
        yield "run"
    finally:
        _open["run"] -= 1


@cs.resource(scope="engine")
async def _of_engine() -> AsyncIterator[str]:
    _open["engine"] += 1
    try:
        yield "engine"
    finally:
        await _closing("engine")


@cs.task
async def _uses(
    name: str,
    *values: Any,
    of_task: str = cs.inject(_of_task),
    of_run: str = cs.inject(_of_run),
    of_engine: str = cs.inject(_of_engine),
) -> Any:
    await asyncio.sleep(0)
    return (name, of_task, of_run, of_engine, *values)


@cs.task
async def _demands(name: str, *values: Any) -> Any:
    await asyncio.sleep(0.001)
    return (name, *values)


@cs.task
def _in_a_thread(name: str, *values: Any) -> Any:
    sleep(0.001)
    return (name, *values)


@cs.task(mode="inline")
def _gathers(name: str, *values: Any) -> Any:
    return (name, *values)


def _hears(it: Any, needs: list[Any]) -> Any:
    signal = cs.recv("noise/+", timeout=0.002, default=None, buffered=it.number > 1)
    return _gathers(it.name, signal, *needs)


_MORE: Mapping[str, Build] = MappingProxyType(
    {
        "uses": lambda it, needs: _uses(it.name, *needs),
        "demands": lambda it, needs: _demands.with_demands(slot=it.number / 3)(it.name, *needs),
        "threads": lambda it, needs: _in_a_thread(it.name, *needs),
        "hears": _hears,
        "sends": lambda it, needs: _gathers(it.name, cs.send(f"noise/{it.name}", 1), *needs),
        "sleeps": lambda it, needs: _gathers(it.name, cs.wait(0.001 * it.number), *needs),
        "in time": lambda _it, needs: cs.catch(cs.timeout(needs[0], 0.001), TimeoutError, None),
    }
)
_KINDS = {**NEEDS, **dict.fromkeys(_MORE, (0, 2)), "in time": (1, 1)}


# --- one graph --------------------------------------------------------------------------------------


class _Trial:
    """One graph: drawn, begun, cancelled, and looked at."""

    def __init__(self, number: int) -> None:
        self.chance = random.Random(number)
        self.call = built(drawn(self.chance.randint, _KINDS), _MORE)
        self.broker = cs.LocalBroker()
        self.connector = cs.LocalBusConnector(self.broker)
        self.engine = cs.Engine(connector=self.connector, capacities={"slot": 1})
        self.loop = asyncio.get_running_loop()
        self.before = asyncio.all_tasks()

    async def run(self) -> tuple[str, list[str]]:
        """Return how it ended, and what was not closed."""
        async with self.engine:
            if self.chance.randint(0, 1):
                topic = "cascade/constraints/global"
                await self.connector.publish(topic, _LIMIT, retain=True)
            at_rest = asyncio.all_tasks()
            run = self.loop.create_task(self.engine.run(self.call))
            end = await self._end_of(run)
            faults = [f"task {each!r}" for each in await self._left(at_rest)]
            faults += [*self._held(), *_open_of("task", "run")]
        faults += [f"task {each!r}" for each in await self._left(self.before)]
        faults += _open_of("task", "run", "engine")
        if heard := self.broker.subscription_count:
            faults.append(f"{heard} subscriptions after the engine has closed")
        _open.clear()
        return end, faults

    async def _end_of(self, run: asyncio.Task[Any]) -> str:
        for _ in range(self.chance.choice((0, 1, 1, 1, 2))):
            await self._instant()
            run.cancel()
        await asyncio.wait([run])
        if run.cancelled():
            return "cancelled"
        error = run.exception()
        if error is None or isinstance(error, FailedError):
            return "came to a value" if error is None else "failed"
        return f"raised {error!r}"

    async def _instant(self) -> None:
        if self.chance.randint(0, 1):
            await asyncio.sleep(self.chance.uniform(0, 0.005))
            return
        for _ in range(self.chance.randint(0, 40)):
            await asyncio.sleep(0)

    def _held(self) -> Iterator[str]:
        """Return what a run that has ended still holds of its engine."""
        services = self.engine._services  # noqa: SLF001 - what is held is seen inside alone
        if services.frames or services.in_flight:
            yield f"{len(services.frames)} frames, {len(services.in_flight)} computations"
        seen = vars(services.admission)
        if (
            seen["_free"] != services.admission.capacities.total
            or +seen["_running"]
            or seen["counted"]
        ):
            yield f"free {seen['_free']}, running {seen['_running']}, counted {seen['counted']}"
        if seen["_lines"]:
            yield "tasks in line"
        if (heard := self.broker.subscription_count) != 1:  # that of the engine, for constraints
            yield f"{heard} subscriptions"

    async def _left(self, expected: set[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
        """Return tasks that stay and should not; what waits for a thread that goes on does not stay."""
        end = self.loop.time() + _THREADS_END
        while True:
            left = {each for each in asyncio.all_tasks() - expected if each.get_name() != _LIVES_ON}
            if not left or self.loop.time() > end:
                return left
            await asyncio.sleep(0.001)


def _open_of(*names: str) -> list[str]:
    return [f"{_open[name]} resources of scope {name}" for name in names if _open[name]]


async def _tried(number: int) -> tuple[str, list[str]]:
    try:
        async with asyncio.timeout(_PATIENCE):
            end, faults = await _Trial(number).run()
    except TimeoutError:
        end, faults = "hung", []
    known = {"came to a value", "failed", "cancelled"}
    return end, faults if end in known else [*faults, end]


async def campaign(graphs: int, first: int = 0) -> Verdict:
    """Draw so many graphs, cancel them, and say what was left behind."""
    verdict, began = Verdict(), perf_counter()
    threads = threading.active_count()
    with bus.divert(lambda _message: None):
        for number in range(first, first + graphs):
            end, faults = await _tried(number)
            verdict.graphs += 1
            verdict.ends[end] += 1
            verdict.faults += [f"graph {number}: {fault}" for fault in faults]
    end = perf_counter() + _THREADS_END
    while threading.active_count() > threads and perf_counter() < end:
        await asyncio.sleep(0.001)
    if (left := threading.active_count() - threads) > 0:
        verdict.faults.append(f"{left} threads")
    verdict.seconds = perf_counter() - began
    return verdict


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graphs", type=int, default=4_000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first graph")
    options = parser.parse_args()
    verdict = asyncio.run(campaign(options.graphs, options.first))
    print(verdict)
    return 0 if verdict.holds else 1


if __name__ == "__main__":
    sys.exit(main())
