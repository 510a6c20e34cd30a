"""Contract, point 7: memory, as far as every transport keeps it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cascade.common.messaging.testing import capture
from cascade.testing.connectors.callbacks import Gated, Heard, patience, reports
from cascade.testing.connectors.harness import Connect, ConnectorHarness


async def _until_heard(connector: Any, topic: str, payload: Any, heard: Heard) -> None:
    """Publish something until it is heard: a queue that is full for the moment may drop it."""
    async with patience():
        while payload not in heard.payloads:
            await connector.publish(topic, payload)
            await asyncio.sleep(0.01)


class Memory:
    """Contract, point 7: memory, as far as every transport keeps it."""

    async def test_an_idle_subscription_costs_no_task(self, connect: Connect) -> None:
        connector = await connect()
        heard = [Heard() for _ in range(200)]
        await connector.subscribe("a/0", heard[0])
        before = len(asyncio.all_tasks())
        for place, each in enumerate(heard[1:], 1):
            await connector.subscribe(f"a/{place}", each)
        assert len(asyncio.all_tasks()) == before
        for place in range(200):
            await connector.publish(f"a/{place}", place)
        for each in heard:
            await each.until(1)
        assert len(asyncio.all_tasks()) == before

    async def test_a_callback_that_publishes_to_itself_past_its_limit_does_not_lock(
        self, harness: ConnectorHarness, connect: Connect
    ) -> None:
        connector, heard = await connect(max_queued=2), Heard()

        async def hear(topic: str, payload: Any) -> None:
            await asyncio.sleep(0)
            heard.keep(topic, payload)
            if payload == 0:
                for number in range(1, 50):
                    await connector.publish("a", number)

        await connector.subscribe("a", hear)
        with capture():
            await connector.publish("a", 0)
            await heard.until(50 if harness.keeps_overflow else 3)
            await _until_heard(connector, "a", 50, heard)
        assert heard.payloads[:3] == [0, 1, 2]
        assert heard.payloads[:50] == list(range(50)) or not harness.keeps_overflow

    async def test_two_callbacks_that_flood_each_other_do_not_lock(
        self, harness: ConnectorHarness, connect: Connect
    ) -> None:
        connectors = [await connect(max_queued=1), await connect(max_queued=1)]
        heard = [Heard(), Heard()]

        def flood(side: Any) -> Any:
            async def hear(topic: str, payload: Any) -> None:
                await asyncio.sleep(0)
                heard[side].keep(topic, payload)
                if payload < 4:
                    for _ in range(2):
                        await connectors[side].publish(f"to/{1 - side}", payload + 1)

            return hear

        for side in (0, 1):
            await connectors[side].subscribe(f"to/{side}", flood(side))
        with capture():
            async with patience():
                await connectors[0].publish("to/1", 0)
            if harness.keeps_overflow:
                await heard[1].until(1 + 4 + 16)
                await heard[0].until(2 + 8)
            await _until_heard(connectors[0], "to/1", 5, heard[1])
        if harness.keeps_overflow:
            assert heard[1].payloads[:21] == [0] + [2] * 4 + [4] * 16
            assert heard[0].payloads == [1] * 2 + [3] * 8

    async def test_a_queue_holds_no_more_than_its_limit(
        self, harness: ConnectorHarness, connect: Connect
    ) -> None:
        if harness.keeps_overflow:
            pytest.skip("the publisher waits here")
        connector, gated = await connect(max_queued=10), Gated()
        await connector.subscribe("a", gated)
        with reports() as told:
            for number in range(200):
                await connector.publish("a", number)
            await gated.begun.until(1)
            await told.until(1)
            gated.gate.set()
            await _until_heard(connector, "a", "end", gated)
        assert gated.payloads[:11] == list(range(11))
        assert set(told.topics) == {"queue.overflow"}

    async def test_a_slow_subscription_loses_nothing_within_its_limit(
        self, connect: Connect
    ) -> None:
        connector, gated = await connect(max_queued=100), Gated()
        await connector.subscribe("a", gated)
        for number in range(100):
            await connector.publish("a", number)
        await gated.begun.until(1)
        gated.gate.set()
        await gated.until(100)
        assert gated.payloads == list(range(100))
