"""Contract, point 5: unsubscribe and disconnect."""

from __future__ import annotations

import asyncio
from typing import Any

from cascade.testing.connectors.callbacks import Gated, Heard, patience
from cascade.testing.connectors.harness import Connect, ConnectorHarness


class Unsubscribe:
    """Contract, point 5: unsubscribe and disconnect."""

    async def test_after_unsubscribe_the_callback_is_not_called_again(
        self, connect: Connect
    ) -> None:
        connector, heard, end = await connect(), Heard(), Heard()
        handle = await connector.subscribe("a", heard)
        await connector.subscribe("a", end)
        await connector.publish("a", 1)
        await heard.until(1)
        await handle.unsubscribe()
        await connector.publish("a", 2)
        await end.until(2)
        assert heard.payloads == [1]

    async def test_unsubscribe_is_idempotent(self, connect: Connect) -> None:
        connector, ended, heard = await connect(), Heard(), Heard()
        handle = await connector.subscribe("a", ended)
        twin = await connector.subscribe("a", heard)
        for _ in range(3):
            await handle.unsubscribe()
        await connector.publish("a", 1)
        await heard.until(1)
        await twin.unsubscribe()
        await connector.disconnect()
        await handle.unsubscribe()
        assert (ended.messages, heard.messages) == ([], [("a", 1)])

    async def test_unsubscribing_touches_no_twin_with_the_same_filter_and_callback(
        self, connect: Connect
    ) -> None:
        connector, heard = await connect(), Heard()
        handles = [await connector.subscribe("a/+", heard) for _ in range(3)]
        await handles[1].unsubscribe()
        await connector.publish("a/b", 1)
        await heard.until(2)
        await handles[0].unsubscribe()
        await connector.publish("a/b", 2)
        await heard.until(3)
        assert heard.payloads == [1, 1, 2]

    async def test_a_callback_in_flight_is_cancelled_and_awaited(self, connect: Connect) -> None:
        connector, begun, tidied = await connect(), Heard(), []

        async def hear(topic: str, payload: Any) -> None:
            begun.keep(topic, payload)
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                await asyncio.sleep(0)
                tidied.append(payload)

        handle = await connector.subscribe("a", hear)
        await connector.publish("a", 1)
        await connector.publish("a", 2)
        await begun.until(1)
        async with patience():
            await handle.unsubscribe()
        assert tidied == [1]
        assert begun.payloads == [1]

    async def test_two_that_unsubscribe_at_once_both_wait_for_the_callback(
        self, connect: Connect
    ) -> None:
        connector, gated = await connect(), Gated()
        handle = await connector.subscribe("a", gated)
        await connector.publish("a", 1)
        await gated.begun.until(1)
        async with patience(), asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(handle.unsubscribe())
        assert gated.cancelled == [("a", 1)]

    async def test_messages_that_wait_are_not_delivered_after_unsubscribe(
        self, connect: Connect
    ) -> None:
        connector, gated, end = await connect(), Gated(), Heard()
        handle = await connector.subscribe("a", gated)
        await connector.subscribe("a", end)
        for number in range(5):
            await connector.publish("a", number)
        await end.until(5)
        await gated.begun.until(1)
        await handle.unsubscribe()
        gated.gate.set()
        await connector.publish("a", 5)
        await end.until(6)
        assert gated.begun.payloads == [0]
        assert gated.messages == []

    async def test_a_callback_that_refuses_to_be_cancelled_is_awaited_still(
        self, connect: Connect
    ) -> None:
        connector, begun, ended = await connect(), Heard(), []

        async def stubborn(topic: str, payload: Any) -> None:
            begun.keep(topic, payload)
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                for _ in range(10):
                    await asyncio.sleep(0)
            ended.append(payload)

        handle = await connector.subscribe("a", stubborn)
        await connector.publish("a", 1)
        await begun.until(1)
        async with patience():
            await handle.unsubscribe()
        assert ended == [1]

    async def test_callbacks_may_unsubscribe_each_other(self, connect: Connect) -> None:
        connector, ended = await connect(), Heard()
        handles: dict[Any, Any] = {}

        def rival(name: Any, victim: Any) -> Any:
            async def hear(topic: str, payload: Any) -> None:
                try:
                    await asyncio.sleep(0)
                    await handles[victim].unsubscribe()
                finally:
                    ended.keep(topic, name)

            return hear

        handles["a"] = await connector.subscribe("n", rival("a", "b"))
        handles["b"] = await connector.subscribe("n", rival("b", "a"))
        done = Heard()
        await connector.subscribe("end", done)
        await connector.publish("n", 1)
        await ended.until(2)
        await connector.publish("n", 2)
        await connector.publish("end", 0)
        await done.until(1)
        assert sorted(ended.payloads[:2]) == ["a", "b"]
        assert len(set(ended.payloads[2:])) <= 1  # the one that ended the other may live on

    async def test_disconnect_ends_this_connectors_subscriptions_and_no_others(
        self, connect: Connect
    ) -> None:
        connector, other = await connect(), await connect()
        mine, theirs = [Heard() for _ in range(5)], Heard()
        for place, heard in enumerate(mine):
            await connector.subscribe(["a", "a", "+", "#", "b"][place], heard)
        await other.subscribe("a", theirs)
        await connector.disconnect()
        await other.publish("a", 1)
        await theirs.until(1)
        assert [heard.messages for heard in mine] == [[]] * 5

    async def test_disconnect_cancels_and_awaits_callbacks_in_flight(
        self, connect: Connect
    ) -> None:
        connector, other = await connect(), await connect()
        gated = [Gated() for _ in range(3)]
        for each in gated:
            await connector.subscribe("a", each)
        await other.publish("a", 1)
        for each in gated:
            await each.begun.until(1)
        async with patience():
            await connector.disconnect()
        assert [each.cancelled for each in gated] == [[("a", 1)]] * 3

    async def test_disconnect_is_idempotent_also_before_connect(
        self, harness: ConnectorHarness, connect: Connect
    ) -> None:
        connector = await connect()
        await connector.subscribe("a", Heard())
        for _ in range(3):
            await connector.disconnect()
            assert not connector.connected
        never = harness.connector()
        await never.disconnect()
        assert not never.connected

    async def test_connect_is_idempotent_and_keeps_subscriptions(self, connect: Connect) -> None:
        connector, heard = await connect(), Heard()
        await connector.subscribe("a", heard)
        await connector.connect()
        assert connector.connected
        await connector.publish("a", 1)
        await heard.until(1)
        assert heard.payloads == [1]

    async def test_a_connector_that_comes_back_starts_without_subscriptions(
        self, connect: Connect
    ) -> None:
        connector, before, after = await connect(), Heard(), Heard()
        await connector.subscribe("a", before)
        await connector.disconnect()
        await connector.connect()
        assert connector.connected
        await connector.subscribe("a", after)
        await connector.publish("a", 1)
        await after.until(1)
        assert before.messages == []

    async def test_a_handle_outlives_its_connection_harmlessly(self, connect: Connect) -> None:
        connector, before, heard = await connect(), Heard(), Heard()
        handle = await connector.subscribe("a", before)
        await connector.disconnect()
        await connector.connect()
        await connector.subscribe("a", heard)
        await handle.unsubscribe()
        await connector.publish("a", 1)
        await heard.until(1)
        assert (before.messages, heard.messages) == ([], [("a", 1)])
