"""Contract, point 7, to the letter: what a full subscription does with one message more."""

import asyncio

import pytest

from cascade.interfaces.errors import QueueFullError
from cascade.testing.connectors import Gated, Heard, patience, reports


async def publish(connector, numbers, topic="a"):
    for number in numbers:
        await connector.publish(topic, number)


async def test_wait_holds_the_publisher_back_until_there_is_room(connect):
    slow, connector = await connect(max_queued=2), await connect()
    gated, quick = Gated(), Heard()
    await slow.subscribe("a", gated)
    await connector.subscribe("a", quick)
    await publish(connector, [0, 1, 2])  # one in flight, two in the queue
    late = asyncio.create_task(publish(connector, [3, 4]))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not late.done()
    assert quick.payloads == [0, 1, 2, 3]  # the one that waits has been handed out already
    gated.gate.set()
    async with patience():
        await late
    await gated.until(5)
    assert gated.payloads == quick.payloads == [0, 1, 2, 3, 4]


async def test_wait_is_the_default_and_says_nothing(connect):
    connector, gated = await connect(max_queued=1), Gated()
    await connector.subscribe("a", gated)
    with reports() as told:
        publishing = asyncio.create_task(publish(connector, range(10)))
        await gated.begun.until(1)
        gated.gate.set()
        await gated.until(10)
        await publishing
    assert gated.payloads == list(range(10))
    assert told.messages == []


async def test_all_publishers_that_wait_go_on_once_there_is_room(connect):
    connector, gated = await connect(max_queued=1), Gated()
    await connector.subscribe("a", gated)
    publishers = [asyncio.create_task(publish(connector, [number])) for number in range(20)]
    await gated.begun.until(1)
    await asyncio.sleep(0)
    assert sum(publisher.done() for publisher in publishers) == 2
    gated.gate.set()
    async with patience():
        await asyncio.gather(*publishers)
    await gated.until(20)
    assert gated.payloads == list(range(20))


@pytest.mark.parametrize("ending", ["unsubscribe", "disconnect", "reset"])
async def test_a_publisher_that_waits_goes_on_when_the_subscription_ends(connect, broker, ending):
    listener, connector, gated = await connect(max_queued=1), await connect(), Gated()
    handle = await listener.subscribe("a", gated)
    await publish(connector, [0, 1])
    late = asyncio.create_task(publish(connector, [2]))
    await asyncio.sleep(0)
    assert not late.done()
    if ending == "reset":
        broker.reset()
    else:
        await (handle.unsubscribe() if ending == "unsubscribe" else listener.disconnect())
    async with patience():
        await late


async def test_a_publisher_that_is_cancelled_while_it_waits_has_published(connect):
    connector, gated = await connect(max_queued=1), Gated()
    await connector.subscribe("a", gated)
    await publish(connector, [0, 1])
    late = asyncio.create_task(publish(connector, [2]))
    await asyncio.sleep(0)
    late.cancel()
    await asyncio.wait([late])
    assert late.cancelled()
    gated.gate.set()
    await gated.until(3)
    await publish(connector, [3])
    await gated.until(4)
    assert gated.payloads == [0, 1, 2, 3]


async def test_inside_a_callback_publish_grows_the_queue_and_warns_each_time_it_doubled(connect):
    slow, connector = await connect(max_queued=4), await connect()
    gated, done = Gated(), Heard()

    async def flood(topic, payload):
        for number in range(1, payload + 1):
            await connector.publish("a", number)
        done.keep(topic, payload)

    await slow.subscribe("a", gated)
    await connector.subscribe("go", flood)
    await connector.publish("a", 0)
    with reports() as told:
        flooding = asyncio.create_task(connector.publish("go", 20))
        await done.until(1)
        await told.until(1)
        gated.gate.set()
        await gated.until(21)
        async with patience():
            await flooding
    assert gated.payloads == list(range(21))
    assert told.messages == [("queue.growing", {"topic": "a", "queued": 20, "limit": 4})]


async def test_a_callback_that_suspended_warns_as_its_flood_grows(connect):
    slow, connector = await connect(max_queued=4), await connect()
    gated, done = Gated(), Heard()

    async def flood(topic, payload):
        await asyncio.sleep(0)
        for number in range(1, payload + 1):
            await connector.publish("a", number)
        done.keep(topic, payload)

    await slow.subscribe("a", gated)
    await connector.subscribe("go", flood)
    await connector.publish("a", 0)
    with reports() as told:
        await connector.publish("go", 20)
        await done.until(1)
    assert told.topics == ["queue.growing"] * 5
    assert [facts["queued"] for facts in told.payloads] == [5, 6, 8, 12, 20]
    gated.gate.set()
    await gated.until(21)
    assert gated.payloads == list(range(21))


async def test_the_warnings_begin_anew_after_the_queue_was_empty(connect):
    connector, gated = await connect(max_queued=1), Gated()
    await connector.subscribe("a", gated)
    done = Heard()

    async def flood(topic, payload):
        await asyncio.sleep(0)
        await publish(connector, [1, 2, 3])
        done.keep(topic, payload)

    await connector.subscribe("go", flood)
    with reports() as told:
        for turn in (1, 2):
            gated.gate.clear()
            await connector.publish("go", turn)
            await done.until(turn)
            assert len(told.messages) == turn
            gated.gate.set()
            await gated.until(3 * turn)


async def test_a_task_that_a_callback_began_is_held_back_as_any_other(connect):
    slow, connector = await connect(max_queued=1), await connect()
    gated, tasks, published = Gated(), [], []

    async def flood():
        for number in range(10):
            await connector.publish("a", number)
            published.append(number)

    async def begin(topic, payload):
        tasks.append(asyncio.create_task(flood()))

    await slow.subscribe("a", gated)
    await connector.subscribe("go", begin)
    with reports() as told:
        await connector.publish("go", 1)
        await gated.begun.until(1)
        for _ in range(20):
            await asyncio.sleep(0)
        assert published == [0, 1]  # one in the callback, one that waits; the next is held back
        gated.gate.set()
        async with patience():
            await tasks[0]
    assert told.topics == []
    await gated.until(10)


DROPS = {"drop_oldest": [0, 8, 9], "drop_newest": [0, 1, 2]}


@pytest.mark.parametrize("overflow", DROPS)
async def test_a_drop_policy_keeps_its_share_counts_and_reports(connect, overflow):
    slow, connector = await connect(max_queued=2, overflow=overflow), await connect()
    gated, quick = Gated(), Heard()
    handle = await slow.subscribe("a", gated)
    await connector.subscribe("a", quick)
    with reports() as told:
        await publish(connector, range(10))
    assert quick.payloads == list(range(10))
    gated.gate.set()
    await gated.until(3)
    await publish(connector, [10])
    await gated.until(4)
    assert gated.payloads == [*DROPS[overflow], 10]
    assert handle.dropped == 7
    facts = [{"topic": "a", "policy": overflow, "dropped": count} for count in (1, 2, 4)]
    assert told.messages == [("queue.overflow", each) for each in facts]


@pytest.mark.parametrize("overflow", DROPS)
async def test_a_drop_policy_never_drops_what_is_retained(connect, overflow):
    slow, connector, gated = (
        await connect(max_queued=1, overflow=overflow),
        await connect(),
        Gated(),
    )
    for number in range(5):
        await connector.publish(f"a/{number}", number, retain=True)
    subscribing = asyncio.create_task(slow.subscribe("a/+", gated))
    await gated.begun.until(1)
    with reports() as told:
        await publish(connector, [10, 11, 12], topic="a/live")
    gated.gate.set()
    await subscribing
    assert gated.payloads[:5] == [0, 1, 2, 3, 4]
    await gated.until(6)
    assert gated.payloads[5:] == ([12] if overflow == "drop_oldest" else [10])
    assert told.topics == ["queue.overflow"] * 2


async def test_many_retained_messages_do_not_hold_a_publisher_back(connect):
    slow, connector, gated = await connect(max_queued=1), await connect(), Gated()
    for number in range(5):
        await connector.publish(f"a/{number}", number, retain=True)
    subscribing = asyncio.create_task(slow.subscribe("a/+", gated))
    await gated.begun.until(1)
    async with patience():
        await connector.publish("a/live", 5)
    gated.gate.set()
    await subscribing
    await gated.until(6)
    assert gated.payloads == [0, 1, 2, 3, 4, 5]


async def test_error_refuses_the_message_at_the_publisher_and_delivers_it_elsewhere(connect):
    slow, connector = await connect(max_queued=2, overflow="error"), await connect()
    gated, before, after = Gated(), Heard(), Heard()
    await connector.subscribe("a", before)
    await slow.subscribe("+", gated)
    await connector.subscribe("a", after)
    await publish(connector, [0, 1, 2])
    with pytest.raises(QueueFullError) as caught:
        await connector.publish("a", 3)
    assert (caught.value.topic, caught.value.topic_filter, caught.value.limit) == ("a", "+", 2)
    gated.gate.set()
    await gated.until(3)
    await publish(connector, [4])
    await gated.until(4)
    assert gated.payloads == [0, 1, 2, 4]
    assert before.payloads == after.payloads == [0, 1, 2, 3, 4]


async def test_error_inside_a_delivery_is_reported_since_nobody_can_be_told(connect):
    slow, connector, gated = await connect(max_queued=1, overflow="error"), await connect(), Gated()

    async def flood(topic, payload):
        await publish(connector, range(4))

    await slow.subscribe("a", gated)
    await connector.subscribe("go", flood)
    with reports() as told:
        await connector.publish("go", 1)
    gated.gate.set()
    await gated.until(2)
    assert gated.payloads == [0, 1]
    assert told.topics == ["queue.message_refused"] * 2
    assert {type(facts["error"]) for facts in told.payloads} == {QueueFullError}
    assert {facts["topic"] for facts in told.payloads} == {"a"}


async def test_error_in_a_callback_that_suspended_reaches_that_callback(connect):
    slow, connector = await connect(max_queued=1, overflow="error"), await connect()
    gated, caught = Gated(), Heard()

    async def flood(topic, payload):
        await asyncio.sleep(0)
        for number in range(4):
            try:
                await connector.publish("a", number)
            except QueueFullError as error:
                caught.keep(error.topic, number)
        caught.keep("end", None)

    await slow.subscribe("a", gated)
    await connector.subscribe("go", flood)
    await connector.publish("go", 1)
    await caught.until(3)
    assert caught.messages == [("a", 2), ("a", 3), ("end", None)]
    gated.gate.set()
    await gated.until(2)


async def test_a_refusal_while_retained_messages_are_handed_over_is_reported(connect):
    slow, connector, gated = await connect(max_queued=1, overflow="error"), await connect(), Gated()

    async def flood(topic, payload):
        await publish(connector, range(3))

    await slow.subscribe("a", gated)
    await connector.publish("kept", 1, retain=True)
    with reports() as told:
        await connector.subscribe("kept", flood)
        assert told.topics == ["queue.message_refused"]
        await connector.publish("elsewhere", 1)
    assert len(told.messages) == 1
    gated.gate.set()
    await gated.until(2)


async def test_one_full_subscription_does_not_touch_the_policy_of_another(connect):
    connectors = {
        "wait": await connect(max_queued=100),
        "drop_oldest": await connect(max_queued=1, overflow="drop_oldest"),
        "drop_newest": await connect(max_queued=1, overflow="drop_newest"),
    }
    gated = {policy: Gated() for policy in connectors}
    for policy, connector in connectors.items():
        await connector.subscribe("a", gated[policy])
    with reports():
        await publish(connectors["wait"], range(5))
    for each in gated.values():
        each.gate.set()
    await gated["wait"].until(5)
    await gated["drop_oldest"].until(2)
    await gated["drop_newest"].until(2)
    assert gated["wait"].payloads == [0, 1, 2, 3, 4]
    assert gated["drop_oldest"].payloads == [0, 4]
    assert gated["drop_newest"].payloads == [0, 1]
