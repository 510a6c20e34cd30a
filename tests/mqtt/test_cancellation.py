"""What is cancelled or fails half-way leaves nothing behind: no subscription, no client, no task."""

import asyncio

import pytest

from cascade.connectors.mqtt import MqttConnector
from cascade.interfaces.errors import BrokerUnavailableError, NotConnectedError
from cascade.testing.connectors import Gated, Heard, patience, reports
from mqtt.broker import NEEDS_BROKER
from mqtt.proxy import line_to, until_offline

pytestmark = NEEDS_BROKER

STATUS = "cascade/status/lamp"


async def cancel(task):
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def others():
    return asyncio.all_tasks() - {asyncio.current_task()}


@pytest.fixture
async def states(broker, connect):
    """What the broker says of the client ``lamp``."""
    watcher, heard = await connect(broker), Heard()
    await watcher.subscribe(STATUS, heard)
    return heard


# --- connecting -----------------------------------------------------------------------------------


@pytest.mark.parametrize("rounds", range(8))
async def test_a_connect_that_is_cancelled_anywhere_leaves_no_client_and_no_task(
    broker, states, rounds
):
    async with line_to(broker) as line:
        line.delay = 0.005
        tasks = others()
        connector = MqttConnector(line.url, client_id="lamp", retry_delay=0.01)
        connecting = asyncio.create_task(connector.connect())
        with reports():
            await asyncio.wait([connecting], timeout=0.004 * rounds)
            await cancel(connecting)
            if connector.connected:
                await connector.disconnect()
            async with patience():
                while set(states.payloads[-1:]) == {"online"}:
                    await states.until(len(states.payloads) + 1)
        async with patience():
            await connector.connect()  # it can be used again
            assert connector.online
            await connector.disconnect()
        left = others() - tasks - set(line._pumps)
        assert not [task for task in left if "cascade" in str(task.get_coro())]


async def test_a_connect_that_fails_while_the_broker_closes_leaves_no_task_that_goes_on(broker):
    async with line_to(broker) as line:
        line.closes_after_answer = True
        connector = MqttConnector(
            line.url, client_id="lamp", connect_timeout=0.3, retry_delay=0.01, max_retry_delay=0.02
        )
        with reports():
            with pytest.raises(BrokerUnavailableError):
                await connector.connect()
            seen = len(line.closings.messages)
            await asyncio.sleep(0.1)
            assert len(line.closings.messages) <= seen + 1
    assert not connector.connected


async def test_a_broker_that_never_answers_our_status_does_not_hold_connect(broker):
    async with line_to(broker) as line:
        connector = MqttConnector(line.url, client_id="lamp", connect_timeout=0.3, keep_alive=60)
        connecting = asyncio.create_task(connector.connect())
        async with patience():
            while not line._writers:
                await asyncio.sleep(0)
        line.freeze()
        with pytest.raises(BrokerUnavailableError):
            async with patience():
                await connecting


# --- subscribing ----------------------------------------------------------------------------------


@pytest.mark.parametrize("filters", ["a", ["a", "b/+"]])
async def test_a_subscribe_that_is_cancelled_before_the_answer_leaves_no_subscription(
    broker, connect, filters
):
    async with line_to(broker) as line:
        connector, ghost, heard = await connect(line), Heard(), Heard()
        line.delay = 0.05
        subscribing = asyncio.create_task(connector.subscribe(filters, ghost))
        await asyncio.sleep(0.02)
        await cancel(subscribing)
        await (
            connector._session.connection.requests.round_trip_barrier()
        )  # the answer has come by now
        assert connector._subscriber.subscriptions == {}
        assert connector._subscriber._table.filters() == []
        await connector.subscribe(filters, heard)
        await connector.publish("a", 1, 1)
        await heard.until(1)
        await connector.disconnect()
    assert ghost.messages == []


async def test_a_cancelled_subscribe_does_not_make_another_one_to_the_same_filter_deaf(
    broker, connect
):
    async with line_to(broker) as line:
        connector, heard = await connect(line), Heard()
        await connector.subscribe("a", heard)
        line.delay = 0.02
        for wait in (0, 0.01, 0.03, 0.05, 0.07):
            subscribing = asyncio.create_task(connector.subscribe("a", Heard()))
            await asyncio.wait([subscribing], timeout=wait)
            await cancel(subscribing)
        line.delay = 0
        await connector._session.connection.requests.round_trip_barrier()
        await connector.publish("a", 1, 1)
        await heard.until(1)


async def test_a_subscribe_that_is_cancelled_in_an_outage_is_not_made_later(broker, connect):
    async with line_to(broker) as line:
        connector = await connect(line)
        with reports():
            line.freeze()
            line.cut()
            await until_offline(connector)
            subscribing = asyncio.create_task(connector.subscribe("a", Heard()))
            await asyncio.sleep(0)
            await cancel(subscribing)
            line.thaw()
            async with patience():
                await connector.publish("b", 1, 1)
        assert connector._subscriber._table.filters() == []


async def test_a_subscribe_during_a_disconnect_ends_with_it(broker, connect):
    async with line_to(broker) as line:
        connector, ghost = await connect(line), Heard()
        line.delay = 0.02
        subscribing = asyncio.create_task(connector.subscribe("a", ghost))
        await asyncio.sleep(0.01)
        await connector.disconnect()
        with pytest.raises(NotConnectedError, match="subscribe"):
            await subscribing
    assert connector._subscriber.subscriptions == {}


async def test_a_filter_that_ended_during_an_outage_is_not_subscribed_to_again(broker, connect):
    async with line_to(broker) as line:
        connector = await connect(line, client_id="lamp", session_expiry=60)
        handle = await connector.subscribe("a", Heard())
        with reports():
            line.freeze()
            line.cut()
            await until_offline(connector)
            await handle.unsubscribe()
            line.thaw()
            async with patience():
                await connector.publish("b", 1, 1)
        came = []
        connector._inbound.take = came.append
        await connector.publish("a", 1, 1)
        await connector._session.connection.requests.round_trip_barrier()
        assert came == []


# --- disconnecting --------------------------------------------------------------------------------


async def test_a_disconnect_that_is_cancelled_leaves_no_client_and_no_callback(
    broker, connect, states
):
    connector, ending = MqttConnector(broker.url, client_id="lamp"), asyncio.Event()
    begun, other = Heard(), Gated()

    async def slow_to_end(topic, payload):
        begun.keep(topic, payload)
        try:
            await asyncio.Event().wait()
        finally:
            await ending.wait()

    await connector.connect()
    await connector.subscribe("a", slow_to_end)
    await connector.subscribe("a", other)
    await connector.publish("a", 1, 1)
    await begun.until(1)
    await other.begun.until(1)
    disconnecting = asyncio.create_task(connector.disconnect())
    await asyncio.sleep(0.01)
    await cancel(disconnecting)
    assert not connector.connected
    await states.until(2)
    assert states.payloads[-1] == "offline"
    async with patience():
        while not other.cancelled:
            await asyncio.sleep(0)
    await connector.disconnect()
    await connector.connect()
    await states.until(3)
    async with patience():
        await connector.publish("a", 2, 1)
    assert states.payloads[-1] == "online"
    ending.set()
    await connector.disconnect()
    assert connector._subscriber.subscriptions == {}


async def test_a_connect_waits_for_the_disconnect_before_it(broker, states):
    async with line_to(broker) as line:
        connector = MqttConnector(line.url, client_id="lamp")
        await connector.connect()
        line.delay = 0.02
        with reports() as told:
            await asyncio.gather(connector.disconnect(), connector.connect())
            assert connector.online
        assert told.messages == []
        assert states.payloads == ["online", "offline", "online"]
        await connector.disconnect()


async def test_a_disconnect_waits_for_what_was_published(broker, connect):
    listener, heard = await connect(broker), Heard()
    await listener.subscribe("a", heard)
    async with line_to(broker) as line:
        line.delay = 0.01
        connector = MqttConnector(line.url)
        await connector.connect()
        publishing = [asyncio.create_task(connector.publish("a", n, n % 3)) for n in range(90)]
        await asyncio.sleep(0)
        await connector.disconnect()
        assert await asyncio.gather(*publishing) == [None] * 90
    await heard.until(90)


async def test_a_connector_is_an_async_context(broker):
    async with MqttConnector(broker.url) as connector:
        await connector.publish("a", 1, 1)
    assert not connector.connected
