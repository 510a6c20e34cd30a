"""What a callback finds around it: a task of its own, and the context it was subscribed in."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import Any

import pytest

from cascade.common.messaging.testing import capture
from cascade.testing.connectors.callbacks import Heard, patience
from cascade.testing.connectors.harness import Connect

color = ContextVar("color", default="none")


def _cancelling() -> int:
    """Return how many requests to cancel the current task are open."""
    task = asyncio.current_task()
    assert task is not None
    return task.cancelling()


class Surroundings:
    """What a callback finds around it: a task of its own, and the context it was subscribed in."""

    async def test_the_current_task_in_a_callback_is_its_own_also_after_it_suspended(
        self, connect: Connect
    ) -> None:
        connector, seen = await connect(), Heard()

        async def hear(topic: str, payload: Any) -> None:
            before = asyncio.current_task()
            await asyncio.sleep(0)
            seen.keep(before, asyncio.current_task())

        publisher = asyncio.current_task()
        await connector.subscribe("a", hear)
        await connector.subscribe("a", hear)
        await connector.publish("a", 1)
        assert asyncio.current_task() is publisher
        await seen.until(2)
        for before, after in seen.messages:
            assert before is after
            assert before not in (None, publisher)
        assert seen.messages[0][0] is not seen.messages[1][0]

    async def test_a_timeout_inside_a_callback_hits_only_that_callback(
        self, connect: Connect
    ) -> None:
        connector, log = await connect(), Heard()

        async def impatient(topic: str, payload: Any) -> None:
            try:
                async with asyncio.timeout(0.001):
                    await asyncio.get_running_loop().create_future()
            except TimeoutError:
                log.keep("timed out", payload)

        async def patient(topic: str, payload: Any) -> None:
            await asyncio.shield(released)
            log.keep("waited", payload)

        released = asyncio.get_running_loop().create_future()
        await connector.subscribe("a", impatient)
        await connector.subscribe("a", patient)
        await connector.publish("a", 1)
        await connector.publish("a", 2)
        await log.until(2)
        released.set_result(None)
        await log.until(4)
        assert log.messages[:2] == [("timed out", 1), ("timed out", 2)]
        assert log.messages[2:] == [("waited", 1), ("waited", 2)]
        assert _cancelling() == 0

    async def test_a_timeout_around_a_callbacks_later_part_hits_it_too(
        self, connect: Connect
    ) -> None:
        connector, log = await connect(), Heard()

        async def hear(topic: str, payload: Any) -> None:
            await asyncio.sleep(0)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.001):
                    await asyncio.get_running_loop().create_future()
            log.keep(topic, _cancelling())

        await connector.subscribe("a", hear)
        for _ in range(3):
            await connector.publish("a", 1)
        await log.until(3)
        assert log.payloads == [0, 0, 0]

    async def test_a_task_group_works_inside_a_callback(self, connect: Connect) -> None:
        connector, log = await connect(), Heard()

        async def child(number: Any) -> Any:
            await asyncio.sleep(0)
            return number * number

        async def hear(topic: str, payload: Any) -> None:
            async with asyncio.TaskGroup() as group:
                children = [group.create_task(child(number)) for number in range(payload)]
            log.keep(topic, [each.result() for each in children])

        await connector.subscribe("a", hear)
        await connector.publish("a", 4)
        await connector.publish("a", 2)
        await log.until(2)
        assert log.payloads == [[0, 1, 4, 9], [0, 1]]

    async def test_a_child_that_fails_ends_its_task_group_and_not_the_subscription(
        self, connect: Connect
    ) -> None:
        connector, log = await connect(), Heard()

        async def fail() -> None:
            await asyncio.sleep(0)
            raise ValueError("child")

        async def hear(topic: str, payload: Any) -> None:
            if payload == 1:
                async with asyncio.TaskGroup() as group:
                    group.create_task(fail())
                    await asyncio.get_running_loop().create_future()
            log.keep(topic, payload)

        await connector.subscribe("a", hear)
        with capture() as messages:
            for number in range(3):
                await connector.publish("a", number)
            await log.until(2)
        assert log.payloads == [0, 2]
        assert [type(message.facts["error"]) for message in messages] == [ExceptionGroup]

    async def test_cancelling_a_callbacks_task_ends_that_subscription_alone(
        self, connect: Connect
    ) -> None:
        connector, tasks, other = await connect(), Heard(), Heard()

        async def hear(topic: str, payload: Any) -> None:
            tasks.keep(topic, asyncio.current_task())
            await asyncio.get_running_loop().create_future()

        await connector.subscribe("a", hear)
        await connector.subscribe("a", other)
        with capture() as messages:
            await connector.publish("a", 1)
            await tasks.until(1)
            task = tasks.payloads[0]
            task.cancel()
            async with patience():
                await asyncio.wait([task])
            for number in (2, 3):
                await connector.publish("a", number)
            await other.until(3)
        assert len(tasks.messages) == 1
        assert messages == []

    async def test_a_callback_sees_the_context_of_the_time_of_subscribing(
        self, connect: Connect
    ) -> None:
        connector, seen = await connect(), Heard()

        async def hear(topic: str, payload: Any) -> None:
            before = color.get()
            await opened.wait()
            seen.keep(before, color.get())

        opened = asyncio.Event()
        color.set("when subscribing")
        await connector.subscribe("a", hear)
        color.set("when publishing")
        await connector.publish("a", 1)
        opened.set()
        await seen.until(1)
        assert seen.messages == [("when subscribing", "when subscribing")]
        assert color.get() == "when publishing"

    @pytest.mark.parametrize("suspends", [False, True])
    async def test_what_a_callback_sets_does_not_leak_out(
        self, connect: Connect, suspends: Any
    ) -> None:
        connector, seen = await connect(), Heard()

        def painter(name: Any) -> Any:
            async def hear(topic: str, payload: Any) -> None:
                found = color.get()
                color.set(name)
                if suspends:
                    await asyncio.sleep(0)
                seen.keep(name, (found, color.get()))

            return hear

        color.set("before")
        await connector.subscribe("a", painter("red"))
        await connector.subscribe("a", painter("blue"))
        await connector.publish("a", 1)
        await seen.until(2)
        assert sorted(seen.messages) == [("blue", ("before", "blue")), ("red", ("before", "red"))]
        assert color.get() == "before"

    async def test_a_subscription_made_in_a_callback_takes_that_callbacks_context(
        self, connect: Connect
    ) -> None:
        connector, seen = await connect(), Heard()

        async def inner(topic: str, payload: Any) -> None:
            seen.keep(topic, color.get())

        async def outer(topic: str, payload: Any) -> None:
            color.set("outer")
            await connector.subscribe("b", inner)
            await connector.publish("b", 1)

        await connector.subscribe("a", outer)
        await connector.publish("a", 1)
        await seen.until(1)
        assert seen.payloads == ["outer"]
