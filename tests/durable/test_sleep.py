"""Durable agents that wait leave memory, and come back when a signal or their hour does."""

import asyncio
import time

import pytest

import cascade as cs
from cascade.common.messaging.testing import capture
from cascade.interfaces.store import DurableAgent
from cascade.runtime.durable import ownership
from cascade.runtime.durable.driving import MOST_ATTEMPTS
from cascade.simulation import run_simulated
from cascade.spec.codec import encode
from cascade.stores.memory import MemoryStore
from cascade.stores.sqlite import SqliteStore
from durable import steps
from durable.patience import PATIENCE, awake, none_left, until

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def engine(store):
    """Make engines on one store, whose agents sleep as soon as they can."""

    def make(hibernates_after=0.0, **options):
        made = cs.Engine(store=store, **options)
        made.agents.settings.hibernates_after = hibernates_after
        return made

    return make


async def slept(engine, name):
    async def is_asleep():
        record = await engine.agents.load(name)
        return record is not None and record.asleep and name not in awake(engine)

    await until(is_asleep)


async def test_a_signal_by_name_wakes_an_agent_which_does_nothing_twice(engine):
    async with engine() as one:
        await one.agents.start({"a": steps.told_by_name("a")})
        await slept(one, "a")
        assert await one.run(steps.presses(cs.agent("a"), 4), name="b", durable=True) is None
        assert await one.run(steps.told_by_name("a"), name="a", durable=True) == 7
    assert steps.ran == ["price"]


async def test_its_hour_wakes_an_agent(engine):
    async with engine() as one:
        await one.agents.start({"n": steps.naps(0.3), "t": steps.in_time(0.3)})
        await slept(one, "n")
        await slept(one, "t")
        assert await one.run(steps.naps(0.3), name="n", durable=True) == "awake"
        assert await one.run(steps.in_time(0.3), name="t", durable=True) == "late"
    assert steps.ran == ["woke"]


async def test_a_hundred_sleepers_wake_at_their_hour_each_once(engine):
    async with engine() as one:
        await one.agents.start({f"n{each}": steps.naps(0.5) for each in range(100)})
        await until(lambda: none_left(one))
    assert steps.ran == ["woke"] * 100


async def test_a_signal_that_does_not_match_wakes_it_for_a_moment_alone(engine):
    async with engine() as one:
        await one.agents.start({"a": steps.hears_three([])})
        await slept(one, "a")
        await one.run(steps.presses(cs.agent("a"), 4), name="b", durable=True)
        await slept(one, "a")
        for name in "cde":
            await one.run(steps.presses(cs.agent("ear"), 4), name=name, durable=True)
        assert (await one.agents.load("a")).status == "ready"


async def test_who_has_not_waited_long_enough_stays(engine):
    async with engine(hibernates_after=3600.0) as one:
        await one.agents.start({"a": steps.told_by_name("a")})
        await until(lambda: _has_journal(one, "a"))
        await asyncio.sleep(0.1)
        assert len(awake(one)) == 1


async def _has_journal(engine, name):
    return (await engine.agents.load(name)).journal


async def test_with_too_many_awake_those_that_wait_leave_at_once(engine):
    async with engine(hibernates_after=3600.0) as one:
        one.agents.settings.most_awake = 10
        await one.agents.start({f"n{each:03}": steps.naps(3600.0) for each in range(300)})

        async def nearly_all_sleep():
            records = await one.agents.list()
            return sum(record.asleep for record in records) >= 190 and len(awake(one)) <= 110

        await until(nearly_all_sleep)
        await one.agents.start({"c": steps.count(2)})
        assert await one.run(steps.count(2), name="c", durable=True) == 3


async def test_a_function_under_way_keeps_it_in_memory_and_that_is_said_once(engine):
    with capture() as said:
        async with engine() as one:
            await one.agents.start({name: steps.hears_inside(name) for name in "ab"})
            for name in "ab":
                async with asyncio.timeout(PATIENCE):
                    while name not in awake(one) or not awake(one)[name].mailbox.waiting:
                        await asyncio.sleep(0.005)
            await until(lambda: _stays(said))
            await asyncio.sleep(0.1)
            assert len(awake(one)) == 2
    assert [message.id for message in said] == ["durable.stays_awake"]


async def test_a_value_that_cannot_be_written_keeps_it_in_memory(engine):
    with capture() as said:
        async with engine() as one:
            await one.agents.start({"k": steps.keeps_a_set()})
            await until(lambda: _stays(said))
            assert len(awake(one)) == 1
    assert [message.id for message in said] == ["durable.not_journaled", "durable.stays_awake"]


async def _stays(said):
    return "durable.stays_awake" in [message.id for message in said]


async def test_agents_of_a_mapping_that_hear_keep_it_in_memory(engine):
    bus = cs.LocalBusConnector(cs.LocalBroker())
    async with engine(connector=bus) as one:
        await one.agents.start({"items": steps.items_hear()})
        await until(lambda: _hears(bus, 4))
        await bus.publish("go", "on")
        await asyncio.sleep(0.1)
        assert len(awake(one)) == 1
        await one.run(steps.presses(cs.agent("items"), 1), name="p", durable=True)
        assert await one.run(steps.items_hear(), name="items", durable=True) == ["on1", "on2"]


async def _hears(bus, number):
    return bus._broker.subscription_count >= number


async def test_without_a_connector_topics_wake_it_too(engine):
    async with engine() as one:
        await one.agents.start({"o": steps.order()})
        await slept(one, "o")
        await one.run(steps.presses("approval", 4), name="p", durable=True)
        assert await one.run(steps.order(), name="o", durable=True) == 7
    assert steps.ran == ["order", "price"]


async def test_another_engine_takes_up_who_sleeps(engine):
    async with engine() as one:
        await one.agents.start({"a": steps.told_by_name("a")})
        await slept(one, "a")
    async with engine() as other:
        await other.run(steps.presses(cs.agent("a"), 4), name="b", durable=True)
        assert await other.run(steps.told_by_name("a"), name="a", durable=True) == 7
    assert steps.ran == ["price"]


async def test_events_tell_who_falls_asleep_and_wakes(engine):
    told = []
    async with engine() as one:
        one.events.listen(lambda event: told.append(getattr(event, "change", None)))
        await one.agents.start({"n": steps.naps(0.2)})
        await until(lambda: none_left(one))
    changes = [change for change in told if change in {"taken-up", "asleep", "finished"}]
    assert changes[:2] == ["taken-up", "asleep"]
    assert changes[-2:] == ["taken-up", "finished"]


async def test_a_loop_that_is_busy_keeps_its_leases(tmp_path):
    path = tmp_path / "agents.db"
    one, other = cs.Engine(store=SqliteStore(path)), cs.Engine(store=SqliteStore(path))
    for each in (one, other):
        each.agents.settings.lease = 0.3
    async with one:
        await one.agents.start({"a": steps.told_by_name("a")})
        await until(lambda: _has_journal(one, "a"))
        async with asyncio.timeout(PATIENCE):
            while not one.agents._ownership._renewal.renewed:  # it has come to renew
                await asyncio.sleep(0.01)
        epoch = (await one.agents.load("a")).epoch
        time.sleep(1.0)  # noqa: ASYNC251 - a loop that is busy is what this is about
        async with other:
            await other.agents.recover()
            assert (await other.agents.load("a")).epoch == epoch


async def test_those_with_one_attempt_left_make_it_one_by_one(store):
    """Agents that were taken up with one that ends its process are not stuck for that."""
    names = [f"s{each}" for each in range(4)]
    await store.open()
    call = encode(steps.goes_on_when_told())
    await store.create([DurableAgent(name, call, call) for name in names])
    for _ in range(MOST_ATTEMPTS - 1):  # processes that died before any of them came to anything
        assert len(await store.claim(f"dead {_}", 2 * _, 2 * _ + 1)) == 4
    steps.may_go_on = asyncio.Event()
    async with cs.Engine(store=store) as one:
        async with asyncio.timeout(PATIENCE):
            while len(steps.ran) < 1:
                await asyncio.sleep(0.005)
        await asyncio.sleep(0.1)
        assert steps.ran == ["began"]
        steps.may_go_on.set()
        await until(lambda: none_left(one))
        assert {record.status for record in await one.agents.list()} == {"finished"}


def test_a_sleeper_that_is_due_for_another_engine_keeps_nobody_busy(monkeypatch):
    monkeypatch.setattr(ownership, "_POLL", 1.0)
    looks = []

    class Counted(MemoryStore):
        async def arrived(self, owner, after=0):
            looks.append(owner)
            return await super().arrived(owner, after)

    async def looked(store):
        call = encode(steps.naps(1.0))
        await store.create([DurableAgent("theirs", call, call, asleep=True, wake_at=0.5)])
        engine = cs.Engine(store=store)
        engine.agents.settings.takes_up_all = False
        async with engine:
            await asyncio.sleep(9.5)

    run_simulated(looked(Counted()))
    assert len(looks) == 11  # one each second, and one when it falls due
