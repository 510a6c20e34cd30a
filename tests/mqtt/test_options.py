"""What only MQTT has: transports, several addresses, wills, and what travels beside a payload."""

import asyncio

import pytest

from cascade.connectors.mqtt import Message, MqttConnector, Will
from cascade.interfaces.errors import BrokerUnavailableError, InvalidTopicError, UnsuitableLoopError
from cascade.testing.connectors import Heard, reports
from mqtt.broker import HOST, NEEDS_BROKER, free_port
from mqtt.proxy import line_to
from mqtt.websocket import websocket_to

pytestmark = NEEDS_BROKER


class Whole(Heard):
    """Keeps whole messages."""

    async def __call__(self, message):
        self.keep(message.topic, message)


# --- transports -----------------------------------------------------------------------------------


async def chat(connector):
    heard = Heard()
    async with connector:
        await connector.subscribe("a", heard)
        for number in range(50):
            await connector.publish("a", [number, "x" * number * 500], 1)
        await heard.until(50)
    return [payload[0] for payload in heard.payloads]


async def test_over_websockets(broker):
    async with websocket_to(broker) as (port, asked):
        assert await chat(MqttConnector(f"ws://{HOST}:{port}/here")) == list(range(50))
        assert asked == ["/here"]


async def test_a_port_that_speaks_no_websocket_is_told(broker):
    connector = MqttConnector(f"ws://{HOST}:{broker.port}", connect_timeout=0.3)
    with pytest.raises(BrokerUnavailableError, match="(?i)websocket"):
        await connector.connect()


async def test_over_a_unix_socket(start_broker, tmp_path):
    path = tmp_path / "s"
    start_broker(listener=[f"listener 0 {path}"])
    assert await chat(MqttConnector(f"mqtt+unix://{path}")) == list(range(50))


async def test_several_addresses_are_tried_in_turn(broker):
    dead = free_port()
    url = f"mqtt://{HOST}:{dead},{HOST}:{broker.port}"
    assert await chat(MqttConnector(url, retry_delay=0.01)) == list(range(50))


async def test_when_one_broker_is_lost_the_next_address_is_tried(start_broker):
    one, other = start_broker(), start_broker()
    heard = Heard()
    url = f"mqtt://{HOST}:{one.port},{HOST}:{other.port}"
    async with MqttConnector(url, retry_delay=0.01) as connector:
        await connector.subscribe("a", heard)
        with reports():
            await asyncio.to_thread(one.kill)
            await connector.publish("a", 1, 1)
        await heard.until(1)


async def test_a_loop_that_cannot_watch_sockets_is_refused_in_a_sentence(broker, monkeypatch):
    def cannot(*_args):
        raise NotImplementedError

    connector = MqttConnector(broker.url)
    with monkeypatch.context() as patch:
        patch.setattr(asyncio.get_running_loop(), "add_reader", cannot)
        with pytest.raises(UnsuitableLoopError, match="SelectorEventLoop"):
            await connector.connect()
    assert not connector.connected


# --- wills ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_the_broker_publishes_the_will_of_a_client_that_dies(broker, connect, protocol):
    watcher, heard = await connect(broker), Whole()
    await watcher.subscribe("wills/#", heard, with_message=True)
    with reports():
        async with line_to(broker) as line:
            will = Will("wills/lamp", {"gone": True}, retain=True)
            await connect(line, client_id="lamp", will=will, protocol=protocol)
        await heard.until(1)
    assert heard.payloads[0].payload == {"gone": True}
    late = Heard()
    await watcher.subscribe("wills/lamp", late)
    assert late.payloads == [{"gone": True}]


def test_a_will_is_checked():
    with pytest.raises(InvalidTopicError):
        Will("a/#", 1)
    with pytest.raises(ValueError, match="qos"):
        Will("a", 1, qos=3)


# --- what travels beside a payload ----------------------------------------------------------------


async def test_a_callback_may_have_the_whole_message(broker, connect):
    connector, heard = await connect(broker), Whole()
    await connector.publish("a", "kept", retain=True)
    await connector.subscribe("a", heard, with_message=True)
    await connector.publish(
        "a", [1], 1, expiry=60, response_topic="answers/1", correlation=b"\x00one"
    )
    await connector.publish("a", 2)
    await heard.until(3)
    kept, full, plain = heard.payloads
    assert kept == Message("a", "kept", 0, retained=True)
    assert full == Message("a", [1], 1, False, 60, "answers/1", b"\x00one")
    assert plain == Message("a", 2, 0, retained=False)


async def test_an_answer_finds_its_question(broker, connect):
    asker, server, answers = await connect(broker), await connect(broker), Whole()

    async def serve(message):
        answer = message.payload * 2
        await server.publish(message.response_topic, answer, correlation=message.correlation)

    await server.subscribe("double", serve, with_message=True)
    await asker.subscribe("answers", answers, with_message=True)
    await asker.publish("double", 21, response_topic="answers", correlation=b"7")
    await answers.until(1)
    assert (answers.payloads[0].payload, answers.payloads[0].correlation) == (42, b"7")


async def test_a_message_that_is_not_fetched_in_time_is_gone(broker, connect):
    named = {"client_id": "late", "session_expiry": 60}
    listener, publisher = MqttConnector(broker.url, **named), await connect(broker)
    async with listener:
        await listener.subscribe("a", Heard())
    await publisher.publish("a", "short", 1, expiry=1)
    await publisher.publish("a", "long", 1, expiry=600)
    await asyncio.sleep(2.1)
    listener, heard = await connect(broker, **named, clean_start=False), Heard()
    await listener.subscribe("a", heard)
    await heard.until(1)
    assert heard.payloads == ["long"]


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_each_subscription_may_have_a_quality_of_its_own(broker, connect, qos):
    connector, own, others = await connect(broker), Whole(), Whole()
    await connector.subscribe("a/#", others, with_message=True)
    await connector.subscribe("a/+", own, qos=qos, with_message=True)
    await connector.publish("a/b", 1, 2)
    await own.until(1)
    await others.until(1)
    assert (own.payloads[0].qos, others.payloads[0].qos) == (qos, 1)


async def test_a_subscription_may_leave_out_what_its_own_connector_says(broker, connect):
    connector, other = await connect(broker), await connect(broker)
    theirs, everything = Heard(), Heard()
    await connector.subscribe("a/+", theirs, no_local=True)
    await connector.subscribe("a/#", everything)
    await connector.publish("a/b", "mine", 1)
    await other.publish("a/b", "theirs", 1)
    await theirs.until(1)
    await everything.until(2)
    assert theirs.payloads == ["theirs"]
    assert everything.payloads == ["mine", "theirs"]


async def test_one_filter_has_one_set_of_options(broker, connect):
    connector = await connect(broker)
    handle = await connector.subscribe("a", Heard(), no_local=True)
    with pytest.raises(ValueError, match="'a' is subscribed to with other options"):
        await connector.subscribe(["b", "a"], Heard())
    assert connector._subscriber._table.filters() == ["a"]
    await handle.unsubscribe()
    await connector.subscribe("a", Heard())


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_options_that_make_no_sense_are_refused(broker, connect, protocol):
    connector = await connect(broker, protocol=protocol)
    with pytest.raises(ValueError, match="qos is 0, 1 or 2"):
        await connector.subscribe("a", Heard(), qos=3)
    with pytest.raises(ValueError, match=r"no_local"):
        await connector.subscribe("$share/g/a", Heard(), no_local=True)
    with pytest.raises(ValueError, match="expiry"):
        await connector.publish("a", 1, expiry=0)
    with pytest.raises(ValueError, match=r"MQTT 5|wildcards"):
        await connector.publish("a", 1, response_topic="a/#")


async def test_version_3_names_what_it_has_no_place_for(broker, connect):
    connector = await connect(broker, protocol="3.1.1")
    for options in ({"expiry": 5}, {"response_topic": "a"}, {"correlation": b"1"}):
        with pytest.raises(ValueError, match="needs MQTT 5"):
            await connector.publish("a", 1, **options)
    with pytest.raises(ValueError, match="no_local needs MQTT 5"):
        await connector.subscribe("a", Heard(), no_local=True)
