"""Chains, fan-outs and loops in packages that record every task in a database."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from unittest.mock import patch

from benchmarks.harness import peer

PREFECT = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "ERROR",
    "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
}
START_SECONDS = 90
RUN_SECONDS = 60


class _Redun(NamedTuple):
    scheduler: Any
    plus_one: Any
    total: Any
    count_down: Any

    def run(self, expression: Any) -> int:
        # Its cache would answer the second repeat without running anything.
        return int(self.scheduler.run(expression, cache=False))


@cache
def _redun(module: Any) -> _Redun:
    """Return a scheduler with a database in memory, and the tasks."""
    logging.getLogger("redun").setLevel(logging.WARNING)
    task = module.task(namespace="benchmarks")

    @task
    def plus_one(n: int) -> int:
        return n + 1

    @task
    def total(values: list[int]) -> int:
        return sum(values)

    @task
    def count_down(n: int) -> Any:
        return count_down(n - 1) if n else 0

    return _Redun(module.Scheduler(), plus_one, total, count_down)


async def redun_chain(module: Any, size: int) -> int:
    """Each task takes the value of the one before."""
    redun, value = _redun(module), 0
    for _ in range(size):
        value = redun.plus_one(value)
    return redun.run(value)


async def redun_fan_out(module: Any, size: int) -> int:
    """Add up what independent tasks give."""
    redun = _redun(module)
    return redun.run(redun.total([redun.plus_one(n) for n in range(size)]))


async def redun_loop(module: Any, size: int) -> int:
    """Count down, a step at a time."""
    redun = _redun(module)
    return redun.run(redun.count_down(size))


@contextmanager
def prefect_server() -> Generator[None]:
    """Give prefect a server on loopback and a home; both are gone at the end of the block."""
    if find_spec("prefect") is None:
        yield
        return
    with TemporaryDirectory() as home, patch.dict(os.environ, PREFECT, PREFECT_HOME=home):
        # It reads the environment when it is imported.
        utilities = peer("prefect.testing.utilities")
        assert utilities
        with utilities.prefect_test_harness(server_startup_timeout=START_SECONDS):
            yield


class _Prefect(NamedTuple):
    chain: Any
    fan_out: Any
    loop: Any


@cache
def _prefect(module: Any) -> _Prefect:
    """Return the three shapes as flows, which end with an error when they take too long."""
    flow = module.flow(timeout_seconds=RUN_SECONDS)

    @module.task
    async def add(n: int, by: int) -> int:
        return n + by

    @flow
    async def chain(size: int) -> int:
        n = 0
        for _ in range(size):
            n = await add(n, 1)
        return n

    @flow
    async def fan_out(size: int) -> int:
        return sum(await asyncio.gather(*[add(n, 1) for n in range(size)]))

    @flow
    async def loop(n: int) -> int:
        while n:
            n = await add(n, -1)
        return n

    return _Prefect(chain, fan_out, loop)


async def prefect_chain(module: Any, size: int) -> int:
    """Each task takes the value of the one before."""
    return int(await _prefect(module).chain(size))


async def prefect_fan_out(module: Any, size: int) -> int:
    """Add up what independent tasks give."""
    return int(await _prefect(module).fan_out(size))


async def prefect_loop(module: Any, size: int) -> int:
    """Count down, a step at a time."""
    return int(await _prefect(module).loop(size))
