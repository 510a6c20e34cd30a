"""Filters of one connector that overlap, also while they come and go; and shared ones."""

import asyncio

import pytest

from cascade.testing.connectors import Heard, patience, reports
from mqtt.broker import NEEDS_BROKER
from mqtt.proxy import line_to

pytestmark = NEEDS_BROKER


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("ends", ["older", "younger"])
async def test_ending_one_of_two_overlapping_filters_neither_doubles_nor_loses(
    broker, connect, qos, ends
):
    connector, publisher = await connect(broker, subscribe_qos=qos), await connect(broker)
    handles, stays = {}, Heard()

    async def goes(_topic, payload):
        if payload == 20:
            await handles[ends].unsubscribe()

    older, younger = (goes, stays) if ends == "older" else (stays, goes)
    handles["older"] = await connector.subscribe("a/+", older)
    handles["younger"] = await connector.subscribe("a/#", younger)
    await asyncio.gather(*[publisher.publish("a/x", number, qos) for number in range(300)])
    await publisher.publish("a/x", "end", qos)
    async with patience():
        while "end" not in stays.payloads:
            await stays.until(len(stays.payloads) + 1)
    assert stays.payloads == [*range(300), "end"]


async def test_filters_that_come_and_go_amid_traffic_leave_the_others_whole(broker, connect):
    connector, publisher = await connect(broker), await connect(broker)
    heard = Heard()
    await connector.subscribe("a/#", heard)

    async def publish():
        for number in range(400):
            await publisher.publish("a/x", number, 1)

    async def come_and_go():
        for topic_filter in ("a/+", "+/x", "a/x", "#") * 10:
            handle = await connector.subscribe(topic_filter, Heard())
            await handle.unsubscribe()

    await asyncio.gather(publish(), come_and_go())
    await heard.until(400)
    assert heard.payloads == list(range(400))


async def test_a_filter_that_is_refused_after_a_reconnect_does_not_silence_another(broker, connect):
    publisher = await connect(broker)
    async with line_to(broker) as line:
        connector, heard = await connect(line), Heard()
        await connector.subscribe("poison/+", Heard())
        await connector.subscribe("poison/#", heard)
        line.closes_at = b"poison/+"
        with reports() as told:
            line.cut()
            while "mqtt.connection_back" not in told.topics:
                await told.until(len(told.messages) + 1)
        await publisher.publish("poison/x", "news", 1)
        await heard.until(1)
    lost = [facts["topic"] for name, facts in told.messages if name == "mqtt.subscription_lost"]
    assert lost == ["poison/+"]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_message_goes_to_one_of_those_who_share_it_on_one_connector_or_several(
    broker, connect, protocol
):
    one, other = await connect(broker, protocol=protocol), await connect(broker, protocol=protocol)
    heard = [Heard() for _ in range(4)]
    for place, callback in enumerate(heard):
        await (one, other)[place % 2].subscribe("$share/g/jobs/+", callback)
    publisher = await connect(broker)
    for number in range(200):
        await publisher.publish("jobs/x", number, 1)
    for callback in heard:
        await callback.until(20)
    async with patience():
        while sum(len(each.payloads) for each in heard) < 200:
            await asyncio.sleep(0.01)
    assert sorted(payload for each in heard for payload in each.payloads) == list(range(200))


async def test_a_share_and_a_plain_filter_of_one_connector_do_not_mix(broker, connect):
    connector, other = await connect(broker), await connect(broker)
    shared, plain, elsewhere = Heard(), Heard(), Heard()
    await connector.subscribe("$share/g/jobs", shared)
    await connector.subscribe("jobs", plain)
    await other.subscribe("$share/g/jobs", elsewhere)
    for number in range(100):
        await other.publish("jobs", number, 1)
    await plain.until(100)
    await shared.until(1)
    await elsewhere.until(1)
    async with patience():
        while len(shared.payloads) + len(elsewhere.payloads) < 100:
            await asyncio.sleep(0.01)
    assert plain.payloads == list(range(100))
    assert sorted(shared.payloads + elsewhere.payloads) == list(range(100))
