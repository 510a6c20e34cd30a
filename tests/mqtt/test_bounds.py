"""What is bounded, and where a broker has bounds of its own; Mosquitto with its default settings."""

import asyncio

import pytest

from cascade.testing.connectors import Gated, Heard, patience, reports
from mqtt.broker import NEEDS_BROKER
from mqtt.proxy import line_to, until_offline

pytestmark = NEEDS_BROKER


@pytest.fixture
def broker(start_broker):
    """A Mosquitto with its default limits."""
    return start_broker(limits="default")


@pytest.mark.parametrize("qos", [0, 1])
async def test_a_flood_at_a_slow_callback_is_dropped_past_the_limit_and_counted(
    broker, connect, qos
):
    publisher, listener = await connect(broker), await connect(broker, max_queued=10)
    gated = Gated()
    subscription = await listener.subscribe("a", gated)
    with reports() as told:
        for number in range(2_000):
            await publisher.publish("a", number, qos)
        async with patience():
            while subscription.dropped < 1_989:
                assert subscription.task is None or len(subscription.task.queue or ()) <= 10
                await asyncio.sleep(0.01)
        gated.gate.set()
        await gated.until(11)
    assert gated.payloads == list(range(11))
    assert set(told.topics) == {"queue.overflow"}


async def test_a_slow_subscription_delays_nobody(broker, connect):
    publisher, listener = await connect(broker), await connect(broker, max_queued=10)
    slow, quick = Gated(), Heard()
    await listener.subscribe("slow", slow)
    await listener.subscribe("quick", quick)
    with reports():
        for number in range(100):
            await publisher.publish("slow", number, 1)
        for number in range(10):
            await publisher.publish("quick", number, 1)
        await quick.until(10)
    assert slow.messages == []
    slow.gate.set()


async def test_more_retained_messages_than_a_broker_queues_all_come(broker, connect):
    publisher, listener, heard = await connect(broker), await connect(broker), Heard()
    for start in range(0, 3_000, 100):
        await asyncio.gather(
            *[publisher.publish(f"a/{n}", n, retain=True) for n in range(start, start + 100)]
        )
    await listener.subscribe("a/#", heard)
    assert sorted(heard.payloads) == list(range(3_000))
    await publisher.publish("a/live", "live", 1)
    await heard.until(3_001)


async def test_after_what_is_retained_messages_come_with_their_own_quality(broker, connect):
    publisher, listener = await connect(broker), await connect(broker)
    came = []
    take = listener._inbound.take
    listener._inbound.take = lambda message: (came.append(message), take(message))
    heard = Heard()
    await publisher.publish("a", "kept", retain=True)
    await listener.subscribe("a", heard)
    await publisher.publish("a", "live", 1)
    await heard.until(2)
    assert [(message.retain, message.qos) for message in came] == [(True, 0), (False, 1)]


async def test_what_is_larger_than_any_payload_may_be_is_not_even_sent(broker, connect):
    async with line_to(broker) as line:
        listener = await connect(line, max_payload=1_000)
        publisher, heard = await connect(broker), Heard()
        await listener.subscribe("a", heard)
        seen = []
        line._is_answer = lambda piece: seen.append(len(piece)) or False
        line.cut()
        with reports():
            await until_offline(listener)
            async with patience():
                while not listener.online:
                    await asyncio.sleep(0.01)
                await listener.publish("b", 1, 1)
            await publisher.publish("a", "x" * 1_000_000, 1)
            await publisher.publish("a", "small", 1)
            await heard.until(1)
    assert heard.payloads == ["small"]
    assert sum(seen) < 100_000
