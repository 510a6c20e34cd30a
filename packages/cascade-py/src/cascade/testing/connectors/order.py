"""Contract, point 2: order."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cascade.testing.connectors.callbacks import Gated, Heard, patience
from cascade.testing.connectors.harness import Connect, ConnectorHarness

FILTERS = ["n/a", "#", "n/+", "n/a", "+/a", "n/#", "n/a"]


async def listen_in_order(connectors: Any, heard: Any) -> None:
    for place, (connector, topic_filter) in enumerate(zip(connectors, FILTERS, strict=True)):

        async def hear(_topic: Any, payload: Any, place: Any = place) -> None:
            heard.keep(place, payload)

        await connector.subscribe(topic_filter, hear)


def words(size: Any) -> Any:
    return [()] if size == 0 else [(*word, part) for word in words(size - 1) for part in "xyz"]


class Order:
    """Contract, point 2: order."""

    @pytest.mark.parametrize("suspends", [False, True])
    async def test_a_subscription_receives_in_the_order_published(
        self, connect: Connect, suspends: Any
    ) -> None:
        connector, heard = await connect(), Heard()

        async def hear(topic: str, payload: Any) -> None:
            if suspends and payload % 3 == 0:
                await asyncio.sleep(0)
            heard.keep(topic, payload)

        await connector.subscribe("n/+", hear)
        for number in range(1_000):
            await connector.publish(f"n/{number % 7}", number)
        await heard.until(1_000)
        assert heard.payloads == list(range(1_000))
        assert heard.topics == [f"n/{number % 7}" for number in range(1_000)]

    async def test_order_holds_between_publishers_that_take_turns(self, connect: Connect) -> None:
        listener, one, two = await connect(), await connect(), await connect()
        heard, echoed = Heard(), Heard()
        await listener.subscribe("n", heard)
        await one.subscribe("n", echoed)
        for number in range(100):
            await (one, two)[number % 2].publish("n", number)
            await echoed.until(number + 1)
        await heard.until(100)
        assert heard.payloads == list(range(100))

    async def test_a_subscription_runs_one_callback_at_a_time(self, connect: Connect) -> None:
        connector, gated = await connect(), Gated()
        running = [0, 0]  # now, and at most so far

        async def hear(topic: str, payload: Any) -> None:
            running[0] += 1
            running[1] = max(running)
            await gated(topic, payload)
            running[0] -= 1

        await connector.subscribe("n", hear)
        for number in range(20):
            await connector.publish("n", number)
        await gated.begun.until(1)
        gated.gate.set()
        await gated.until(20)
        assert running == [0, 1]
        assert gated.payloads == list(range(20))

    async def test_a_slow_callback_delays_neither_others_nor_the_publisher(
        self, connect: Connect
    ) -> None:
        connector, other = await connect(), await connect()
        slow, quick, far = Gated(), Heard(), Heard()
        await connector.subscribe("n", slow)
        await connector.subscribe("n", quick)
        await other.subscribe("n", far)
        for number in range(100):
            await connector.publish("n", number)
        await quick.until(100)
        await far.until(100)
        await slow.begun.until(1)
        assert slow.begun.payloads == [0]
        assert slow.messages == []
        slow.gate.set()
        await slow.until(100)
        assert slow.payloads == quick.payloads == far.payloads == list(range(100))

    async def test_matching_subscriptions_are_served_in_the_order_they_subscribed(
        self, connect: Connect
    ) -> None:
        connector, heard = await connect(), Heard()
        await listen_in_order([connector] * len(FILTERS), heard)
        await connector.publish("n/a", 1)
        await connector.publish("n/a", 2)
        await heard.until(2 * len(FILTERS))
        assert heard.messages == [(place, n) for n in (1, 2) for place in range(len(FILTERS))]

    async def test_that_order_spans_connectors(
        self, harness: ConnectorHarness, connect: Connect
    ) -> None:
        if not harness.one_order:
            pytest.skip("clients of a network are served each for itself")
        connectors = [await connect() for _ in range(3)]
        heard = Heard()
        await listen_in_order([connectors[n % 3] for n in range(len(FILTERS))], heard)
        await connectors[1].publish("n/a", 1)
        assert heard.messages == [(place, 1) for place in range(len(FILTERS))]

    async def test_whoever_subscribes_anew_goes_to_the_end(self, connect: Connect) -> None:
        connector, heard = await connect(), Heard()

        def saying(name: Any) -> Any:
            async def hear(_topic: Any, payload: Any) -> None:
                heard.keep(name, payload)

            return hear

        first = await connector.subscribe("n", saying("a"))
        await connector.subscribe("n", saying("b"))
        await connector.publish("n", 1)
        await heard.until(2)
        await first.unsubscribe()
        await connector.subscribe("n", saying("a again"))
        await connector.publish("n", 2)
        await heard.until(4)
        assert heard.messages == [("a", 1), ("b", 1), ("b", 2), ("a again", 2)]

    async def test_a_nested_publish_comes_after_the_message_being_delivered_for_everyone(
        self, connect: Connect
    ) -> None:
        connector, log = await connect(), Heard()

        def saying(name: Any, *, answer: Any = False) -> Any:
            async def hear(topic: str, payload: Any) -> None:
                log.keep(name, (topic, payload))
                if answer and payload < 2:
                    await connector.publish("n/more", payload + 1)

            return hear

        await connector.subscribe("n/#", saying("a", answer=True))
        await connector.subscribe("n/+", saying("b"))
        await connector.subscribe("n/more", saying("c"))
        await connector.subscribe("n/one", saying("d"))
        await connector.publish("n/one", 0)
        await log.until(9)
        own = {name: [what for who, what in log.messages if who == name] for name in "abcd"}
        story = [("n/one", 0), ("n/more", 1), ("n/more", 2)]
        assert own == {"a": story, "b": story, "c": story[1:], "d": story[:1]}
        assert log.messages[:3] == [(name, ("n/one", 0)) for name in "abd"]

    async def test_nested_publishes_are_delivered_in_the_order_they_were_made(
        self, connect: Connect
    ) -> None:
        connector, heard = await connect(), Heard()

        async def split(_topic: Any, payload: Any) -> None:
            if len(payload) < 3:
                for part in "xyz":
                    await connector.publish("n", payload + part)

        await connector.subscribe("n", split)
        await connector.subscribe("n", heard)
        await connector.publish("n", "")
        await heard.until(40)
        breadth_first = ["".join(path) for size in range(4) for path in words(size)]
        assert heard.payloads == breadth_first

    @pytest.mark.parametrize("suspends", [False, True])
    async def test_a_long_chain_of_publishes_made_in_callbacks_does_not_recurse(
        self, harness: ConnectorHarness, connect: Connect, suspends: Any
    ) -> None:
        connector, done = await connect(), asyncio.Event()
        length = harness.many // (10 if suspends else 1)
        counted = 0

        async def go_on(_topic: Any, payload: Any) -> None:
            nonlocal counted
            assert payload == counted
            counted += 1
            if suspends:
                await asyncio.sleep(0)
            if counted < length:
                await connector.publish("n", payload + 1)
            else:
                done.set()

        await connector.subscribe("n", go_on)
        await connector.publish("n", 0)
        async with patience():
            await done.wait()
        assert counted == length

    async def test_a_long_chain_between_two_connectors_does_not_recurse(
        self, harness: ConnectorHarness, connect: Connect
    ) -> None:
        connectors, done = [await connect(), await connect()], asyncio.Event()
        length, returned = harness.many // 2, [0, 0]

        def player(side: Any) -> Any:
            async def play(_topic: Any, payload: Any) -> None:
                returned[side] += 1
                if payload < length:
                    await connectors[side].publish(f"to/{1 - side}", payload + 1)
                else:
                    done.set()

            return play

        for side in (0, 1):
            await connectors[side].subscribe(f"to/{side}", player(side))
        await connectors[0].publish("to/1", 0)
        async with patience():
            await done.wait()
        assert returned == [length // 2, length // 2 + 1]
