"""With a lasting session a message is acknowledged when it is done with, and else comes again."""

import asyncio

import pytest

import cascade as cs
from cascade.connectors.mqtt import MqttConnector
from cascade.connectors.mqtt import inbound as inbounds
from cascade.interfaces.acknowledgement import hold
from cascade.testing.connectors import Gated, Heard, patience, reports
from mqtt.broker import NEEDS_BROKER
from mqtt.proxy import line_to

pytestmark = NEEDS_BROKER

LASTING = {"client_id": "worker", "session_expiry": 600, "clean_start": False, "status": False}


async def die(connector):
    """End a connector as a killed process does."""
    connector._session.abandon()
    connector._connected = False


@pytest.fixture
async def worker(broker, connect):
    async def start(callback, topic="a", **options):
        connector = await connect(broker, **{**LASTING, **options})
        return connector, await connector.subscribe(topic, callback)

    return start


async def test_what_a_killed_consumer_had_not_handled_comes_again(broker, connect, worker):
    publisher, slow = await connect(broker), Gated()
    connector, _ = await worker(slow)
    for number in range(200):
        await publisher.publish("a", number, 1)
    await slow.begun.until(1)
    await die(connector)
    heard = Heard()
    await worker(heard)
    await heard.until(200)
    assert list(dict.fromkeys(heard.payloads)) == list(range(200))


async def test_what_was_handled_does_not_come_again(broker, connect, worker):
    publisher, heard = await connect(broker), Heard()
    connector, _ = await worker(heard)
    for number in range(50):
        await publisher.publish("a", number, 1)
    await heard.until(50)
    await connector.publish("b", 1, 1)  # behind the acknowledgements
    await die(connector)
    again = Heard()
    await worker(again)
    await publisher.publish("a", "new", 1)
    await again.until(1)
    assert again.payloads == ["new"]


async def test_what_was_not_handled_at_a_disconnect_comes_again(broker, connect, worker):
    publisher, slow = await connect(broker), Gated()
    connector, _ = await worker(slow)
    for number in range(30):
        await publisher.publish("a", number, 1)
    await slow.begun.until(1)
    await connector.disconnect()
    heard = Heard()
    await worker(heard)
    await heard.until(30)
    assert heard.payloads == list(range(30))


async def test_a_message_waits_for_every_callback(broker, connect, worker):
    publisher, slow, quick = await connect(broker), Gated(), Heard()
    connector, _ = await worker(quick, "a")
    await connector.subscribe("a", slow)
    await publisher.publish("a", 1, 1)
    await quick.until(1)
    await slow.begun.until(1)
    await die(connector)
    again = Heard()
    await worker(again)
    await again.until(1)


async def test_a_callback_that_fails_is_done_with_its_message(broker, connect, worker):
    publisher, begun = await connect(broker), Heard()

    async def fail(topic, payload):
        begun.keep(topic, payload)
        raise ValueError(payload)

    connector, _ = await worker(fail)
    with reports():
        for number in range(100):
            await publisher.publish("a", number, 1)
        await begun.until(100)
        await connector.publish("b", 1, 1)
    assert not connector._inbound._acknowledgements._owed


async def test_an_unsubscribed_callback_holds_no_acknowledgement(broker, connect, worker):
    publisher, slow, other = await connect(broker), Gated(), Heard()
    connector, handle = await worker(slow, max_queued=20)
    await connector.subscribe("b", other)
    for number in range(40):
        await publisher.publish("a", number, 1)
    await publisher.publish("b", 1, 1)
    await slow.begun.until(1)
    assert other.messages == []  # which is why a slow one has a connector of its own
    await handle.unsubscribe()
    await other.until(1)


@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest", "error"])
async def test_what_a_full_queue_drops_holds_no_acknowledgement(broker, connect, overflow):
    publisher, slow, quick = await connect(broker), Gated(), Heard()
    connector = await connect(broker, **LASTING, max_queued=5, overflow=overflow)
    await connector.subscribe("a", slow)
    await connector.subscribe("b", quick)
    with reports():
        for number in range(100):
            await publisher.publish("a", number, 1)
        await slow.begun.until(1)
        slow.gate.set()
        await publisher.publish("b", 1, 1)
        await quick.until(1)
        await slow.until(2)
        async with patience():
            while connector._inbound._acknowledgements._owed:
                await asyncio.sleep(0.01)


async def test_a_queue_with_a_session_holds_no_more_than_its_limit(broker, connect):
    publisher, slow = await connect(broker), Gated()
    connector = await connect(broker, **LASTING, max_queued=5)
    subscription = await connector.subscribe("a", slow)
    for number in range(100):
        await publisher.publish("a", number, 1)
    await slow.begun.until(1)
    await connector.publish("b", 1, 1)
    assert len(subscription.task.queue) <= 5
    slow.gate.set()
    await slow.until(100)
    assert slow.payloads == list(range(100))


async def test_a_callback_may_hold_the_receipt_longer_than_it_runs(broker, connect, worker):
    publisher, taken = await connect(broker), asyncio.Queue()

    async def put(_topic, payload):
        taken.put_nowait((payload, hold.get()()))

    connector, _ = await worker(put)
    for number in range(3):
        await publisher.publish("a", number, 1)
    async with patience():
        _, release = await taken.get()
        release()
        release()  # again is nothing more
        await connector.publish("b", 1, 1)
    await die(connector)
    heard = Heard()
    await worker(heard)
    await heard.until(2)
    assert heard.payloads == [1, 2]


@cs.task
async def work(signal, begun, gate):
    if signal is not None:
        begun.keep("a", signal)
        await gate.wait()
    return work(cs.recv("a", buffered=True), begun, gate)


async def test_a_signal_that_waits_in_the_mailbox_of_a_killed_agent_comes_again(
    broker, connect, worker
):
    publisher, begun, gate = await connect(broker), Heard(), asyncio.Event()
    connector = await connect(broker, **LASTING)
    engine = cs.Engine(connector=connector)
    running = asyncio.create_task(engine.run(work(None, begun, gate), listen=["a"]))
    async with patience():
        while "a" not in connector._subscriber._table.filters():
            await asyncio.sleep(0.01)
    for number in range(200):
        await publisher.publish("a", number, 1)
    await begun.until(1)
    gate.set()
    await begun.until(50)
    gate.clear()
    await connector.publish("b", 1, 1)
    await die(connector)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    handled = set(begun.payloads)
    heard = Heard()
    await worker(heard)
    await heard.until(200 - len(handled))
    assert handled | set(heard.payloads) == set(range(200))


async def test_what_nobody_asks_for_does_not_hold_what_others_want_for_ever(
    broker, connect, worker, monkeypatch
):
    monkeypatch.setattr(inbounds, "_UNCLAIMED_WAIT", 0.1)
    publisher = await connect(broker)
    connector, _ = await worker(Heard(), "gone")
    await connector.subscribe("a", Heard())
    await connector.disconnect()
    for number in range(50):
        await publisher.publish("gone", number, 1)
    await publisher.publish("a", 1, 1)
    heard = Heard()
    with reports() as told:
        connector, _ = await worker(heard)
        await heard.until(1)
        await connector.disconnect()
    assert told.topics == ["mqtt.unclaimed"]


async def test_without_a_session_there_is_nothing_to_hold(broker):
    held = Heard()

    async def hear(topic, _payload):
        held.keep(topic, hold.get())

    async with MqttConnector(broker.url) as connector:
        await connector.subscribe("a", hear)
        await connector.publish("a", 1, 1)
        await held.until(1)
    assert held.payloads == [None]


async def test_what_waits_for_its_callback_at_a_loss_is_handled_once(broker, connect):
    publisher, slow = await connect(broker), Gated()
    async with line_to(broker) as line:
        connector = await connect(line, **LASTING)
        await connector.subscribe("a", slow)
        for number in range(100):
            await publisher.publish("a", number, 1)
        await slow.begun.until(1)
        with reports() as told:
            line.cut()
            await told.until(2)
        slow.gate.set()
        await publisher.publish("a", "end", 1)
        async with patience():
            while "end" not in slow.payloads:
                await slow.until(len(slow.payloads) + 1)
    # The first was with its callback when the connection was lost, so it comes again.
    assert slow.payloads == [0, *range(100), "end"]


async def test_whoever_takes_a_session_up_gets_nothing_out_of_order_or_with_less_quality(
    broker, connect
):
    publisher, slow = await connect(broker), Gated()
    connector = await connect(broker, **LASTING, max_queued=20)
    await connector.subscribe("a", slow)
    publishing = asyncio.gather(*[publisher.publish("a", n, 1) for n in range(2_000)])
    await slow.begun.until(1)
    firsts = []
    for _ in range(5):
        await die(connector)
        connector, heard = await connect(broker, **LASTING, max_queued=20), Heard()

        async def hear(message, heard=heard):
            heard.keep(message.qos, message.payload)
            if len(heard.messages) == 60:  # and leave the rest
                await asyncio.Event().wait()

        await connector.subscribe("a", hear, with_message=True)
        await heard.until(60)
        await connector.publish("b", 1, 1)  # behind the acknowledgements
        firsts.append(heard.payloads[0])
        assert heard.payloads == list(range(firsts[-1], firsts[-1] + 60))
        assert set(heard.topics) == {1}
    assert firsts == [0, 59, 118, 177, 236]  # the last was with its callback
    await publishing
