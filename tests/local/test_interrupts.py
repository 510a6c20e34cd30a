"""An interrupt goes up at once, and leaves a dispatcher that works."""

import asyncio

import pytest

from cascade.connectors.local import LocalBroker, LocalBusConnector
from cascade.testing.connectors import Gated, Heard, reports

INTERRUPT = pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])


@INTERRUPT
async def test_an_interrupt_reaches_the_publisher_and_the_rest_is_delivered_later(
    connect, broker, interrupt
):
    connector, before, after = await connect(), Heard(), Heard()
    publisher = asyncio.current_task()

    async def hear(topic, payload):
        await connector.publish("nested", payload)
        raise interrupt

    await connector.subscribe("a", before)
    await connector.subscribe("a", hear)
    await connector.subscribe("+", after)
    with pytest.raises(interrupt):
        await connector.publish("a", 1)
    assert asyncio.current_task() is publisher
    await connector.publish("a", 2)  # behind what was interrupted
    await after.until(3)
    assert before.payloads == [1, 2]
    assert after.messages == [("a", 1), ("nested", 1), ("a", 2)]
    assert broker.subscription_count == 2  # the interrupted one has ended, as its task would


@INTERRUPT
def test_an_interrupt_after_a_wait_reaches_whoever_runs_the_loop(interrupt):
    broker, heard = LocalBroker(), Heard()
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # asyncio also logs the interrupted task

    gate = loop.create_future()

    async def hear(topic, payload):
        await gate
        raise interrupt

    async def begin():
        connector = LocalBusConnector(broker)
        await connector.connect()
        await connector.subscribe("a", hear)
        await connector.subscribe("a", heard)
        await connector.publish("a", 1)
        return connector

    connector = loop.run_until_complete(begin())
    gate.set_result(None)
    with pytest.raises(interrupt):
        loop.run_forever()
    loop.run_until_complete(connector.publish("a", 2))
    assert heard.payloads == [1, 2]
    assert broker.subscription_count == 1
    loop.run_until_complete(connector.disconnect())
    assert broker.subscription_count == 0
    loop.close()


async def test_an_interrupt_over_a_retained_message_reaches_the_subscriber(connect, broker):
    connector, heard = await connect(), Heard()

    async def hear(topic, payload):
        raise KeyboardInterrupt

    await connector.publish("a", 1, retain=True)
    with pytest.raises(KeyboardInterrupt):
        await connector.subscribe("a", hear)
    assert broker.subscription_count == 0
    await connector.subscribe("a", heard)
    await connector.publish("a", 2)
    await heard.until(2)
    assert heard.payloads == [1, 2]


async def test_what_an_interrupted_delivery_refused_is_reported_all_the_same(connect):
    connector, full = await connect(), await connect(max_queued=1, overflow="error")
    gated = Gated()

    async def hear(topic, payload):
        for number in range(3):
            await connector.publish("full", number)
        raise KeyboardInterrupt

    await full.subscribe("full", gated)
    await connector.subscribe("a", hear)
    with reports() as told:
        with pytest.raises(KeyboardInterrupt):
            await connector.publish("a", 1)
        await told.until(1)
    assert told.topics == ["queue.message_refused"]
    gated.gate.set()
    await gated.until(2)


async def test_messages_of_other_threads_are_delivered_after_an_interrupt(connect, broker):
    connector, heard = await connect(), Heard()

    async def hear(topic, payload):
        if payload == 0:
            raise KeyboardInterrupt
        heard.keep(topic, payload)

    await connector.subscribe("a", Heard())
    await connector.subscribe("b", hear)
    await connector.subscribe("a", heard)
    dispatcher = broker.dispatcher()
    with pytest.raises(KeyboardInterrupt):
        await connector.publish("b", 0)

    def publish():
        async def main():
            there = LocalBusConnector(broker)
            await there.connect()
            for number in range(3):
                await there.publish("a", number)

        asyncio.run(main())

    await asyncio.to_thread(publish)
    await heard.until(3)
    assert heard.payloads == [0, 1, 2]
    assert not dispatcher.delivering
    assert not dispatcher.pending


def test_an_inbox_that_was_interrupted_is_emptied_in_the_next_turn():
    broker, heard = LocalBroker(), Heard()
    loop = asyncio.new_event_loop()

    async def hear(topic, payload):
        if payload == 0:
            raise KeyboardInterrupt
        heard.keep(topic, payload)

    async def begin():
        connector = LocalBusConnector(broker)
        await connector.connect()
        await connector.subscribe("a", hear)
        await connector.subscribe("a", heard)
        return connector

    async def publish():
        there = LocalBusConnector(broker)
        await there.connect()
        for number in range(3):
            await there.publish("a", number)

    connector = loop.run_until_complete(begin())
    asyncio.run(publish())
    with pytest.raises(KeyboardInterrupt):
        loop.run_forever()
    loop.run_until_complete(heard.until(3))
    assert heard.payloads == [0, 1, 2]
    loop.run_until_complete(connector.disconnect())
    loop.close()
