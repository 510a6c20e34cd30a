"""The task that a callback runs in, seen from inside and from outside."""

import asyncio

import pytest

from cascade.testing.connectors import Gated, Heard, patience, reports


async def test_a_subscription_shows_as_a_task_only_while_its_callback_waits(connect):
    connector, gated, mine = await connect(), Gated(), asyncio.current_task()
    handle = await connector.subscribe("a", gated)
    assert asyncio.all_tasks() == {mine}
    await connector.publish("a", 1)
    await connector.publish("a", 2)
    assert asyncio.all_tasks() == {mine, handle.task}
    gated.gate.set()
    await gated.until(2)
    assert asyncio.all_tasks() == {mine}


async def test_the_current_task_of_a_callback_stays_the_same_over_its_messages(connect):
    connector, tasks = await connect(), []

    async def hear(topic, payload):
        tasks.append(asyncio.current_task())
        if payload % 2:
            await asyncio.sleep(0)
            tasks.append(asyncio.current_task())

    handle = await connector.subscribe("a", hear)
    for number in range(4):
        await connector.publish("a", number)
    while len(tasks) < 6:
        await asyncio.sleep(0)
    assert tasks == [handle.task] * 6


async def test_each_nested_callback_sees_its_own_task_and_the_publisher_gets_its_back(connect):
    connector, seen = await connect(), []

    def player(answer):
        async def hear(topic, payload):
            before = asyncio.current_task()
            if answer:
                await connector.publish(answer, payload)
            seen.append((topic, before, asyncio.current_task()))

        return hear

    handles = {
        topic: await connector.subscribe(topic, player(answer))
        for topic, answer in (("a", "b"), ("b", "c"), ("c", ""))
    }
    publisher = asyncio.current_task()
    await connector.publish("a", 1)
    assert seen == [(topic, handle.task, handle.task) for topic, handle in handles.items()]
    assert asyncio.current_task() is publisher


async def test_a_callback_run_by_a_resumed_one_gives_the_task_back_to_it(connect):
    connector, seen = await connect(), Heard()

    async def outer(topic, payload):
        before = asyncio.current_task()
        await asyncio.sleep(0)
        await connector.publish("inner", payload)
        seen.keep(before, asyncio.current_task())

    async def inner(topic, payload):
        seen.keep(topic, asyncio.current_task())

    one = await connector.subscribe("outer", outer)
    two = await connector.subscribe("inner", inner)
    await connector.publish("outer", 1)
    await seen.until(2)
    assert seen.messages == [("inner", two.task), (one.task, one.task)]


async def test_cancelling_the_task_of_an_idle_subscription_ends_it(connect, broker):
    connector, tasks = await connect(), []

    async def hear(topic, payload):
        tasks.append(asyncio.current_task())

    await connector.subscribe("a", hear)
    await connector.publish("a", 1)
    tasks[0].cancel()
    assert broker.subscription_count == 0
    await connector.publish("a", 2)
    assert len(tasks) == 1


async def test_a_callback_that_cancels_itself_without_waiting_ends_its_subscription(
    connect, broker
):
    connector, heard = await connect(), Heard()

    async def hear(topic, payload):
        heard.keep(topic, payload)
        asyncio.current_task().cancel()

    handle = await connector.subscribe("a", hear)
    await connector.publish("a", 1)
    async with patience():
        await asyncio.wait([handle.task])
    await connector.publish("a", 2)
    assert heard.payloads == [1]
    assert broker.subscription_count == 0


async def test_a_callback_that_takes_its_cancellation_back_keeps_its_subscription(connect, broker):
    connector, heard = await connect(), Heard()

    async def hear(topic, payload):
        task = asyncio.current_task()
        task.cancel()
        assert task.cancelling() == 1
        task.uncancel()
        await asyncio.sleep(0)
        heard.keep(topic, payload)

    await connector.subscribe("a", hear)
    with reports() as told:
        await connector.publish("a", 1)
        await connector.publish("a", 2)
        await heard.until(2)
    assert told.messages == []
    assert broker.subscription_count == 1


async def test_a_cancelled_callback_that_is_handed_over_retained_messages_frees_subscribe(connect):
    connector, gated = await connect(), Gated()
    for number in range(3):
        await connector.publish(f"a/{number}", number, retain=True)
    subscribing = asyncio.create_task(connector.subscribe("a/#", gated))
    await gated.begun.until(1)
    (task,) = asyncio.all_tasks() - {asyncio.current_task(), subscribing}
    task.cancel()
    async with patience():
        await subscribing
    assert gated.begun.payloads == [0]
    assert gated.cancelled == [("a/0", 0)]


@pytest.mark.parametrize("first_message", [True, False], ids=["resumed", "from_the_queue"])
@pytest.mark.parametrize("waits_after", [True, False])
async def test_a_callback_may_be_unsubscribed_by_one_that_runs_for_its_own_message(
    connect, first_message, waits_after
):
    """The one below in the stack goes on, is cancelled where it next waits, and is awaited."""
    connector, log, handles = await connect(), Heard(), {}

    async def below(topic, payload):
        if first_message or payload == 0:
            await asyncio.sleep(0)
        if payload == (not first_message):
            await connector.publish("above", payload)
            log.keep("below goes on", payload)
            if waits_after:
                try:
                    await asyncio.sleep(0)
                except asyncio.CancelledError:
                    log.keep("below is cancelled", payload)
                    raise

    async def above(topic, payload):
        await handles["below"].unsubscribe()
        log.keep("above knows it ended", payload)

    handles["below"] = await connector.subscribe("below", below)
    await connector.subscribe("above", above)
    await connector.publish("below", 0)
    await connector.publish("below", 1)
    cancelled = ["below is cancelled"] * waits_after
    await log.until(2 + waits_after)
    assert log.topics == ["below goes on", *cancelled, "above knows it ended"]
    await connector.publish("below", 2)
    assert len(log.messages) == 2 + waits_after


async def test_a_callback_that_runs_at_once_inside_another_may_unsubscribe_it(connect):
    """An eager task begun by a callback is not that callback, though it runs inside it."""
    from contextvars import copy_context

    from cascade.runtime.concurrency.eager_task import EagerTask

    connector, log, handles = await connect(), Heard(), []

    async def child():
        await handles[0].unsubscribe()
        log.keep("child", 1)

    async def hear(topic, payload):
        EagerTask(child(), asyncio.get_running_loop(), copy_context()).start()
        log.keep("callback", payload)

    handles.append(await connector.subscribe("a", hear))
    await connector.publish("a", 1)
    await log.until(2)
    assert log.topics == ["callback", "child"]
    await connector.publish("a", 2)
    assert len(log.messages) == 2


async def test_a_child_task_of_a_callback_may_unsubscribe_it(connect):
    connector, log, handles = await connect(), Heard(), []

    async def child():
        try:
            await handles[0].unsubscribe()
        finally:
            log.keep("child", 1)

    async def hear(topic, payload):
        async with asyncio.TaskGroup() as group:
            group.create_task(child())

    handles.append(await connector.subscribe("a", hear))
    await connector.publish("a", 1)
    await log.until(1)
    async with patience():
        await asyncio.wait([handles[0].task])
    await connector.publish("a", 2)
    assert len(log.messages) == 1


async def test_a_callback_that_waits_for_a_future_of_another_loop_is_told_so(connect):
    connector, other = await connect(), asyncio.new_event_loop()
    future = other.create_future()

    async def hear(topic, payload):
        await future

    await connector.subscribe("a", hear)
    with reports() as told:
        await connector.publish("a", 1)
        await told.until(1)
        await connector.publish("a", 2)
        await told.until(2)
    assert {type(facts["error"]) for facts in told.payloads} == {RuntimeError}
    other.close()


async def test_a_callback_that_awaits_its_own_task_is_told_so(connect):
    connector = await connect()

    async def hear(topic, payload):
        await asyncio.current_task()

    await connector.subscribe("a", hear)
    with reports() as told:
        await connector.publish("a", 1)
        await told.until(1)
    assert isinstance(told.payloads[0]["error"], RuntimeError)


async def test_a_long_queue_lets_the_loop_breathe(connect):
    connector, gated, turns = await connect(), Gated(), 0
    await connector.subscribe("a", gated)
    for number in range(20_000):
        await connector.publish("a", number)
    gated.gate.set()
    while len(gated.messages) < 20_000:
        turns += 1
        await asyncio.sleep(0)
    assert turns >= 4
    assert gated.payloads == list(range(20_000))


async def test_a_slot_of_the_queue_is_free_again_during_the_hand_over_of_many(connect):
    """A hand-over of more than one slice goes on from the loop, and unsubscribing ends it."""
    connector, heard = await connect(), Heard()
    for number in range(1_000):
        await connector.publish(f"a/{number}", number, retain=True)

    async def hear(topic, payload):
        heard.keep(topic, payload)
        if len(heard.messages) == 300:
            await connector.disconnect()

    async with patience():
        await connector.subscribe("a/#", hear)
    await asyncio.sleep(0)
    assert heard.payloads == list(range(300))
