"""Durable agents of one store whose engines meet on a broker: each signal comes once, by the store."""

import asyncio

import cascade as cs
from cascade.connectors.mqtt import MqttConnector
from cascade.stores.sqlite import SqliteStore
from durable import steps
from mqtt.broker import NEEDS_BROKER, Broker

pytestmark = NEEDS_BROKER


async def test_what_an_agent_of_another_engine_says_comes_once_and_others_hear_it_too(tmp_path):
    heard = asyncio.Queue()

    async def hear(topic, payload):
        await heard.put(payload)

    with Broker(tmp_path) as broker:
        engines = [
            cs.Engine(
                store=SqliteStore(tmp_path / "agents.db"), connector=MqttConnector(broker.url)
            )
            for _ in range(2)
        ]
        async with asyncio.timeout(60), engines[0] as one, engines[1] as other:
            stranger = MqttConnector(broker.url)
            await stranger.connect()
            await stranger.subscribe("switch", hear)
            lamp = asyncio.create_task(one.run(steps.lamp(4, []), name="lamp", durable=True))
            while "switch" not in (getattr(await one.agents.load("lamp"), "filters", ())):
                await asyncio.sleep(0.05)
            await other.run(steps.press(3, "p"), name="presser", durable=True)
            assert [await heard.get() for _ in range(3)] == ["p3", "p2", "p1"]
            await asyncio.sleep(0.3)  # what came twice would have come by now
            await stranger.publish("switch", "end")
            assert await lamp == ["p3", "p2", "p1", "end"]
            await stranger.disconnect()
