"""Admission of tasks that evaluate others: what they count for, and what they lend."""

from __future__ import annotations

import asyncio

import pytest

import cascade as cs
from cascade.interfaces.errors import DemandError


async def limited(connector, n, target="global"):
    limit = {"id": "limit", "type": "concurrency", "n": n}
    await connector.publish(f"cascade/constraints/{target}", limit, retain=True)


@cs.task
async def render(n):
    await asyncio.sleep(0)
    return n


def test_what_an_outer_task_evaluates_borrows_the_one_gpu_it_holds():
    inner = render.with_demands(gpu=1)

    @cs.task
    async def outer(depth):
        if depth:
            return await cs.evaluate(outer.with_demands(gpu=1)(depth - 1))
        return await cs.evaluate([inner(1), inner(2)])

    capacities = {"gpu": 1}
    assert cs.run(outer.with_demands(gpu=1)(3), capacities=capacities) == [1, 2]
    pair = [outer.with_demands(gpu=1)(1), outer.with_demands(gpu=1)(1)]
    assert cs.run(pair, capacities=capacities) == [[1, 2], [1, 2]]


def test_it_borrows_and_takes_the_rest_from_the_engine():
    running = []

    @cs.task
    async def inner():
        running.append(len(running))
        await asyncio.sleep(0)
        return len(running)

    @cs.task
    async def outer():
        return await cs.evaluate(inner.with_demands(gpu=2)())

    with_one = outer.with_demands(gpu=1)
    assert len(cs.run([with_one(), with_one()], capacities={"gpu": 2})) == 2


def test_a_lent_unit_is_lent_to_one_at_a_time():
    at_once, most = [], []

    @cs.task
    async def inner():
        at_once.append(1)
        most.append(len(at_once))
        await asyncio.sleep(0)
        at_once.pop()

    @cs.task
    async def outer():
        await cs.evaluate([inner.with_demands(gpu=1)() for _ in range(5)])

    cs.run(outer.with_demands(gpu=1)(), capacities={"gpu": 1})
    assert max(most) == 1


def test_a_demand_that_nobody_could_free_is_an_error():
    with pytest.raises(DemandError, match="the engine has 1"):
        cs.run(render.with_demands(gpu=2)(1), capacities={"gpu": 1})


async def test_one_global_slot_is_enough_for_agents_that_wait_in_recv(connector):
    @cs.task
    async def agent(n):
        heard = await cs.evaluate(cs.recv("go", buffered=True))
        return (n, heard, await cs.evaluate(render(n)))

    await limited(connector, 1)
    async with cs.Engine(connector=connector) as engine:
        running = asyncio.create_task(engine.run([agent(n) for n in range(10)], listen=["go"]))
        await asyncio.sleep(0.01)
        await connector.publish("go", "now")
        assert await running == [(n, "now", n) for n in range(10)]


async def test_a_task_counts_while_its_own_function_runs(connector):
    at_once, most = [], []

    @cs.task
    async def works():
        for _ in range(3):
            at_once.append(1)
            most.append(len(at_once))
            await asyncio.sleep(0)
            at_once.pop()
            await cs.evaluate(cs.wait(0))

    await limited(connector, 2)
    async with cs.Engine(connector=connector) as engine:
        await engine.run([works() for _ in range(6)])
    assert max(most) == 2


async def test_signals_and_structure_are_never_held(connector):
    await connector.publish("cascade/constraints/global", {"id": "p", "type": "pause"}, retain=True)
    async with cs.Engine(connector=connector) as engine:
        target = [
            cs.send("a", 1),
            cs.route(1, {1: cs.param("x", 3)}),
            cs.catch(cs.recv("b", 0.01), use="late"),
            cs.wait(0),
        ]
        assert await engine.run(target) == [None, 3, "late", None]


async def test_a_retry_that_waits_gives_its_slot_back(connector):
    order = []

    @cs.task
    async def fails():
        order.append("fails")
        if order.count("fails") < 2:
            raise ValueError

    @cs.task
    async def other():
        order.append("other")

    await limited(connector, 1)
    async with cs.Engine(connector=connector) as engine:
        await engine.run([fails.with_retry(3, delay=0.05)(), other()])
    assert order == ["fails", "other", "fails"]


def test_each_attempt_passes_a_rate_limit():
    attempts = []

    @cs.task(mode="inline")
    def fails(clock=cs.inject("clock")):
        attempts.append(clock.time())
        if len(attempts) < 3:
            raise ValueError

    rate = {"id": "r", "type": "rate_limit", "rate": "1/s", "burst": 1}
    order = cs.send("cascade/constraints/global", rate, retain=True)
    cs.simulate(cs.after(fails.with_retry(3)(), order))
    assert attempts == [0, 1, 2]


async def test_many_may_wait_in_line(connector):
    await limited(connector, 1)
    async with cs.Engine(connector=connector) as engine:
        assert await engine.run(render.map(list(range(3000)))) == list(range(3000))


async def test_a_cancelled_wait_leaves_the_line(connector):
    await connector.publish("cascade/constraints/run/r", {"id": "p", "type": "pause"}, retain=True)
    async with cs.Engine(connector=connector) as engine:
        held = asyncio.create_task(engine.run(render(1), name="r"))
        await asyncio.sleep(0.01)
        held.cancel()
        with pytest.raises(asyncio.CancelledError):
            await held
        assert await engine.run(render(2), name="other") == 2


async def in_order_of_priority(started, engine, use):
    """Have three runs wait for what a fourth holds; return who started in which order."""
    gate = asyncio.Event()

    @cs.task
    async def holds():
        await gate.wait()

    @cs.task
    async def waits(name):
        started.append(name)

    async with engine:
        running = [asyncio.create_task(engine.run(use(holds)()))]
        await asyncio.sleep(0)
        for name, priority in (("low", -1), ("first", 0), ("high", 5), ("second", 0)):
            call = use(waits)(name)
            running.append(asyncio.create_task(engine.run(call, priority=priority)))
            await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*running)
    return started


async def test_who_waits_for_a_capacity_starts_by_the_priority_of_its_run(connector):
    engine = cs.Engine(connector=connector, capacities={"gpu": 1})
    order = await in_order_of_priority([], engine, lambda task: task.with_demands(gpu=1))
    assert order == ["high", "first", "second", "low"]


async def test_who_waits_for_a_constraint_starts_by_the_priority_of_its_run(connector):
    await limited(connector, 1)
    order = await in_order_of_priority([], cs.Engine(connector=connector), lambda task: task)
    assert order == ["high", "first", "second", "low"]


async def test_one_of_a_lower_priority_does_not_start_before_those_that_wait(connector):
    """Not even where it comes at the very moment in which there is room again."""
    order, gate = [], asyncio.Event()

    @cs.task
    async def takes(name, units):
        order.append(name)
        await gate.wait()

    async with cs.Engine(connector=connector, capacities={"gpu": 2}) as engine:

        def begin(name, units, priority):
            call = takes.with_demands(gpu=units)(name, units)
            return asyncio.create_task(engine.run(call, priority=priority))

        running = [begin("holds", 1, 0)]
        await asyncio.sleep(0)
        running.append(begin("both", 2, 1))
        await asyncio.sleep(0)
        running.append(begin("one", 1, 0))
        for _ in range(3):
            await asyncio.sleep(0)
        assert order == ["holds"]
        running.append(begin("urgent", 1, 2))
        await asyncio.sleep(0)
        assert order == ["holds", "urgent"]
        gate.set()
        await asyncio.gather(*running)
    assert order == ["holds", "urgent", "both", "one"]


async def test_a_durable_agent_takes_no_priority(engine):
    with pytest.raises(ValueError, match="no priority"):
        await engine.run(render(1), name="monday", durable=True, priority=1)
