"""What a network does to messages: lost connections, refusals, crowds. A real broker each time."""

import asyncio

import pytest

from cascade.connectors.mqtt import MqttConnector
from cascade.interfaces.errors import BrokerRefusedError, BrokerUnavailableError
from cascade.testing.connectors import Gated, Heard, patience, reports
from mqtt.access import roles
from mqtt.broker import NEEDS_BROKER
from mqtt.proxy import line_to, until_offline
from mqtt.stranger import hanging_up

pytestmark = NEEDS_BROKER

LASTING = {"session_expiry": 3600, "clean_start": False}
"""Mosquitto 2.0 writes to its disk only sessions that were begun with clean_start=False."""


def lasting(folder):
    """Settings of a broker that remembers sessions and messages when it is stopped in good order."""
    return ["persistence true", f"persistence_location {folder}/", "max_inflight_messages 100"]


async def publish_all(connector, numbers, topic="a", qos=1):
    for number in numbers:
        await connector.publish(topic, number, qos)


# --- the broker goes away -------------------------------------------------------------------------


async def test_nothing_is_lost_when_the_broker_restarts_amid_traffic(
    start_broker, tmp_path, connect
):
    broker = start_broker(*lasting(tmp_path))
    publisher = await connect(broker, client_id="publisher", **LASTING)
    listener = await connect(broker, client_id="listener", **LASTING)
    heard, count = Heard(), 3_000
    await listener.subscribe("a", heard)
    with reports():
        publishing = asyncio.create_task(publish_all(publisher, range(count)))
        await heard.until(200)
        await asyncio.to_thread(broker.stop)
        await asyncio.to_thread(broker.start)
        async with patience():
            await publishing
        while len(set(heard.payloads)) < count:
            await heard.until(len(heard.payloads) + 1)
    # QoS 1 is "at least once": what was on its way may come twice.
    first_times = list(dict.fromkeys(heard.payloads))
    assert first_times == list(range(count))


async def test_a_killed_broker_is_found_again_with_every_subscription(broker, connect):
    publisher = await connect(broker)
    listener = await connect(broker)
    exact, wild = Heard(), Heard()
    await listener.subscribe("a/b", exact)
    await listener.subscribe("a/+", wild)
    with reports() as told:
        publishing = asyncio.create_task(publish_all(publisher, range(500), "a/b"))
        await exact.until(20)
        broker.kill()
        await asyncio.to_thread(broker.start)
        async with patience():
            await publishing  # none failed: what had no acknowledgement was sent again
            while [name for name, _ in told.messages].count("mqtt.connection_back") < 2:
                await told.until(len(told.messages) + 1)
        await publisher.publish("a/b", "last", 1)  # sooner it might find nobody there
        for heard in (exact, wild):
            while heard.payloads[-1] != "last":
                await heard.until(len(heard.payloads) + 1)
    assert {name for name, _ in told.messages} >= {"mqtt.connection_lost", "mqtt.connection_back"}
    for heard in (exact, wild):
        first_times = list(dict.fromkeys(heard.payloads[:-1]))
        assert first_times == sorted(first_times)


async def test_a_lasting_session_gets_what_came_while_its_client_was_away(broker, connect):
    named = {"client_id": "listener", "session_expiry": 60}
    publisher = await connect(broker)
    listener = MqttConnector(broker.url, **named)
    await listener.connect()
    await listener.subscribe("a/#", Heard())
    await listener.disconnect()
    await publish_all(publisher, range(50), "a/b")
    await connect(broker, client_id="somebody else")

    listener = await connect(broker, **named, clean_start=False)
    heard = Heard()
    await listener.publish("b", 1, 1)  # a round trip: the messages are here before anybody asks
    await listener.subscribe("a/#", heard)
    await heard.until(50)
    assert heard.payloads == list(range(50))


async def test_what_an_older_session_brings_and_nobody_asks_for_is_told(broker, connect):
    named = {"client_id": "listener", "session_expiry": 60}
    listener = MqttConnector(broker.url, **named)
    await listener.connect()
    await listener.subscribe("a", Heard())
    await listener.disconnect()
    await publish_all(await connect(broker), range(3))
    with reports() as told:
        listener = MqttConnector(broker.url, **named, clean_start=False)
        await listener.connect()
        await listener.publish("b", 1, 1)  # a round trip: the older messages came before its answer
        await listener.disconnect()
    assert told.messages == [("mqtt.unclaimed", {"count": 3, "topic": "a"})]


async def test_retained_messages_come_again_to_those_that_reconnect(
    start_broker, tmp_path, connect
):
    broker = start_broker(*lasting(tmp_path))
    publisher, listener, heard = await connect(broker), await connect(broker), Heard()
    await publisher.publish("a", "kept", retain=True)
    await listener.subscribe("a", heard)
    with reports():
        await asyncio.to_thread(broker.stop)
        await asyncio.to_thread(broker.start)
        await heard.until(2)
    assert heard.payloads == ["kept", "kept"]


# --- publishing and subscribing meanwhile ---------------------------------------------------------


async def test_publishing_waits_for_a_connection_that_comes_back(broker, connect):
    publisher, listener, heard = await connect(broker), await connect(broker), Heard()
    await listener.subscribe("a", heard)
    with reports():
        broker.kill()
        await until_offline(publisher)
        publishing = asyncio.create_task(publisher.publish("a", 1, 1))
        async with hanging_up(broker.port) as came:
            await came.until(4)  # two of each connector at the least
            assert not publishing.done()
        await asyncio.to_thread(broker.start)
        async with patience():
            await publishing
    assert publisher.online


@pytest.mark.parametrize("qos", [0, 1])
async def test_publishing_raises_once_the_wait_is_over(broker, connect, qos):
    publisher = await connect(broker, offline_timeout=0.2)
    with reports():
        broker.kill()
        await until_offline(publisher)
        with pytest.raises(BrokerUnavailableError, match="cannot publish"):
            await publisher.publish("a", 1, qos)
        with pytest.raises(BrokerUnavailableError, match="cannot subscribe"):
            await publisher.subscribe("a", Heard())


async def test_without_patience_publishing_raises_at_once(broker, connect):
    publisher = await connect(broker, offline_timeout=0)
    with reports():
        broker.kill()
        await until_offline(publisher)
        with pytest.raises(BrokerUnavailableError):
            await publisher.publish("a", 1)


async def test_a_message_without_a_receipt_is_told_when_the_wait_is_over(broker, connect):
    async with line_to(broker) as line:
        publisher = await connect(line, offline_timeout=0.2, keep_alive=1)
        line.freeze()
        with reports():
            async with patience():
                with pytest.raises(BrokerUnavailableError, match="cannot publish"):
                    await publisher.publish("a", 1, 1)
        line.thaw()


async def test_subscribing_waits_for_a_connection_that_comes_back(broker, connect):
    connector, heard = await connect(broker), Heard()
    with reports():
        broker.kill()
        await until_offline(connector)
        subscribing = asyncio.create_task(connector.subscribe("a", heard))
        async with hanging_up(broker.port) as came:
            await came.until(2)
            assert not subscribing.done()
        await asyncio.to_thread(broker.start)
        async with patience():
            await subscribing
    await connector.publish("a", 1)
    await heard.until(1)


async def test_disconnecting_from_a_broker_that_is_gone_takes_no_time(broker, connect):
    connector = await connect(broker)
    with reports():
        broker.kill()
        await until_offline(connector)
        async with asyncio.timeout(3):
            await connector.disconnect()
    assert not connector.connected


async def test_whoever_waits_to_publish_is_told_of_a_disconnect(broker, connect):
    connector = await connect(broker)
    with reports():
        broker.kill()
        await until_offline(connector)
        publishing = asyncio.create_task(connector.publish("a", 1))
        await asyncio.sleep(0)
        await connector.disconnect()
        with pytest.raises(RuntimeError, match="not connected"):
            async with patience():
                await publishing


# --- a line that is dead and does not say so ------------------------------------------------------


async def test_a_half_open_connection_is_noticed_and_made_anew(broker, connect):
    async with line_to(broker) as line:
        listener = await connect(line, keep_alive=1)
        publisher, heard = await connect(broker), Heard()
        await listener.subscribe("a", heard)
        with reports() as told:
            line.freeze()
            await told.until(1)
            assert told.messages[0][0] == "mqtt.connection_lost"
            line.thaw()
            async with patience():
                while not listener.online:
                    await asyncio.sleep(0.01)
            await told.until(2)
        await publisher.publish("a", "again", 1)
        await heard.until(1)
    assert heard.payloads == ["again"]


async def test_a_line_that_is_cut_again_and_again_loses_nothing_of_a_lasting_session(
    broker, connect
):
    async with line_to(broker) as line:
        publisher = await connect(line, client_id="publisher", **LASTING)
        listener = await connect(line, client_id="listener", **LASTING)
        heard, count = Heard(), 1_000
        await listener.subscribe("a", heard)
        with reports():
            publishing = asyncio.create_task(publish_all(publisher, range(count)))
            for cut in range(1, 6):
                await heard.until(cut * 50)
                line.cut()
            async with patience():
                await publishing
            while len(set(heard.payloads)) < count:
                await heard.until(len(heard.payloads) + 1)
        assert list(dict.fromkeys(heard.payloads)) == list(range(count))


async def test_messages_of_qos_0_that_go_down_with_a_connection_are_counted(broker, connect):
    async with line_to(broker) as line:
        publisher = await connect(line)
        line.freeze()
        begun = Heard()

        def payloads():
            for number in range(100):
                begun.keep("a", number)
                yield "x" * 500_000

        publishing = asyncio.create_task(publish_all(publisher, payloads(), qos=0))
        await begun.until(2)
        assert (
            not publishing.done()
        )  # no network takes 50 MB that nobody reads: somebody has to wait
        with reports() as told:
            line.cut()
            line.thaw()
            async with patience():
                await publishing
            await told.until(2)
    lost = [facts for name, facts in told.messages if name == "mqtt.messages_lost"]
    assert len(lost) == 1
    assert 1 <= lost[0]["count"] < 100


# --- access rules ---------------------------------------------------------------------------------


@pytest.fixture
def guarded(start_broker, tmp_path):
    lamp = {"subscribePattern": ["lamp/#"], "publishClientSend": ["lamp/#"]}
    return start_broker(*roles(tmp_path, "secret", lamp=lamp), anonymous=False)


LAMP = {"username": "lamp", "password": "secret"}


async def test_a_subscription_that_is_not_allowed_is_refused_with_the_reason(guarded, connect):
    connector = await connect(guarded, **LAMP)
    with pytest.raises(BrokerRefusedError, match="subscribe to 'secret/#'") as raised:
        await connector.subscribe("secret/#", Heard())
    assert raised.value.code == 0x87
    heard = Heard()
    await connector.subscribe("lamp/#", heard)  # and nothing is left of the other
    await connector.publish("lamp/on", True, 1)
    await heard.until(1)
    assert connector._subscriber._table.filters() == ["lamp/#"]


@pytest.mark.parametrize("qos", [1, 2])
async def test_a_publish_that_is_not_allowed_is_refused_with_the_reason(guarded, connect, qos):
    connector = await connect(guarded, **LAMP)
    with pytest.raises(BrokerRefusedError, match="publish on 'news/today'") as raised:
        await connector.publish("news/today", "nothing", qos)
    assert raised.value.code == 0x87
    await connector.publish("lamp/on", True, qos)


async def test_one_refused_filter_of_several_refuses_all(guarded, connect):
    connector = await connect(guarded, **LAMP)
    heard = Heard()
    with pytest.raises(BrokerRefusedError):
        await connector.subscribe(["lamp/#", "secret/#"], heard)
    await connector.publish("lamp/on", True, 1)
    again = Heard()
    await connector.subscribe("lamp/#", again)
    await connector.publish("lamp/on", False, 1)
    await again.until(1)
    assert heard.messages == []


# --- crowds ---------------------------------------------------------------------------------------


async def test_a_slow_consumer_with_a_session_holds_the_broker_back_and_loses_nothing(
    broker, connect
):
    publisher = await connect(broker)
    listener = await connect(broker, max_queued=10, client_id="slow", **LASTING)
    gated, count = Gated(), 3_000
    await listener.subscribe("a", gated)
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(publisher.publish("a", number, 1))
    await gated.begun.until(1)
    await asyncio.sleep(0.1)
    (subscription,) = listener._subscriber.subscriptions
    assert len(subscription.task.queue) <= 10  # the rest waits at the broker
    gated.gate.set()
    await gated.until(count)
    assert gated.payloads == list(range(count))


async def test_a_slow_consumer_that_drops_says_how_many(broker, connect):
    publisher, listener = (
        await connect(broker),
        await connect(broker, max_queued=10, overflow="drop_oldest"),
    )
    gated = Gated()
    subscription = await listener.subscribe("a", gated)
    with reports() as told:
        await publish_all(publisher, range(100))
        async with patience():
            while subscription.dropped < 89:
                await asyncio.sleep(0.01)
        gated.gate.set()
        await gated.until(11)
    assert gated.payloads == [0, *range(90, 100)]
    assert told.messages[0][0] == "queue.overflow"


@pytest.mark.slow
async def test_a_flood_of_more_than_a_queue_holds_arrives_whole_and_in_order(broker, connect):
    publisher, heard = await connect(broker), Heard()
    listener = await connect(broker, max_queued=100)
    await listener.subscribe("flood", heard)
    count = 20_000
    for number in range(count):
        await publisher.publish("flood", number)
    await heard.until(count)
    assert heard.payloads == list(range(count))
