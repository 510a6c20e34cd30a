"""Engine contract, "Policies": live constraints from ``cascade/constraints/#``."""

import asyncio
import math
import subprocess
import sys
import time

import pytest

import cascade as cs
from cascade.common.messaging.testing import capture
from rows import each_row

GLOBAL = "cascade/constraints/global"


@cs.task
async def work(log, n):
    log.append(n)
    await asyncio.sleep(0)
    return n


@cs.task
async def other(log):
    log.append("other")


async def settle():
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_pause_that_exists_before_the_run_holds_its_first_task(connector):
    await connector.publish(GLOBAL, {"id": "p", "type": "pause"}, retain=True)
    log = []
    running = asyncio.create_task(cs.Engine(connector=connector).run(work(log, 1)))
    await settle()
    assert log == []
    await connector.publish(GLOBAL, {}, retain=True)
    assert await running == 1


async def test_a_pause_for_one_task_lets_the_others_pass(engine, connector):
    await connector.publish(
        "cascade/constraints/task/work", {"id": "p", "type": "pause"}, retain=True
    )
    log = []
    running = asyncio.create_task(engine.run(work(log, 1)))
    await engine.run(other(log))
    await settle()
    assert log == ["other"]
    await connector.publish("cascade/constraints/task/work", None, retain=True)
    await running
    assert log == ["other", 1]


async def test_a_concurrency_limit_holds_and_a_changed_one_takes_effect_at_once(engine, connector):
    release = asyncio.Event()
    running = []

    @cs.task
    async def stays():
        running.append(1)
        await release.wait()

    await connector.publish(GLOBAL, {"id": "c", "type": "concurrency", "n": 2}, retain=True)
    whole = asyncio.create_task(engine.run([stays() for _ in range(6)]))
    await settle()
    assert len(running) == 2
    await connector.publish(GLOBAL, {"id": "c", "type": "concurrency", "n": 5}, retain=True)
    await settle()
    assert len(running) == 5
    release.set()
    await whole
    assert len(running) == 6


async def test_a_concurrency_limit_for_one_task_counts_that_task_only(engine, connector):
    most = []
    running = []

    @cs.task
    async def limited():
        running.append(1)
        most.append(len(running))
        await asyncio.sleep(0)
        running.pop()

    topic = "cascade/constraints/task/limited"
    await connector.publish(topic, {"id": "c", "type": "concurrency", "n": 1}, retain=True)
    await engine.run([limited(), limited(), work([], 1), work([], 2)])
    assert max(most) == 1


def test_a_rate_limit_spaces_the_starts(simulated_time):
    starts = []

    @cs.task
    async def tick(clock=cs.inject("clock")):
        starts.append(clock.time())

    async def main():
        connector = cs.LocalBusConnector(cs.LocalBroker())
        async with cs.Engine(connector=connector) as engine:
            limit = {"id": "r", "type": "rate_limit", "rate": "200/s", "burst": 2}
            await connector.publish(GLOBAL, limit, retain=True)
            await engine.run([tick() for _ in range(6)])

    simulated_time(main())
    assert starts == pytest.approx([0, 0, 0.005, 0.01, 0.015, 0.02], abs=1e-9)


async def test_held_tasks_start_in_the_order_they_came(engine, connector):
    log = []
    await connector.publish(GLOBAL, {"id": "p", "type": "pause"}, retain=True)
    running = asyncio.create_task(engine.run([work(log, n) for n in range(20)]))
    await settle()
    await connector.publish(GLOBAL, {}, retain=True)
    await running
    assert log == list(range(20))


async def test_a_constraint_ends_when_it_expires(engine, connector):
    order = {"id": "p", "type": "pause", "expires_at": time.time() + 0.01}
    await connector.publish(GLOBAL, order, retain=True)
    log = []
    assert await engine.run(work(log, 1)) == 1
    assert time.time() >= order["expires_at"]


async def test_a_constraint_that_has_expired_before_holds_nothing(engine, connector):
    await connector.publish(GLOBAL, {"id": "p", "type": "pause", "expires_at": 1.0}, retain=True)
    assert await engine.run(work([], 1)) == 1


async def test_a_constraint_is_replaced_by_its_id(engine, connector):
    await connector.publish(GLOBAL, {"id": "x", "type": "pause"}, retain=True)
    await connector.publish(GLOBAL, {"id": "x", "type": "concurrency", "n": 3}, retain=True)
    assert await engine.run(work([], 1)) == 1


@each_row(
    ("payload", "reason"),
    [
        ("pause", "a constraint is a mapping, not str"),
        (False, "a constraint is a mapping, not bool"),
        ([], "a list has 1 to 16 constraints"),
        ([[]], "a constraint is a mapping, not list"),
        ({"type": "pause"}, "missing required field `id`"),
        ({"id": "x"}, "missing required field `type`"),
        ({"id": 7, "type": "pause"}, "Expected `str`, got `int` - at `$.id`"),
        ({"id": "", "type": "pause"}, "needs an id"),
        ({"id": "x", "type": "stop"}, "Invalid enum value 'stop' - at `$.type`"),
        ({"id": "x", "type": ["pause"]}, "got `array` - at `$.type`"),
        ({"id": "x", "typ": "pause"}, "Did you mean 'type'"),
        ({"id": "x", "type": "pause", "expires": 5}, "Did you mean 'expires_at'"),
        ({"id": "x", "type": "pause", 5: 5}, "unknown field 5"),
        ({"id": "x", "type": "concurrency"}, "'concurrency' needs 'n'"),
        ({"id": "x", "type": "concurrency", "n": 0}, "n is 1 or more"),
        ({"id": "x", "type": "concurrency", "n": True}, "got `bool` - at `$.n`"),
        ({"id": "x", "type": "concurrency", "n": "2"}, "got `str` - at `$.n`"),
        ({"id": "x", "type": "concurrency", "n": 2.0}, "got `float` - at `$.n`"),
        ({"id": "x", "type": "rate_limit"}, "'rate_limit' needs 'rate'"),
        ({"id": "x", "type": "rate_limit", "rate": "fast"}, "a rate looks like"),
        ({"id": "x", "type": "rate_limit", "rate": "1/s", "burst": 0}, "burst is 1 or more"),
        ({"id": "x", "type": "rate_limit", "rate": "1/s", "burst": None}, "got `null`"),
        ({"id": "x", "type": "pause", "expires_at": "soon"}, "got `str` - at `$.expires_at`"),
        ({"id": "x", "type": "pause", "expires_at": 10**400}, "out of range"),
        ({"id": "x", "type": "pause", "expires_at": math.nan}, "expires_at is a Unix time"),
    ],
)
async def test_a_malformed_constraint_is_reported_and_ignored(engine, connector, payload, reason):
    with capture() as messages:
        await connector.publish(GLOBAL, payload, retain=True)
    assert [message.id for message in messages] == ["engine.constraint_malformed"]
    assert reason in messages[0].facts["reason"]
    assert await engine.run(work([], 1)) == 1


def test_what_reads_orders_is_imported_at_the_first_one():
    code = (
        "import asyncio, sys, cascade as cs\n"
        "from cascade.runtime.admission.controller import AdmissionController\n"
        "gate = AdmissionController({}, lambda: None)\n"
        "asyncio.run(gate.on_constraint('cascade/constraints/global', {}))\n"
        "print('msgspec' in sys.modules)\n"
        "order = {'id': 'x', 'type': 'pause'}\n"
        "asyncio.run(gate.on_constraint('cascade/constraints/global', order))\n"
        "print('msgspec' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


async def test_a_held_task_can_be_cancelled_and_leaves_the_line(engine, connector):
    await connector.publish(GLOBAL, {"id": "p", "type": "pause"}, retain=True)
    log = []
    first = asyncio.create_task(engine.run(work(log, 1)))
    second = asyncio.create_task(engine.run(work(log, 2)))
    await settle()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await connector.publish(GLOBAL, {}, retain=True)
    await second
    assert log == [2]


async def test_an_engine_that_closes_forgets_its_orders(connector):
    engine = cs.Engine(connector=connector)
    async with engine:
        await connector.publish(GLOBAL, {"id": "p", "type": "pause"}, retain=True)
        assert engine._services.needs_slow_path
    await connector.publish(GLOBAL, {}, retain=True)
    assert not engine._services.needs_slow_path
    assert await engine.run(work([], 1)) == 1


async def test_a_pause_of_one_run_lets_the_others_pass(engine, connector):
    log = []
    topic = "cascade/constraints/run/night shift"
    await connector.publish(topic, {"id": "p", "type": "pause"}, retain=True)
    held = asyncio.create_task(engine.run([work(log, 1), other(log)], name="night shift"))
    await settle()
    assert await engine.run(work(log, 2), name="day shift") == 2
    assert log == [2]
    await connector.publish(topic, None, retain=True)
    assert await held == [1, None]


async def test_a_concurrency_limit_of_one_run_counts_that_run_alone(engine, connector):
    release, running = asyncio.Event(), []

    @cs.task
    async def stays(frame=cs.inject("_frame")):
        running.append(frame.run.id)
        await release.wait()

    limit = {"id": "c", "type": "concurrency", "n": 1}
    await connector.publish("cascade/constraints/run/a", limit, retain=True)
    runs = [
        asyncio.create_task(engine.run([stays() for _ in range(3)], name=name)) for name in "ab"
    ]
    await settle()
    assert sorted(running) == ["a", "b", "b", "b"]
    release.set()
    await asyncio.gather(*runs)
    assert sorted(running) == ["a"] * 3 + ["b"] * 3
