"""Which broker a connector joins, and how one is emptied."""

import asyncio

import pytest

from cascade.connectors.local import LocalBroker, LocalBusConnector
from cascade.testing.connectors import Gated, Heard
from rows import each_row


@pytest.fixture
def _default_broker_is_clean():
    LocalBusConnector._reset_broker_state()
    yield
    LocalBusConnector._reset_broker_state()


@pytest.mark.usefixtures("_default_broker_is_clean")
async def test_connectors_without_a_broker_share_the_default_one():
    one, two, apart = LocalBusConnector(), LocalBusConnector(), LocalBusConnector(LocalBroker())
    heard, unheard = Heard(), Heard()
    for connector in (one, two, apart):
        await connector.connect()
    await one.subscribe("a", heard)
    await apart.subscribe("a", unheard)
    await two.publish("a", 1)
    assert one.broker is two.broker
    assert one.broker is not apart.broker
    assert (heard.payloads, unheard.payloads) == ([1], [])


@pytest.mark.usefixtures("_default_broker_is_clean")
async def test_the_default_broker_can_be_emptied():
    connector, heard = LocalBusConnector(), Heard()
    await connector.connect()
    await connector.subscribe("a", heard)
    await connector.publish("b", 1, retain=True)
    LocalBusConnector._reset_broker_state()
    assert (connector.broker.subscription_count, connector.broker.retained_count) == (0, 0)
    await connector.publish("a", 1)
    await connector.subscribe("#", heard)
    assert heard.messages == []


async def test_a_reset_forgets_everything_and_the_connectors_go_on(broker, connect):
    connector, heard, gated = await connect(), Heard(), Gated()
    for topic_filter in ("a", "a", "+", "#"):
        await connector.subscribe(topic_filter, heard)
    await connector.subscribe("slow", gated)
    await connector.publish("slow", 1)
    await connector.publish("kept", 1, retain=True)
    task = next(iter(asyncio.all_tasks() - {asyncio.current_task()}))
    del heard.messages[:]
    broker.reset()
    assert (broker.subscription_count, broker.retained_count) == (0, 0)
    await asyncio.wait([task])
    assert gated.cancelled == [("slow", 1)]
    await connector.publish("a", 1)
    assert heard.messages == []
    await connector.subscribe("a", heard)
    await connector.publish("a", 2)
    assert heard.payloads == [2]


async def test_a_reset_inside_a_callback_ends_what_is_left_of_the_delivery(broker, connect):
    connector, heard = await connect(), Heard()

    async def reset(topic, payload):
        await connector.publish("a", 2)
        broker.reset()

    await connector.subscribe("a", reset)
    await connector.subscribe("a", heard)
    await connector.publish("a", 1)
    assert heard.messages == []


@each_row("options", [{"max_queued": 0}, {"max_queued": -1}, {"overflow": "explode"}])
def test_bounds_that_make_no_sense_are_refused(options):
    with pytest.raises(ValueError, match=r"at least 1|one of wait"):
        LocalBusConnector(**options)


async def test_a_connector_is_connected_inside_of_async_with():
    connector, heard = LocalBusConnector(LocalBroker()), []

    async def hear(topic, payload):
        heard.append(payload)

    async with connector as same:
        assert same is connector
        assert connector.connected
        await connector.subscribe("a", hear)
        await connector.publish("a", 1)
    assert heard == [1]
    assert not connector.connected
