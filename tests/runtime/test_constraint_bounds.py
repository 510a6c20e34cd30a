"""Constraints are a door: what comes through it is bounded in number, length and rate, and told of."""

import asyncio

import pytest

import cascade as cs
from cascade.common.messaging.testing import capture
from cascade.interfaces.errors import InvalidConstraintError
from cascade.runtime.admission.floods import Allowance
from cascade.spec.constraint import GlobalConstraint
from rows import each_row

PATIENCE = 30  # seconds: a bound for what goes wrong, not a measure of anything
ROOT = "cascade/constraints"


def pause(name):
    return {"id": name, "type": "pause"}


@cs.task
async def work():
    return "done"


async def refusals(connector, topic, payload):
    with capture() as messages:
        await connector.publish(topic, payload, retain=True)
        await asyncio.sleep(0)
    assert {message.id for message in messages} <= {"engine.constraint_malformed"}
    return [message.facts["reason"] for message in messages]


async def is_held(engine):
    running = asyncio.create_task(engine.run(work()))
    for _ in range(20):
        await asyncio.sleep(0)
    held = not running.done()
    running.cancel()
    await asyncio.wait([running])
    return held


@each_row("target", ["everything", "task", "task/", "run", "tasks/work", "global/x", "", "GLOBAL"])
async def test_a_target_that_no_task_is_among_is_told_of(engine, connector, target):
    (reason,) = await refusals(connector, f"{ROOT}/{target}", pause("p"))
    assert f"the target {target!r} is unknown: it is global, task/<name> or run/<id>" in reason


async def test_names_with_levels_are_targets(engine, connector):
    assert await refusals(connector, f"{ROOT}/task/http.get/part", pause("p")) == []


@each_row(
    ("target", "name", "reason"),
    [
        ("global", "x" * 257, "an id has at most 256 characters"),
        (f"task/{'x' * 252}", "p", "a target has at most 256 characters"),
    ],
)
async def test_ids_and_targets_have_a_length(engine, connector, target, name, reason):
    assert await refusals(connector, f"{ROOT}/{target}", pause(name)) == [reason]


def test_nor_can_a_longer_id_be_sent():
    with pytest.raises(InvalidConstraintError, match="an id has at most 256 characters"):
        GlobalConstraint("x" * 257, "pause")
    assert GlobalConstraint("x" * 256, "pause").id


async def test_a_target_has_so_many_constraints_and_no_more(engine, connector):
    topic = f"{ROOT}/task/other"
    for number in range(16):
        assert await refusals(connector, topic, pause(f"p{number}")) == []
    (reason,) = await refusals(connector, topic, pause("one-more"))
    assert "has 16 constraints already" in reason
    assert await refusals(connector, topic, pause("p3")) == []  # it replaces another
    assert await refusals(connector, topic, [pause(f"p{number}") for number in range(17)]) == [
        "a list has 1 to 16 constraints; an empty payload clears them"
    ]


async def test_expired_ones_make_room(engine, connector):
    topic = f"{ROOT}/task/other"
    for number in range(16):
        await connector.publish(topic, pause(f"p{number}") | {"expires_at": 1.0})
    assert await refusals(connector, topic, pause("one-more")) == []


async def test_so_many_targets_have_constraints_and_all_together_always_may(engine, connector):
    for number in range(1000):
        await connector.publish(f"{ROOT}/run/r{number}", pause("p"))
    (reason,) = await refusals(connector, f"{ROOT}/run/one-more", pause("p"))
    assert reason == "1000 targets have constraints already"
    assert await refusals(connector, f"{ROOT}/run/r5", pause("q")) == []
    assert await refusals(connector, f"{ROOT}/global", pause("p")) == []
    assert await is_held(engine)


async def test_a_list_is_all_that_holds_for_its_target(engine, connector):
    topic = f"{ROOT}/global"
    await connector.publish(topic, pause("before"))
    rate = {"id": "slow", "type": "rate_limit", "rate": "1/h"}
    await connector.publish(topic, [{"id": "few", "type": "concurrency", "n": 1}, rate])
    assert await engine.run(work()) == "done"
    assert await is_held(engine)  # by the rate: its one token is used
    await connector.publish(topic, {})
    assert not await is_held(engine)


async def test_a_list_with_one_that_cannot_be_used_changes_nothing(engine, connector):
    topic = f"{ROOT}/global"
    await connector.publish(topic, pause("before"))
    assert len(await refusals(connector, topic, [{"id": "few", "type": "concurrency"}])) == 1
    assert await is_held(engine)


async def test_the_last_of_a_flood_holds(engine, connector):
    topic = f"{ROOT}/global"
    running = asyncio.create_task(engine.run(work()))
    for number in range(5000):
        await connector.publish(topic, pause("p") if number % 2 == 0 else {})
    async with asyncio.timeout(PATIENCE):
        assert await running == "done"


async def test_a_flood_of_what_cannot_be_used_is_told_of_by_its_number(connector):
    with capture() as messages:
        async with cs.Engine(connector=connector):
            for _ in range(1000):
                await connector.publish(f"{ROOT}/global", "no constraint")
    told = [message for message in messages if message.id == "engine.constraint_malformed"]
    untold = [message for message in messages if message.id == "engine.constraints_untold"]
    assert 100 <= len(told) < 200
    assert len(told) + sum(message.facts["count"] for message in untold) == 1000


def test_an_allowance_is_a_token_bucket():
    allowance = Allowance(rate=2, burst=3)
    assert [allowance.take(10.0) for _ in range(4)] == [True, True, True, False]
    assert [allowance.take(10.5), allowance.take(10.6)] == [True, False]
    assert [allowance.take(1000.0) for _ in range(4)] == [True, True, True, False]
