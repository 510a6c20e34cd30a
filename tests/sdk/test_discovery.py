"""Agents find each other by their cards, for as long as they are there."""

import asyncio
import subprocess
import sys
import time

import pytest

import cascade as cs
from cascade.common.messaging.testing import capture
from cascade.connectors.mqtt import MqttConnector
from cascade.discovery import CARDS, Card, announce, card_topic, find, withdraw
from cascade.interfaces.errors import InvalidTopicError
from cascade.stores.memory import MemoryStore
from mqtt.broker import NEEDS_BROKER, Broker

PATIENCE = 60  # seconds: a bound for what goes wrong, not a measure of anything


@pytest.fixture
def bus():
    return cs.LocalBusConnector(cs.LocalBroker())


async def test_a_card_is_found_until_it_is_taken_away(bus):
    async with cs.Engine(connector=bus) as engine:
        await engine.run(announce("bea"))
        facts = {"squares": True}
        await engine.run(announce("ann", label="lathe", topics=["work"], state="busy", facts=facts))
        ann, bea = await find(bus)
        assert ann == Card("ann", "lathe", ["work"], "busy", facts)
        assert bea == Card("bea")
        assert await find(bus, label="lathe") == [ann]
        assert await find(bus, "bea") == [bea]
        await engine.run(announce("ann"))
        assert await find(bus, label="lathe") == []
        await engine.run(withdraw("ann"))
        assert await find(bus) == [bea]


async def test_agents_hear_of_cards_like_of_any_signal(bus):
    async with cs.Engine(connector=bus) as engine:
        await engine.run(announce("ann", facts={"n": 1}))
        topic, card = await engine.run(cs.recv(CARDS, with_topic=True))
        assert (topic, card["name"], card["facts"]) == (card_topic("ann"), "ann", {"n": 1})


async def test_the_card_of_an_agent_counts_for_no_more_than_its_engine(bus):
    async with bus:
        async with cs.Engine(connector=bus, name="e1", telemetry=True) as engine:
            await engine.run(announce("ann"))
            (card,) = await find(bus)
            assert card.status == "cascade/telemetry/e1/status"
        assert await find(bus) == []


@cs.task
async def announced(name: str) -> None:
    return announce(name)


async def test_a_durable_agent_outlives_its_engine_and_so_does_its_card(bus):
    async with bus:
        async with cs.Engine(connector=bus, store=MemoryStore(), telemetry=True) as engine:
            await engine.run(announced("ann"), name="ann", durable=True)
        assert await find(bus) == [Card("ann")]


async def test_what_is_no_card_is_told_and_passed_over(bus):
    async with bus:
        await bus.publish(card_topic("ann"), {"name": 3}, retain=True)
        await bus.publish(card_topic("bea"), {"name": "bea", "more": 1}, retain=True)
        with capture() as said:
            assert await find(bus) == [Card("bea")]
    assert "cascade/agents/ann/card" in said[0].text


@pytest.mark.parametrize(("name", "error"), [("a/b", ValueError), ("+", InvalidTopicError)])
def test_names_that_cannot_be_found_are_refused(name, error):
    for make in (announce, withdraw):
        with pytest.raises(error, match="name|level"):
            make(name)


PROGRAM = """
import sys
import cascade as cs
from cascade.discovery import announce

async def forever(_told):
    return cs.recv("never")

cs.run(cs.task(forever)(announce("ann")), connector=sys.argv[1], telemetry=True)
"""


@pytest.mark.parametrize("marks", [pytest.param(None, marks=NEEDS_BROKER)])
def test_an_agent_whose_process_is_killed_is_found_no_more(tmp_path, marks):
    def found(url):
        async def look():
            async with MqttConnector(url) as connector:
                return [each.name for each in await find(connector)]

        return asyncio.run(look())

    def wait_for(url, names):
        end = time.monotonic() + PATIENCE
        while found(url) != names:
            assert time.monotonic() < end
            time.sleep(0.05)

    with Broker(tmp_path) as broker:
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, broker.url])
        try:
            wait_for(broker.url, ["ann"])
        finally:
            process.kill()
            process.wait()
        wait_for(broker.url, [])
