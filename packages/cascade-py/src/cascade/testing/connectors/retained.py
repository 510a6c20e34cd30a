"""Contract, point 3: retained messages."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cascade.testing.connectors.callbacks import Gated, Heard, patience
from cascade.testing.connectors.harness import Connect, ConnectorHarness

CLEARING: list[Any] = [None, b"", "", {}]


class Retained:
    """Contract, point 3: retained messages."""

    async def test_a_retained_message_arrives_before_subscribe_returns(
        self, connect: Connect
    ) -> None:
        connector, other, heard = await connect(), await connect(), Heard()
        await connector.publish("a/b", {"n": 1}, retain=True)
        await other.subscribe("a/b", heard)
        assert heard.messages == [("a/b", {"n": 1})]

    async def test_subscribe_waits_for_a_callback_that_suspends_over_a_retained_message(
        self, connect: Connect
    ) -> None:
        connector, gated = await connect(), Gated()
        for number in range(3):
            await connector.publish(f"a/{number}", number, retain=True)
        subscribing = asyncio.create_task(connector.subscribe("a/#", gated))
        await gated.begun.until(1)
        assert not subscribing.done()
        gated.gate.set()
        async with patience():
            await subscribing
        assert sorted(gated.payloads) == [0, 1, 2]

    @pytest.mark.parametrize("suspends", [False, True])
    async def test_retained_messages_come_oldest_first(
        self, harness: ConnectorHarness, connect: Connect, suspends: Any
    ) -> None:
        if not harness.retained_in_order:
            pytest.skip("the broker hands them over in an order of its own")
        connector, heard = await connect(), Heard()

        async def hear(topic: str, payload: Any) -> None:
            if suspends:
                await asyncio.sleep(0)
            heard.keep(topic, payload)

        for topic in ["a/z", "a/b/c", "a", "a/m", "a/b"]:
            await connector.publish(topic, 1, retain=True)
        await connector.publish("a/m", None, retain=True)
        await connector.publish("a/b/c", 2, retain=True)  # now the youngest
        await connector.publish("a/m", 3, retain=True)  # and now this one
        await connector.subscribe("a/#", hear)
        assert heard.messages == [("a/z", 1), ("a", 1), ("a/b", 1), ("a/b/c", 2), ("a/m", 3)]

    async def test_only_the_last_payload_of_a_topic_is_retained(self, connect: Connect) -> None:
        connector, heard = await connect(), Heard()
        for number in range(5):
            await connector.publish("a", number, retain=True)
        await connector.publish("a", "not retained")
        await connector.subscribe("a", heard)
        assert heard.messages == [("a", 4)]

    async def test_a_message_that_is_not_retained_is_not_handed_over(
        self, connect: Connect
    ) -> None:
        connector, heard = await connect(), Heard()
        await connector.publish("a", 1)
        await connector.subscribe("a", heard)
        await connector.publish("a", 2)
        await heard.until(1)
        assert heard.payloads == [2]

    async def test_other_payloads_that_are_false_are_retained(self, connect: Connect) -> None:
        connector = await connect()
        for number, payload in enumerate([0, False, [], 0.0, " ", {"a": None}, "0"]):
            heard = Heard()
            await connector.publish(f"a/{number}", payload, retain=True)
            await connector.subscribe(f"a/{number}", heard)
            assert repr(heard.payloads) == repr([payload])

    async def test_an_empty_payload_clears_what_was_retained(self, connect: Connect) -> None:
        connector = await connect()
        for number, payload in enumerate(CLEARING):
            heard = Heard()
            await connector.publish(f"{number}/b", 1, retain=True)
            await connector.publish(f"{number}/c", 2, retain=True)
            await connector.publish(f"{number}/b", payload, retain=True)
            await connector.subscribe(f"{number}/#", heard)
            assert heard.messages == [(f"{number}/c", 2)]

    @pytest.mark.parametrize("retained_before", [True, False])
    async def test_a_clearing_message_reaches_live_subscribers_as_an_empty_dict(
        self, connect: Connect, retained_before: bool
    ) -> None:
        connector = await connect()
        for number, payload in enumerate(CLEARING):
            topic, heard = f"a/{number}", Heard()
            if retained_before:
                await connector.publish(topic, 1, retain=True)
            await connector.subscribe(topic, heard)
            await connector.publish(topic, payload, retain=True)
            await heard.until(1 + retained_before)
            assert heard.messages[retained_before:] == [(topic, {})]

    async def test_a_retained_publish_reaches_live_subscribers_once(self, connect: Connect) -> None:
        connector, heard = await connect(), Heard()
        await connector.subscribe("a", heard)
        for number in range(3):
            await connector.publish("a", number, retain=True)
        await connector.publish("a", "end")
        await heard.until(4)
        assert heard.payloads == [0, 1, 2, "end"]

    async def test_every_new_subscription_gets_what_is_retained_and_no_other_does(
        self, connect: Connect
    ) -> None:
        connector, other = await connect(), await connect()
        heard = [Heard() for _ in range(3)]
        await connector.publish("a", 1, retain=True)
        handle = await connector.subscribe("a", heard[0])
        await connector.subscribe("+", heard[1])
        await other.subscribe("a", heard[2])
        assert [each.messages for each in heard] == [[("a", 1)]] * 3
        await handle.unsubscribe()
        await connector.subscribe("a", heard[0])
        assert [len(each.messages) for each in heard] == [2, 1, 1]

    async def test_a_retained_message_outlives_its_publisher(self, connect: Connect) -> None:
        connector, other, heard = await connect(), await connect(), Heard()
        await connector.publish("a", 1, retain=True)
        await connector.disconnect()
        await other.subscribe("a", heard)
        assert heard.messages == [("a", 1)]

    async def test_live_messages_during_the_hand_over_come_after_it_and_once(
        self, connect: Connect
    ) -> None:
        connector, other, gated = await connect(), await connect(), Gated()
        for number in range(3):
            await connector.publish(f"a/{number}", "old", retain=True)
        subscribing = asyncio.create_task(connector.subscribe("a/#", gated))
        await gated.begun.until(1)
        await connector.publish(
            "a/0", "new", retain=True
        )  # live for this one, though also retained
        await other.publish("a/9", "live")
        await connector.publish("a/2", None, retain=True)
        assert not subscribing.done()
        gated.gate.set()
        async with patience():
            await subscribing
        await gated.until(6)
        await connector.publish("end", 0)
        assert sorted(gated.messages[:3]) == [("a/0", "old"), ("a/1", "old"), ("a/2", "old")]
        assert sorted(map(repr, gated.messages[3:])) == sorted(
            map(repr, [("a/0", "new"), ("a/9", "live"), ("a/2", {})])
        )

    async def test_a_slow_hand_over_holds_up_nobody_else(self, connect: Connect) -> None:
        connector, gated, heard = await connect(), Gated(), Heard()
        await connector.publish("a", 1, retain=True)
        subscribing = asyncio.create_task(connector.subscribe("a", gated))
        await gated.begun.until(1)
        await connector.subscribe("a", heard)
        await connector.publish("a", 2)
        await heard.until(2)
        assert heard.payloads == [1, 2]
        gated.gate.set()
        async with patience():
            await subscribing
        await gated.until(2)
        assert gated.payloads == [1, 2]

    async def test_what_a_callback_retains_and_then_subscribes_to_arrives_once(
        self, connect: Connect
    ) -> None:
        connector, inner, done = await connect(), Heard(), Heard()

        async def hear(topic: str, payload: Any) -> None:
            await connector.publish("kept", payload, retain=True)
            await connector.subscribe("kept", inner)
            done.keep(topic, payload)

        await connector.subscribe("go", hear)
        await connector.publish("go", 1)
        await done.until(1)
        await connector.publish("kept", "end")
        await inner.until(2)
        assert inner.payloads == [1, "end"]

    async def test_a_cancelled_subscribe_leaves_no_subscription_behind(
        self, connect: Connect
    ) -> None:
        connector, gated = await connect(), Gated()
        await connector.publish("a", 1, retain=True)
        subscribing = asyncio.create_task(connector.subscribe("a", gated))
        await gated.begun.until(1)
        subscribing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await subscribing
        assert gated.cancelled == [("a", 1)]
        end = Heard()
        await connector.subscribe("a", end)
        await connector.publish("a", 2)
        await end.until(2)
        assert gated.begun.payloads == [1]

    async def test_a_thousand_retained_messages_arrive_before_subscribe_returns(
        self, connect: Connect
    ) -> None:
        connector, heard = await connect(), Heard()
        for number in range(1_000):
            await connector.publish(f"a/{number}", number, retain=True)
        await connector.subscribe("a/+", heard)
        assert sorted(heard.payloads) == list(range(1_000))
