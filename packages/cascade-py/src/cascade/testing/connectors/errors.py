"""Contract, point 6: errors. Nothing is dropped in silence."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cascade.interfaces.errors import InvalidTopicError, NotConnectedError
from cascade.testing.connectors.callbacks import Heard, reports
from cascade.testing.connectors.harness import Connect, ConnectorHarness


async def fail_now(error: Any) -> None:
    raise error


async def fail_later(error: Any) -> None:
    await asyncio.sleep(0)
    raise error


FAIL = pytest.mark.parametrize("fail", [fail_now, fail_later])
ERRORS = [
    ValueError("broken"),
    asyncio.CancelledError("nobody asked"),
    TimeoutError(),
    StopAsyncIteration(),
]


class Errors:
    """Contract, point 6: errors. Nothing is dropped in silence."""

    async def test_publishing_or_subscribing_before_connect_is_an_error(
        self, harness: ConnectorHarness
    ) -> None:
        connector = harness.connector()
        assert not connector.connected
        with pytest.raises(NotConnectedError, match="cannot publish"):
            await connector.publish("a", 1)
        with pytest.raises(NotConnectedError, match="cannot subscribe"):
            await connector.subscribe("a", Heard())

    async def test_publishing_or_subscribing_after_disconnect_is_an_error(
        self, connect: Connect
    ) -> None:
        connector = await connect()
        assert connector.connected
        await connector.disconnect()
        with pytest.raises(RuntimeError, match="cannot publish"):
            await connector.publish("a", 1, retain=True)
        with pytest.raises(RuntimeError, match="cannot subscribe"):
            await connector.subscribe("a", Heard())

    async def test_an_unknown_quality_of_service_is_refused(self, connect: Connect) -> None:
        connector = await connect()
        for qos in (-1, 3, "1", None):
            with pytest.raises(ValueError, match="qos"):
                await connector.publish("a", 1, qos=qos)

    async def test_each_quality_of_service_delivers_once_and_in_order(
        self, connect: Connect
    ) -> None:
        connector = await connect()
        delivered = {}
        for qos in (0, 1, 2):
            heard = Heard()
            await connector.subscribe(f"a/{qos}", heard)
            for number in range(20):
                await connector.publish(f"a/{qos}", number, qos=qos)
            await heard.until(20)
            await connector.publish(f"a/{qos}", "end", qos=qos)
            await heard.until(21)
            delivered[qos] = heard.payloads
        assert delivered == {qos: [*range(20), "end"] for qos in (0, 1, 2)}

    @FAIL
    async def test_a_callbacks_error_is_reported_and_its_subscription_lives_on(
        self, connect: Connect, fail: Any
    ) -> None:
        connector, heard = await connect(), Heard()

        async def hear(topic: str, payload: Any) -> None:
            heard.keep(topic, payload)
            if payload % 2:
                await fail(ERRORS[payload // 2])

        await connector.subscribe("a/+", hear)
        with reports() as told:
            for number in range(8):
                await connector.publish(f"a/{number}", number)
            await heard.until(8)
            await connector.publish("a/9", 8)
            await heard.until(9)
        assert heard.payloads == [0, 1, 2, 3, 4, 5, 6, 7, 8]
        assert told.topics == ["localbus.callback_error"] * 4
        for facts, error, topic in zip(
            told.payloads, ERRORS, ["a/1", "a/3", "a/5", "a/7"], strict=True
        ):
            assert facts["error"] is error
            # The harness may put a prefix before the topic.
            assert facts["topic"].endswith(topic)

    @FAIL
    async def test_an_error_over_a_retained_message_is_reported_as_such(
        self, connect: Connect, fail: Any
    ) -> None:
        connector, heard = await connect(), Heard()

        async def hear(topic: str, payload: Any) -> None:
            heard.keep(topic, payload)
            await fail(ERRORS[payload])

        for number in range(4):
            await connector.publish(f"a/{number}", number, retain=True)
        with reports() as told:
            await connector.subscribe("a/#", hear)
            assert sorted(heard.payloads) == [0, 1, 2, 3]
            for number in range(4):
                await connector.publish(f"a/live{number}", number)
            await told.until(8)
        ids = ["localbus.retained_callback_error"] * 4 + ["localbus.callback_error"] * 4
        assert told.topics == ids
        errors = {facts["topic"].rpartition("a/")[2]: facts["error"] for facts in told.payloads}
        assert sorted(errors) == ["0", "1", "2", "3", "live0", "live1", "live2", "live3"]
        for number, error in enumerate(ERRORS):
            assert errors[f"{number}"] is errors[f"live{number}"] is error

    @FAIL
    async def test_neither_the_publisher_nor_other_subscriptions_feel_an_error(
        self, connect: Connect, fail: Any
    ) -> None:
        connector, before, after = await connect(), Heard(), Heard()

        async def hear(topic: str, payload: Any) -> None:
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

    async def test_what_a_failing_callback_published_first_is_delivered(
        self, connect: Connect
    ) -> None:
        connector, heard = await connect(), Heard()

        async def hear(topic: str, payload: Any) -> None:
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

    async def test_errors_inside_a_callback_reach_that_callback(self, connect: Connect) -> None:
        connector, caught = await connect(), Heard()

        async def hear(topic: str, payload: Any) -> None:
            try:
                await connector.publish("a/#", 1)
            except InvalidTopicError as error:
                caught.keep(topic, error.reason)

        await connector.subscribe("a", hear)
        await connector.publish("a", 1)
        await caught.until(1)
        assert caught.payloads == ["a published topic has no wildcards"]

    async def test_what_is_not_callable_is_no_callback(self, connect: Connect) -> None:
        connector = await connect()
        with pytest.raises(TypeError, match="callback"):
            await connector.subscribe("a", "not a function")
