"""Capacities are exact: what was held is free again, to the last digit."""

import asyncio

import pytest

import cascade as cs
from cascade.interfaces.errors import InvalidTaskError


@cs.task
async def hold(_before=None):
    await asyncio.sleep(0)
    return "done"


async def test_demands_whose_sum_float_rounding_would_change_are_all_admitted():
    demands = [0.7, 0.1, 0.3, 0.2, 0.7, 0.1, 0.2]
    async with asyncio.timeout(30), cs.Engine(capacities={"gpu": 1}) as engine:
        calls = [hold.with_demands(gpu=units)() for units in demands]
        assert await engine.run(calls) == ["done"] * len(demands)
        assert await engine.run(hold.with_demands(gpu=1)()) == "done", "all of it is free again"


async def test_a_demand_over_the_whole_capacity_is_refused_in_plain_numbers():
    with pytest.raises(InvalidTaskError, match=r"demands 1\.5 of 'gpu', and the engine has 1\.25"):
        await cs.run_async(hold.with_demands(gpu=1.5)(), capacities={"gpu": 1.25})
