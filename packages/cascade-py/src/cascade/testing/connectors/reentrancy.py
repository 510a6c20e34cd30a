"""Contract, point 4: a callback may use the connectors that it hears through."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cascade.testing.connectors.callbacks import Heard, patience
from cascade.testing.connectors.harness import Connect

FOR = pytest.mark.parametrize("retained", [False, True], ids=["live", "retained"])
BY = pytest.mark.parametrize("other", [False, True], ids=["same_connector", "other_connector"])


async def run_inside(connector: Any, action: Any, *, retained: Any) -> Any:
    """Run an action inside a callback, for a live message or a retained one, to its end."""
    done = asyncio.Event()

    async def callback(topic: str, payload: Any) -> None:
        await action()
        done.set()

    if retained:
        await connector.publish("go", 1, retain=True)
        async with patience():
            handle = await connector.subscribe("go", callback)
            if not connector.connected:  # a subscription that has ended holds nobody up
                await done.wait()
        assert done.is_set()
    else:
        handle = await connector.subscribe("go", callback)
        async with patience():
            await connector.publish("go", 1)
            await done.wait()
    return handle


class Reentrancy:
    """Contract, point 4: a callback may use the connectors that it hears through."""

    @pytest.fixture
    async def pair(self, connect: Connect, other: bool) -> tuple[Any, Any]:
        """Return the connector that hears, and the one that its callback uses."""
        connector = await connect()
        return connector, (await connect() if other else connector)

    @FOR
    @BY
    async def test_a_callback_may_publish(self, pair: Any, retained: Any) -> None:
        connector, used = pair
        heard = Heard()
        await connector.subscribe("answer/#", heard)

        async def answer() -> None:
            for number in range(10):
                await used.publish(f"answer/{number}", number)

        await run_inside(connector, answer, retained=retained)
        await heard.until(10)
        assert heard.payloads == list(range(10))

    @FOR
    @BY
    @pytest.mark.parametrize("kept", [False, True], ids=["nothing_kept", "something_kept"])
    async def test_a_callback_may_subscribe(self, pair: Any, retained: Any, kept: Any) -> None:
        connector, used = pair
        heard = Heard()
        if kept:
            await used.publish("more", 0, retain=True)

        async def listen() -> None:
            await used.subscribe("more", heard)
            assert len(heard.messages) == kept

        await run_inside(connector, listen, retained=retained)
        await connector.publish("more", 1)
        await heard.until(1 + kept)
        assert heard.payloads == ([0, 1] if kept else [1])

    @FOR
    @BY
    async def test_a_callback_may_unsubscribe_another_subscription(
        self, pair: Any, retained: Any
    ) -> None:
        connector, used = pair
        heard, end = Heard(), Heard()
        victim = await used.subscribe("more", heard)
        await run_inside(connector, victim.unsubscribe, retained=retained)
        await used.subscribe("more", end)
        await connector.publish("more", 1)
        await end.until(1)
        assert heard.messages == []

    @FOR
    @BY
    async def test_a_callback_may_disconnect(self, pair: Any, retained: Any) -> None:
        connector, used = pair
        heard = Heard()
        await used.subscribe("more", heard)
        await run_inside(connector, used.disconnect, retained=retained)
        assert not used.connected
        await used.connect()
        end = Heard()
        await used.subscribe("more", end)
        await used.publish("more", 1)
        await end.until(1)
        assert heard.messages == []

    async def test_a_callback_may_unsubscribe_itself_and_runs_to_its_end(
        self, connect: Connect
    ) -> None:
        connector, heard = await connect(), Heard()
        handles: list[Any] = []

        async def once(topic: str, payload: Any) -> None:
            await handles[0].unsubscribe()
            await asyncio.sleep(0)
            heard.keep(topic, payload)

        handles.append(await connector.subscribe("a", once))
        end = Heard()
        await connector.subscribe("a", end)
        for number in range(3):
            await connector.publish("a", number)
        await end.until(3)
        await heard.until(1)
        assert heard.payloads == [0]

    async def test_a_callback_that_disconnects_its_own_connector_runs_to_its_end(
        self, connect: Connect
    ) -> None:
        connector, other, heard = await connect(), await connect(), Heard()

        async def leave(topic: str, payload: Any) -> None:
            await connector.disconnect()
            await asyncio.sleep(0)
            heard.keep(topic, payload)

        await connector.subscribe("a", leave)
        end = Heard()
        await other.subscribe("a", end)
        for number in range(3):
            await other.publish("a", number)
        await end.until(3)
        await heard.until(1)
        assert heard.payloads == [0]
        assert not connector.connected

    async def test_a_callback_may_publish_to_its_own_filter(self, connect: Connect) -> None:
        connector, heard = await connect(), Heard()

        async def count_down(topic: str, payload: Any) -> None:
            heard.keep(topic, payload)
            if payload:
                await connector.publish("n", payload - 1)

        await connector.subscribe("n", count_down)
        await connector.publish("n", 100)
        await heard.until(101)
        assert heard.payloads == list(range(100, -1, -1))

    async def test_what_a_retained_callback_publishes_to_itself_comes_after_what_is_retained(
        self, connect: Connect
    ) -> None:
        connector, heard = await connect(), Heard()

        async def hear(topic: str, payload: Any) -> None:
            heard.keep(topic, payload)
            if topic != "a/new":
                await connector.publish("a/new", topic)

        await connector.publish("a/1", 1, retain=True)
        await connector.publish("a/2", 2, retain=True)
        await connector.subscribe("a/#", hear)
        await heard.until(4)
        assert sorted(heard.topics[:2]) == ["a/1", "a/2"]
        assert heard.messages[2:] == [("a/new", topic) for topic in heard.topics[:2]]

    async def test_a_cycle_of_subscriptions_made_in_callbacks_loses_nothing(
        self, connect: Connect
    ) -> None:
        connectors = [await connect() for _ in range(3)]
        heard = Heard()

        def member(place: Any) -> Any:
            async def hear(topic: str, payload: Any) -> None:
                heard.keep(place, payload)
                if payload < 30:
                    following = (place + 1) % 3
                    handle = await connectors[following].subscribe(
                        f"n/{payload + 1}", member(following)
                    )
                    await connectors[place].publish(f"n/{payload + 1}", payload + 1)
                    assert handle is not None

            return hear

        await connectors[0].subscribe("n/0", member(0))
        await connectors[2].publish("n/0", 0)
        await heard.until(31)
        assert heard.messages == [(number % 3, number) for number in range(31)]

    async def test_a_task_that_a_callback_began_may_use_the_connector_too(
        self, connect: Connect
    ) -> None:
        connector, heard, tasks = await connect(), Heard(), []

        async def later() -> None:
            await connector.subscribe("later", heard)
            await connector.publish("later", 1)

        async def begin(topic: str, payload: Any) -> None:
            tasks.append(asyncio.create_task(later()))

        await connector.subscribe("go", begin)
        await connector.publish("go", 1)
        await heard.until(1)
        await tasks[0]
        assert heard.messages == [("later", 1)]
