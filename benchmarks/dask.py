"""Remote tasks on a Dask cluster of two processes, beside the same functions given to Dask itself."""

from __future__ import annotations

import asyncio
from functools import partial

from distributed import Client, LocalCluster

import cascade as cs
from benchmarks.harness import Settings, compare, report, timed, timed_async
from cascade.executors.dask import DaskExecutor

TASKS, MANY, BATCH = 2_000, 10_000, 100


@cs.task(mode="remote")
def half(n: int) -> float:
    """Take no time, so that what is left is the way there and back."""
    return n / 2


def _check(values: list[float], count: int) -> None:
    assert values[-1] == (count - 1) / 2
    assert len(values) == count


def _submitted(client: Client, count: int) -> float:
    def work() -> None:
        futures = [client.submit(half.function, n, pure=False) for n in range(count)]
        _check(client.gather(futures), count)

    return timed(count, work) / 1000


def _mapped(client: Client, count: int) -> float:
    def work() -> None:
        _check(client.gather(client.map(half.function, range(count), pure=False)), count)

    return timed(count, work) / 1000


async def _cascade(engine: cs.Engine, task: cs.Task[[int], float], count: int) -> float:
    async def work() -> None:
        _check(await engine.run(task.map(range(count))), count)

    return await timed_async(count, work()) / 1000


async def _measure(client: Client, cluster: LocalCluster, settings: Settings) -> None:
    executor = DaskExecutor(cluster)
    few, many = settings.count(TASKS), settings.count(MANY)
    async with cs.Engine(executor=executor) as engine:
        await engine.run(half.map(range(100)))
        beside = {
            "Dask, submit for each": lambda: asyncio.to_thread(_submitted, client, few),
            "Dask, map": lambda: asyncio.to_thread(_mapped, client, few),
            "Cascade": partial(_cascade, engine, half, few),
        }
        rows = await compare(beside, settings, unit="µs a task", goals={"Cascade": "≤ 1.15"})
        report(f"Dask: {few:,} small tasks", rows)
        in_batches = half.with_placement(batch=BATCH)
        together = {
            "one by one": partial(_cascade, engine, half, many),
            f"in batches of {BATCH}": partial(_cascade, engine, in_batches, many),
        }
        goals = {f"in batches of {BATCH}": "≤ 0.4"}
        rows = await compare(together, settings, unit="µs a task", goals=goals)
        report(f"Dask: {many:,} small tasks in batches", rows)
    await executor.aclose()


def main(settings: Settings) -> None:
    """Measure on a cluster of this machine."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        asyncio.run(_measure(client, cluster, settings))
