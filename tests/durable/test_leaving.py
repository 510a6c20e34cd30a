"""An engine that is about to close leaves its agents at the end of their steps, or where they wait."""

import asyncio

import pytest

import cascade as cs
from durable import steps
from durable.patience import PATIENCE, until, waits

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def engine(store):
    return lambda: cs.Engine(store=store, connector=cs.LocalBusConnector(cs.LocalBroker()))


@pytest.fixture(autouse=True)
def may_go_on(monkeypatch):
    """Give each test, and so each event loop, an event of its own."""
    monkeypatch.setattr(steps, "may_go_on", asyncio.Event())


async def test_an_agent_at_work_is_left_when_its_step_is_committed(engine, store):
    async with engine() as first:
        await first.agents.start({"worker": steps.works_when_told(1)})
        await until(lambda: asyncio.sleep(0, "began" in steps.ran))
        draining = asyncio.ensure_future(first.agents.drain(PATIENCE))
        await asyncio.sleep(0.1)
        assert not draining.done()
        steps.may_go_on.set()
        assert await draining == 0
        left = await first.agents.load("worker")
    assert (left.status, left.owner, left.step) == ("ready", None, 1)
    assert steps.ran == ["began"]
    async with engine() as second:
        assert await second.run(steps.works_when_told(1), name="worker", durable=True) == 2
    assert steps.ran == ["began", ("counted", 1)]


async def test_agents_that_wait_are_left_where_they_are_and_those_that_step_on_where_they_come_to(
    engine,
):
    async with engine() as first:
        agents = {"waits": steps.order(), "naps": steps.naps(3600.0), "steps": steps.for_ever(0)}
        await first.agents.start(agents)
        await waits(first, "waits")
        await waits(first, "naps")
        assert await first.agents.drain(PATIENCE) == 0
        left = await first.agents.list()
        assert [(each.name, each.status, each.owner) for each in left] == [
            ("naps", "ready", None),
            ("steps", "ready", None),
            ("waits", "ready", None),
        ]
    async with engine() as second:
        await waits(second, "waits")
        await second.connector.publish("approval", 4)
        assert await second.run(steps.order(), name="waits", durable=True) == 7
    assert steps.ran == ["order", "price"]


async def test_what_starts_meanwhile_is_left_to_others(engine):
    async with engine() as first:
        assert await first.agents.drain() == 0
        await first.agents.start({"late": steps.count(3)})
        assert await first.agents.recover() == 0
        assert (await first.agents.load("late")).owner is None
    async with engine() as second:
        assert await second.run(steps.count(3), name="late", durable=True) == 6


async def test_a_step_that_does_not_end_in_time_is_counted_and_begins_again_elsewhere(engine):
    async with engine() as first:
        await first.agents.start({"worker": steps.works_when_told(1)})
        await until(lambda: asyncio.sleep(0, "began" in steps.ran))
        assert await first.agents.drain(0.05) == 1
    async with engine() as second:
        assert (await second.agents.load("worker")).step == 0
        steps.may_go_on.set()
        assert await second.run(steps.works_when_told(1), name="worker", durable=True) == 2
    assert steps.ran == ["began", "began", ("counted", 1)]
