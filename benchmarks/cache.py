"""A value that is remembered: a hit in memory and from disk, and what the digest of a large array costs.

Beside joblib.Memory, whose values lie on disk, and redun, whose lie in a database, here in memory.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from hashlib import sha256
from tempfile import TemporaryDirectory
from time import perf_counter_ns
from typing import Any

import cascade as cs
from benchmarks.harness import Measured, Settings, absent, compare, peer, report, timed
from cascade.caches.files import FileCache
from cascade.interfaces.cache import Cache
from cascade.spec.content import digest_of

HITS = 2_000
BYTES = 50_000_000
N = 21


@cs.task(mode="inline")
def _double(n: int) -> int:
    return 2 * n


_remembered = _double.with_cache()


def plain_double(n: int) -> int:
    """Do the same for the peers, which find it by its name."""
    return 2 * n


@cs.task
async def _hits(count: int) -> float:
    """Return the nanoseconds of a hit, one after the other within a run."""
    await cs.evaluate(_remembered(N))
    start = perf_counter_ns()
    for _ in range(count):
        assert await cs.evaluate(_remembered(N)) == 2 * N
    return (perf_counter_ns() - start) / count


@cs.task
async def _calls(count: int) -> float:
    """Return the nanoseconds of the same without a cache."""
    start = perf_counter_ns()
    for _ in range(count):
        assert await cs.evaluate(_double(N)) == 2 * N
    return (perf_counter_ns() - start) / count


def _in_microseconds(measure: Callable[[], Awaitable[float]]) -> Callable[[], Awaitable[float]]:
    async def measured() -> float:
        return await measure() / 1000

    return measured


def _ours(cache: Cache | None, count: int) -> Callable[[], Awaitable[float]]:
    return lambda: cs.run_async(_hits(count), cache=cache)


def _joblib(module: Any, folder: str, count: int) -> Callable[[], Awaitable[float]]:
    cached = module.Memory(folder, verbose=0).cache(plain_double)

    async def hits() -> float:
        assert cached(N) == 2 * N
        return timed(count, lambda: [cached(N) for _ in range(count)])

    return hits


def _redun(module: Any, count: int) -> Callable[[], Awaitable[float]]:
    logging.getLogger("redun").setLevel(logging.WARNING)
    task, scheduler = module.task(namespace="cache_benchmark")(plain_double), module.Scheduler()

    async def hits() -> float:
        assert scheduler.run(task(N)) == 2 * N
        return timed(count, lambda: [scheduler.run(task(N)) for _ in range(count)])

    return hits


async def _compare_hits(settings: Settings) -> list[Measured]:
    count = settings.count(HITS)
    missing = []
    with TemporaryDirectory() as folder:
        candidates = {
            "computed, not remembered": lambda: cs.run_async(_calls(count)),
            "a hit in memory": _ours(None, count),
            "a hit from disk": _ours(FileCache(f"{folder}/cascade"), count),
        }
        if (joblib := peer("joblib")) is not None:
            candidates["joblib.Memory, a hit from disk"] = _joblib(joblib, folder, count)
        else:
            missing.append(absent("joblib.Memory"))
        if (redun := peer("redun")) is not None:
            candidates["redun, a hit"] = _redun(redun, max(1, count // 20))
        else:
            missing.append(absent("redun"))
        rows = await compare(
            {name: _in_microseconds(candidate) for name, candidate in candidates.items()},
            settings,
            unit="µs",
            goals={"a hit in memory": "≤ 60 µs", "a hit from disk": "≤ 400 µs"},
        )
    return rows + missing


async def _compare_digests(settings: Settings) -> list[Measured]:
    numpy = peer("numpy")
    if numpy is None:
        return [absent("numpy")]
    array = numpy.arange(BYTES // 8, dtype="f8")

    async def bare() -> float:
        return timed(1, lambda: sha256(array).hexdigest()) / 1e6

    async def ours() -> float:
        return timed(1, lambda: digest_of(array)) / 1e6

    return await compare(
        {"its sha256": bare, "its content's digest": ours},
        settings,
        unit="ms",
        goals={"its content's digest": "≤ 1.2 ×"},
    )


def main(settings: Settings) -> None:
    """Measure both."""
    report("A remembered value", asyncio.run(_compare_hits(settings)))
    report("The digest of an array of 50 MB", asyncio.run(_compare_digests(settings)))
