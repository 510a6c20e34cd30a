"""Contract, point 8: nothing is bound to a loop that has ended."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from cascade.testing.connectors.callbacks import Heard, patience
from cascade.testing.connectors.harness import Connect, ConnectorHarness


async def converse(connectors: Any, word: Any) -> Any:
    heard = Heard()
    for connector in connectors:
        await connector.connect()
    await connectors[0].subscribe("a/+", heard)
    for number in range(10):
        await connectors[-1].publish(f"a/{number}", [word, number])
    await heard.until(10)
    for connector in connectors:
        await connector.disconnect()
    return heard.payloads


class Loops:
    """Contract, point 8: nothing is bound to a loop that has ended."""

    def test_asyncio_run_may_be_called_again_and_again_with_new_connectors(
        self, harness: ConnectorHarness
    ) -> None:
        for word in range(5):
            connectors = [harness.connector(), harness.connector()]
            assert asyncio.run(converse(connectors, word)) == [[word, n] for n in range(10)]

    def test_a_connector_may_be_used_on_one_loop_after_the_other(
        self, harness: ConnectorHarness
    ) -> None:
        connectors = [harness.connector(), harness.connector()]
        for word in range(5):
            assert asyncio.run(converse(connectors, word)) == [[word, n] for n in range(10)]

    def test_a_retained_message_outlives_the_loop_it_was_published_on(
        self, harness: ConnectorHarness
    ) -> None:
        async def keep() -> None:
            connector = harness.connector()
            await connector.connect()
            await connector.publish("kept", 1, retain=True)
            await connector.disconnect()

        async def look() -> Any:
            connector, heard = harness.connector(), Heard()
            await connector.connect()
            await connector.subscribe("kept", heard)
            await connector.disconnect()
            return heard.payloads

        asyncio.run(keep())
        assert [asyncio.run(look()) for _ in range(3)] == [[1]] * 3

    async def test_loops_of_several_threads_share_the_broker_and_each_callback_runs_on_its_own(
        self, harness: ConnectorHarness, connect: Connect
    ) -> None:
        connector, heard = await connect(), Heard()
        listening, finish = threading.Event(), threading.Event()
        elsewhere = {}

        async def listen() -> None:
            mine, far = harness.connector(), Heard()

            async def hear(topic: str, payload: Any) -> None:
                far.keep(asyncio.get_running_loop() is loop, threading.get_ident() == thread)
                await mine.publish("back", payload)

            loop, thread = asyncio.get_running_loop(), threading.get_ident()
            await mine.connect()
            await mine.subscribe("forth", hear)
            listening.set()
            await far.until(20)
            await loop.run_in_executor(None, finish.wait)
            await mine.disconnect()
            elsewhere["heard"] = far.messages

        async def hear_back(topic: str, payload: Any) -> None:
            assert asyncio.get_running_loop() is here
            heard.keep(threading.get_ident() == home, payload)

        here, home = asyncio.get_running_loop(), threading.get_ident()
        await connector.subscribe("back", hear_back)
        thread = threading.Thread(target=asyncio.run, args=[listen()])
        thread.start()
        await here.run_in_executor(None, listening.wait)
        for number in range(20):
            await connector.publish("forth", number)
        try:
            await heard.until(20)
        finally:
            finish.set()
            async with patience():
                await here.run_in_executor(None, thread.join)
        assert heard.messages == [(True, number) for number in range(20)]
        assert elsewhere["heard"] == [(True, True)] * 20
