"""The first connect: who may come in, what happens if nobody is there, and what others are told."""

import asyncio

import pytest

from cascade.connectors.mqtt import MqttConnector
from cascade.interfaces.errors import (
    BrokerRefusedError,
    BrokerUnavailableError,
    NotConnectedError,
    WrongLoopError,
)
from cascade.testing.connectors import Heard, patience, reports
from mqtt.access import users
from mqtt.broker import HOST, NEEDS_BROKER, Broker, free_port
from mqtt.proxy import line_to
from mqtt.stranger import hanging_up

pytestmark = NEEDS_BROKER

STATUS = "cascade/status/lamp"


# --- nobody there ---------------------------------------------------------------------------------


async def test_an_absent_broker_is_tried_until_the_deadline_then_named():
    port = free_port()
    connector = MqttConnector(port=port, host=HOST, connect_timeout=2, retry_delay=0.02)
    with pytest.raises(BrokerUnavailableError, match=f"{HOST}:{port}.*refused") as raised:
        async with patience():
            await connector.connect()
    assert raised.value.action == "connect"
    assert not connector.connected


async def test_a_broker_that_starts_late_is_found(tmp_path):
    broker = Broker(tmp_path)
    connector = MqttConnector(broker.url, connect_timeout=20, retry_delay=0.02, max_retry_delay=0.1)
    connecting = asyncio.create_task(connector.connect())
    async with hanging_up(broker.port) as came:
        await came.until(2)
        assert not connecting.done()
    await asyncio.to_thread(broker.start)
    try:
        async with patience():
            await connecting
        assert connector.connected
        assert connector.online
        await connector.disconnect()
    finally:
        broker.stop()


async def test_a_host_without_an_address_is_told():
    connector = MqttConnector(host="nowhere.invalid", connect_timeout=0.2, retry_delay=0.02)
    with pytest.raises(BrokerUnavailableError, match=r"nowhere\.invalid"):
        await connector.connect()


async def test_whoever_waits_for_a_broker_may_be_cancelled():
    port = free_port()
    connector = MqttConnector(host=HOST, port=port, connect_timeout=60, retry_delay=0.02)
    async with hanging_up(port) as came:
        connecting = asyncio.create_task(connector.connect())
        await came.until(2)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
    assert not connector.connected


# --- who may come in ------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@pytest.mark.parametrize("who", [{}, {"username": "lamp", "password": "wrong"}])
async def test_refused_credentials_are_told_at_once(start_broker, tmp_path, who, protocol):
    broker = start_broker(*users(tmp_path, lamp="secret"), anonymous=False)
    connector = MqttConnector(broker.url, protocol=protocol, connect_timeout=60, **who)
    async with patience():
        with pytest.raises(BrokerRefusedError, match="connect.*user name, password") as raised:
            await connector.connect()
    assert raised.value.code in {0x86, 0x87}
    assert "wrong" not in str(raised.value)


async def test_the_right_credentials_let_in(start_broker, tmp_path, connect):
    broker = start_broker(*users(tmp_path, lamp="p@ss wörd"), anonymous=False)
    connector = await connect(broker, username="lamp", password="p@ss wörd")
    heard = Heard()
    await connector.subscribe("a", heard)
    await connector.publish("a", 1)
    assert (await heard.until(1)) == [("a", 1)]


async def test_two_clients_with_one_id_are_told_what_throws_them_out(broker, connect):
    with reports() as told:
        older = await connect(broker, client_id="lamp")
        younger = await connect(broker, client_id="lamp")
        async with patience():
            while "mqtt.unsteady" not in [name for name, _ in told.messages]:
                await told.until(len(told.messages) + 1)
        await older.disconnect()
        async with patience():  # alone, the other one stays
            await younger.publish("a", 2, 1)
    (facts, *_) = [facts for name, facts in told.messages if name == "mqtt.unsteady"]
    assert facts["client"] == "lamp"


async def test_a_client_that_is_told_of_another_with_its_id_stays_away(broker, connect):
    async with line_to(broker) as line:
        lamp = await connect(line, client_id="lamp")
        with reports() as told:
            line.say(b"\xe0\x02\x8e\x00")  # DISCONNECT: session taken over (MQTT 5.0 §3.14)
            await told.until(1)
            assert told.messages == [("mqtt.taken_over", {"client": "lamp"})]
            assert not lamp.online
            with pytest.raises(BrokerRefusedError, match="(?i)taken over"):
                await lamp.publish("a", 1)


# --- what others are told -------------------------------------------------------------------------


async def test_a_named_client_says_that_it_is_there_and_that_it_goes(broker, connect):
    watcher, heard = await connect(broker), Heard()
    await watcher.subscribe("cascade/status/+", heard)
    lamp = MqttConnector(broker.url, client_id="lamp")
    await lamp.connect()
    await heard.until(1)
    late = Heard()
    await watcher.subscribe(STATUS, late)
    assert late.messages == [(STATUS, "online")]  # retained
    await lamp.disconnect()
    await heard.until(2)
    assert heard.messages == [(STATUS, "online"), (STATUS, "offline")]


async def test_of_a_client_that_dies_the_broker_says_that_it_is_gone(broker, connect):
    watcher, heard = await connect(broker), Heard()
    with reports():
        async with line_to(broker) as line:
            await connect(line, client_id="lamp")
            await watcher.subscribe(STATUS, heard)
        await heard.until(2)
    assert heard.payloads == ["online", "offline"]


async def test_after_a_reconnect_a_client_is_online_again(broker, connect):
    watcher, heard = await connect(broker, session_expiry=60, client_id="watcher"), Heard()
    await connect(broker, client_id="lamp")
    await watcher.subscribe(STATUS, heard)
    with reports():
        broker.kill()
        broker.start()
        while heard.payloads[-1] != "online" or len(heard.payloads) < 2:
            await heard.until(len(heard.payloads) + 1)
    assert set(heard.messages) <= {(STATUS, "online"), (STATUS, "offline")}


# --- loops ----------------------------------------------------------------------------------------


async def test_a_connector_belongs_to_the_loop_that_connected_it(broker, connect):
    connector = await connect(broker)

    def elsewhere():
        return asyncio.run(connector.publish("a", 1))

    with pytest.raises(WrongLoopError, match="another event loop"):
        await asyncio.to_thread(elsewhere)


def test_a_connector_may_be_used_in_one_asyncio_run_after_the_other(broker):
    connector = MqttConnector(broker.url)

    async def once(number, *, clean):
        heard = Heard()
        await connector.connect()
        await connector.subscribe("a", heard)
        await connector.publish("a", number)
        await heard.until(1)
        if clean:
            await connector.disconnect()
        return heard.payloads

    assert asyncio.run(once(1, clean=True)) == [1]
    assert asyncio.run(once(2, clean=True)) == [2]


async def test_a_connector_that_was_disconnected_says_so(broker, connect):
    connector = await connect(broker)
    await connector.disconnect()
    with pytest.raises(NotConnectedError):
        await connector.publish("a", 1)
    with pytest.raises(NotConnectedError):
        await connector.subscribe("a", Heard())
