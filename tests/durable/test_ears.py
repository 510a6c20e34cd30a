"""Durable agents that listen to topics by a connector leave memory, too; their subscriptions stay."""

import asyncio
import gc

import pytest

import cascade as cs
from cascade.connectors.mqtt import MqttConnector
from cascade.runtime.durable.agent import StoredAgent
from cascade.simulation import run_simulated
from cascade.stores.memory import MemoryStore
from cascade.stores.sqlite import SqliteStore
from durable import steps
from durable.patience import PATIENCE, awake, until
from mqtt.broker import NEEDS_BROKER, Broker

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def bus():
    return cs.LocalBusConnector(cs.LocalBroker())


@pytest.fixture
def engine(store, bus):
    """Make engines on one store and one bus, whose agents sleep as soon as they can."""

    def make(connector=bus):
        made = cs.Engine(store=store, connector=connector)
        made.agents.settings.hibernates_after = 0.0
        return made

    return make


async def hears_asleep(engine, *names):
    """Wait until agents have left memory, and their ears hear for them."""
    ownership = engine.agents._ownership

    async def is_so():
        ears = ownership.driving.ears
        return all(name in ears and name not in ownership.driven for name in names)

    await until(is_so)


async def test_a_topic_wakes_an_agent_which_does_nothing_twice(engine, bus):
    async with engine() as one:
        await one.agents.start({"o": steps.order()})
        await hears_asleep(one, "o")
        assert awake(one) == {}
        gc.collect()
        assert [each for each in gc.get_objects() if isinstance(each, StoredAgent)] == []
        await bus.publish("approval", 4)
        assert await one.run(steps.order(), name="o", durable=True) == 7
        assert one.agents._ownership.driving.ears == {}
    assert steps.ran == ["order", "price"]
    assert bus._broker.subscription_count == 0


async def test_all_comes_once_and_in_order_whether_it_sleeps_or_wakes(engine, bus):
    async with engine() as one:
        running = asyncio.create_task(
            one.run(steps.lamp(60, []), name="l", durable=True, listen=["switch"])
        )
        await hears_asleep(one, "l")
        for number in range(60):
            await bus.publish("switch", str(number))
            for _ in range(number % 7):
                await asyncio.sleep(0.002)
            if number % 10 == 0:
                await hears_asleep(one, "l")
        async with asyncio.timeout(PATIENCE):
            assert await running == [str(number) for number in range(60)]


async def test_overlapping_filters_bring_a_message_once(engine, bus):
    async with engine() as one:
        await one.agents.start({"w": steps.hears_wide()})
        await hears_asleep(one, "w")
        await bus.publish("room/1/temperature", 20)
        await hears_asleep(one, "w")
        await bus.publish("room/1/humidity", 4)
        assert await one.run(steps.hears_wide(), name="w", durable=True) == 24


async def test_what_is_retained_enters_once_unless_it_changed(engine, bus):
    await bus.connect()
    await bus.publish("setting", 1, retain=True)
    async with engine() as one:
        await one.agents.start({"s": steps.hears_the_setting(3, [])})
        for value in (2, 3):
            await hears_asleep(one, "s")
            await one.run(steps.presses(cs.agent("s"), 0), name=f"p{value}", durable=True)
            await hears_asleep(one, "s")
            await bus.publish("setting", value, retain=True)
        call = steps.hears_the_setting(3, [])
        assert await one.run(call, name="s", durable=True) == [1, 2, 3]
    await bus.disconnect()


async def test_what_is_retained_is_known_after_a_sleep_without_ears_for_it(engine, bus):
    await bus.connect()
    await bus.publish("setting", 1, retain=True)
    async with engine() as one:
        assert await one.run(steps.naps_between(), name="n", durable=True) == "nothing new"
    await bus.disconnect()


async def test_waking_for_nothing_leaves_no_subscription_behind(engine, bus):
    async with engine() as one:
        await one.agents.start({"o": steps.order()})
        await hears_asleep(one, "o")
        before = bus._broker.subscription_count
        for number in range(5):
            await one.run(steps.presses(cs.agent("o"), 0), name=f"p{number}", durable=True)
            await until(lambda: _has_taken_up(one, "o"))
            await hears_asleep(one, "o")
        assert bus._broker.subscription_count == before


async def _has_taken_up(engine, name):
    """Return whether an agent has seen all that lies in its mailbox, and sleeps again."""
    ear = engine.agents._ownership.driving.ears.get(name)
    return ear is not None and not ear.is_called


async def test_its_hour_wakes_it(engine):
    async with engine() as one:
        assert await one.run(steps.patient(0.3), name="p", durable=True) == "nothing"


async def test_all_that_listen_on_a_topic_hear_it(engine, bus):
    names = [f"o{number}" for number in range(20)]
    async with engine() as one:
        await one.agents.start({name: steps.order() for name in names})
        await hears_asleep(one, *names)
        await bus.publish("approval", 4)
        for name in names:
            assert await one.run(steps.order(), name=name, durable=True) == 7


async def test_an_agent_of_another_engine_wakes_it(engine, bus):
    async with engine() as one, engine() as other:
        one.agents.settings.takes_up_all = other.agents.settings.takes_up_all = False
        running = asyncio.create_task(one.run(steps.order(), name="o", durable=True))
        await hears_asleep(one, "o")
        await other.run(steps.presses("approval", 4), name="p", durable=True)
        async with asyncio.timeout(PATIENCE):
            assert await running == 7


async def test_cancelling_it_ends_its_subscriptions(engine, bus):
    async with engine() as one:
        before = bus._broker.subscription_count
        await one.agents.start({"o": steps.order()})
        await hears_asleep(one, "o")
        assert bus._broker.subscription_count == before + 1
        await one.agents.cancel("o")
        assert bus._broker.subscription_count == before


async def test_who_was_decided_about_elsewhere_is_heard_for_no_more(engine, bus, store):
    async with engine() as one:
        one.agents.settings.lease = 0.3
        await one.agents.start({"o": steps.order()})
        await hears_asleep(one, "o")
        await store.decide("o", "cancelled", 1.0)
        await until(lambda: _hears_nothing(one))


async def _hears_nothing(engine):
    return not engine.agents._ownership.driving.ears


async def test_who_lost_its_lease_while_it_fell_asleep_is_heard_for_no_more(
    engine, bus, store, monkeypatch
):
    rest = StoredAgent.rest

    async def loses_its_lease(agent):
        await store.decide("o", "cancelled", 1.0)
        agent.journal._write("0", b"1")
        await rest(agent)

    monkeypatch.setattr(StoredAgent, "rest", loses_its_lease)
    one = engine()
    one.agents.settings.lease = 3600.0  # it is not found out by renewing
    async with one:
        before = bus._broker.subscription_count
        await one.agents.start({"o": steps.order()})
        await until(lambda: _is_cancelled(one, "o"))
        await until(lambda: _hears_nothing(one))
        async with asyncio.timeout(PATIENCE):
            while bus._broker.subscription_count > before:
                await asyncio.sleep(0.005)


async def _is_cancelled(engine, name):
    return (await engine.agents.load(name)).status == "cancelled"


async def test_another_engine_hears_for_it_after_this_one(engine, bus):
    async with engine() as one:
        await one.agents.start({"o": steps.order()})
        await hears_asleep(one, "o")
    async with engine() as other:
        await hears_asleep(other, "o")
        await bus.publish("approval", 4)
        assert await other.run(steps.order(), name="o", durable=True) == 7
    assert steps.ran == ["order", "price"]


async def test_members_of_a_share_sleep_too_and_each_job_goes_to_one(engine, bus):
    calls = {name: steps.hears_a_share(3, []) for name in "ab"}
    async with engine() as one:
        await one.agents.start(calls)
        for job in range(6):
            await hears_asleep(one, "a", "b") if job < 4 else None
            await bus.publish("jobs", job)
        values = [await one.run(calls[name], name=name, durable=True) for name in "ab"]
    assert sorted(values[0] + values[1]) == list(range(6))


def test_in_a_simulation_it_is_the_same_each_time():
    async def lived():
        bus = cs.LocalBusConnector(cs.LocalBroker())
        engine = cs.Engine(store=MemoryStore(), connector=bus)
        engine.agents.settings.hibernates_after = 0.5
        async with engine:
            names = [f"l{number}" for number in range(3)]
            await engine.agents.start({name: steps.lamp(4, []) for name in names})
            for number in range(4):
                await asyncio.sleep(1.0)
                assert awake(engine) == {}
                await bus.publish("switch", str(number))
            call = steps.lamp(4, [])
            return [await engine.run(call, name=name, durable=True) for name in names]

    assert run_simulated(lived()) == run_simulated(lived()) == [["0", "1", "2", "3"]] * 3


class TestOverMqtt:
    pytestmark = NEEDS_BROKER

    async def test_all_comes_once_and_in_order_whether_it_sleeps_or_wakes(self, tmp_path):
        with Broker(tmp_path) as broker:
            stranger = MqttConnector(broker.url)
            await stranger.connect()
            await stranger.publish("setting", 1, qos=1, retain=True)
            one = cs.Engine(
                store=SqliteStore(tmp_path / "agents.db"), connector=MqttConnector(broker.url)
            )
            one.agents.settings.hibernates_after = 0.0
            async with asyncio.timeout(60), one:
                await one.agents.start(
                    {"s": steps.hears_the_setting(2, []), "w": steps.hears_a_share(2, [])}
                )
                running = asyncio.create_task(
                    one.run(steps.lamp(30, []), name="l", durable=True, listen=["switch"])
                )
                await hears_asleep(one, "l", "s", "w")
                for number in range(30):
                    await stranger.publish("switch", str(number), qos=1)
                    if number % 10 == 0:
                        await hears_asleep(one, "l")
                for number in range(2):
                    await stranger.publish("jobs", number, qos=1)
                await stranger.publish("setting", 2, qos=1, retain=True)
                assert await running == [str(number) for number in range(30)]
                setting, share = steps.hears_the_setting(2, []), steps.hears_a_share(2, [])
                assert await one.run(setting, name="s", durable=True) == [1, 2]
                assert sorted(await one.run(share, name="w", durable=True)) == [0, 1]
            await stranger.disconnect()
