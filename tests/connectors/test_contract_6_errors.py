"""Contract, point 6: errors. Nothing is dropped in silence."""

import asyncio

import pytest

from cascade.interfaces.errors import NotConnectedError
from connectors.hearing import Heard, reports


async def test_publishing_or_subscribing_before_connect_is_an_error(harness):
    connector = harness.connector()
    assert not connector.connected
    with pytest.raises(NotConnectedError, match="cannot publish"):
        await connector.publish("a", 1)
    with pytest.raises(NotConnectedError, match="cannot subscribe"):
        await connector.subscribe("a", Heard())


async def test_publishing_or_subscribing_after_disconnect_is_an_error(connect):
    connector = await connect()
    assert connector.connected
    await connector.disconnect()
    with pytest.raises(RuntimeError, match="cannot publish"):
        await connector.publish("a", 1, retain=True)
    with pytest.raises(RuntimeError, match="cannot subscribe"):
        await connector.subscribe("a", Heard())


@pytest.mark.parametrize("qos", [-1, 3, "1", None])
async def test_an_unknown_quality_of_service_is_refused(connect, qos):
    connector = await connect()
    with pytest.raises(ValueError, match="qos"):
        await connector.publish("a", 1, qos=qos)


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_each_quality_of_service_delivers_once_and_in_order(connect, qos):
    connector, heard = await connect(), Heard()
    await connector.subscribe("a", heard)
    for number in range(20):
        await connector.publish("a", number, qos=qos)
    await heard.until(20)
    await connector.publish("a", "end", qos=qos)
    await heard.until(21)
    assert heard.payloads == [*range(20), "end"]


async def fail_now(error):
    raise error


async def fail_later(error):
    await asyncio.sleep(0)
    raise error


FAIL = pytest.mark.parametrize("fail", [fail_now, fail_later])
ERROR = pytest.mark.parametrize(
    "error",
    [
        ValueError("broken"),
        asyncio.CancelledError("nobody asked"),
        TimeoutError(),
        StopAsyncIteration(),
    ],
    ids=lambda error: type(error).__name__,
)


@FAIL
@ERROR
async def test_a_callbacks_error_is_reported_and_its_subscription_lives_on(connect, fail, error):
    connector, heard = await connect(), Heard()

    async def hear(topic, payload):
        heard.keep(topic, payload)
        if payload % 2:
            await fail(error)

    await connector.subscribe("a/+", hear)
    with reports() as told:
        for number in range(4):
            await connector.publish(f"a/{number}", number)
        await heard.until(4)
        await connector.publish("a/9", 8)
        await heard.until(5)
    assert heard.payloads == [0, 1, 2, 3, 8]
    facts = [{"topic": f"a/{number}", "error": error} for number in (1, 3)]
    assert told.messages == [("localbus.callback_error", each) for each in facts]


@FAIL
@ERROR
async def test_an_error_over_a_retained_message_is_reported_as_such(connect, fail, error):
    connector, heard = await connect(), Heard()

    async def hear(topic, payload):
        heard.keep(topic, payload)
        await fail(error)

    for number in range(2):
        await connector.publish(f"a/{number}", number, retain=True)
    with reports() as told:
        await connector.subscribe("a/#", hear)
        assert sorted(heard.payloads) == [0, 1]
        await connector.publish("a/live", 2)
        await told.until(3)
    ids = ["localbus.retained_callback_error"] * 2 + ["localbus.callback_error"]
    assert told.topics == ids
    assert sorted(facts["topic"] for facts in told.payloads) == ["a/0", "a/1", "a/live"]
    assert all(facts["error"] is error for facts in told.payloads)


@FAIL
async def test_neither_the_publisher_nor_other_subscriptions_feel_an_error(connect, fail):
    connector, before, after = await connect(), Heard(), Heard()

    async def hear(topic, payload):
        await fail(ValueError("broken"))

    await connector.subscribe("a", before)
    await connector.subscribe("a", hear)
    await connector.subscribe("a", after)
    with reports() as told:
        for number in range(3):
            await connector.publish("a", number)
        await before.until(3)
        await after.until(3)
        await told.until(3)
    assert before.payloads == after.payloads == [0, 1, 2]


async def test_what_a_failing_callback_published_first_is_delivered(connect):
    connector, heard = await connect(), Heard()

    async def hear(topic, payload):
        await connector.publish("b", payload)
        raise ValueError

    await connector.subscribe("a", hear)
    await connector.subscribe("b", heard)
    with reports() as told:
        await connector.publish("a", 1)
        await heard.until(1)
        await told.until(1)
    assert heard.payloads == [1]
    assert told.topics == ["localbus.callback_error"]


async def test_errors_inside_a_callback_reach_that_callback(connect):
    connector, caught = await connect(), Heard()

    async def hear(topic, payload):
        try:
            await connector.publish("a/#", 1)
        except ValueError as error:
            caught.keep(topic, error.topic)

    await connector.subscribe("a", hear)
    await connector.publish("a", 1)
    await caught.until(1)
    assert caught.payloads == ["a/#"]


async def test_what_is_not_callable_is_no_callback(connect):
    connector = await connect()
    with pytest.raises(TypeError, match="callback"):
        await connector.subscribe("a", "not a function")
