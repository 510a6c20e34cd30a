"""Connections that break again and again: when they are tried, what is given up, and the order of the rest."""

import asyncio

import pytest

from cascade.connectors.mqtt import session as sessions
from cascade.connectors.mqtt.backoff import Backoff
from cascade.interfaces.errors import BrokerRefusedError, BrokerUnavailableError
from cascade.testing.connectors import Heard, patience, reports
from mqtt.broker import NEEDS_BROKER
from mqtt.proxy import line_to, until_offline

pytestmark = NEEDS_BROKER


class QuickBackoff(Backoff):
    """Keeps the delays that it was asked for, and waits for next to nothing."""

    asked = Heard()

    def delay(self):
        self.asked.keep("seconds", super().delay())
        return 0.001


@pytest.fixture
def delays(monkeypatch):
    monkeypatch.setattr(QuickBackoff, "asked", Heard())
    monkeypatch.setattr(sessions, "Backoff", QuickBackoff)
    return QuickBackoff.asked


def grows(delays):
    """Whether each delay is about twice the one before, whatever chance took of it."""
    return all(later > earlier for earlier, later in zip(delays, delays[2:], strict=False))


# --- how soon it is tried again -------------------------------------------------------------------


async def test_whoever_is_let_in_and_cut_off_at_once_waits_longer_each_time(
    broker, connect, delays, monkeypatch
):
    monkeypatch.setattr(sessions, "_STABLE_AFTER", 0.1)
    async with line_to(broker) as line:
        await connect(line, retry_delay=0.01, max_retry_delay=3600)
        await asyncio.sleep(0.2)  # so that this connection is one that held
        line.closes_after_answer = True
        with reports():
            line.cut()
            await delays.until(9)
    assert grows(delays.payloads)


async def test_a_client_cut_off_at_its_subscriptions_waits_longer_each_time(
    broker, connect, delays
):
    async with line_to(broker) as line:
        connector = await connect(line, retry_delay=0.01, max_retry_delay=3600)
        await connector.subscribe("fatal", Heard())
        line.closes_at = b"fatal"
        with reports():
            line.cut()
            await line.closings.until(3)
    assert grows(delays.payloads)


async def test_after_a_connection_that_held_the_next_attempt_comes_soon(
    broker, connect, delays, monkeypatch
):
    monkeypatch.setattr(sessions, "_STABLE_AFTER", 0.0)
    async with line_to(broker) as line:
        connector = await connect(line, retry_delay=1, max_retry_delay=3600)
        for losses in range(1, 5):
            with reports() as told:
                line.cut()
                await told.until(2)
            assert len(delays.payloads) == losses
            await connector.publish("a", 1, 1)
    assert all(delay <= 1 for delay in delays.payloads)


# --- what the broker answers by closing -----------------------------------------------------------


@pytest.mark.parametrize("qos", [1, 2])
async def test_a_message_at_which_the_broker_closes_is_given_up_and_the_rest_arrives(
    broker, connect, qos
):
    listener, heard = await connect(broker), Heard()
    await listener.subscribe("a/#", heard)
    async with line_to(broker) as line:
        connector = await connect(line)
        line.closes_at = b"poison"
        with reports():
            payloads = [*range(10), "poison", *range(10, 20)]
            publishing = [
                asyncio.create_task(connector.publish("a/b", each, qos)) for each in payloads
            ]
            async with patience():
                outcomes = await asyncio.gather(*publishing, return_exceptions=True)
            errors = [each for each in outcomes if each is not None]
            assert outcomes.index(errors[0]) == payloads.index("poison")
            assert len(errors) == 1
            assert isinstance(errors[0], BrokerRefusedError)
            assert "publish on 'a/b': it closed the connection 3 times" in str(errors[0])
            async with patience():
                await connector.publish("a/b", "end", qos)  # and the way is free
    await heard.until(21)
    assert list(dict.fromkeys(heard.payloads)) == [*range(20), "end"]


async def test_a_message_that_is_too_large_for_the_broker_is_given_up(start_broker, connect):
    broker = start_broker("max_packet_size 2000")
    connector = await connect(broker, protocol="3.1.1")  # where no broker can say its limit
    with reports():
        async with patience():
            with pytest.raises(BrokerRefusedError, match="publish on 'big'"):
                await connector.publish("big", "x" * 5_000, 1)
            await connector.publish("small", "x", 1)


async def test_a_message_that_is_never_taken_ends_with_the_wait_for_a_connection(broker, connect):
    async with line_to(broker) as line:
        connector = await connect(line, offline_timeout=0.3, retry_delay=0.2, max_retry_delay=3600)
        line.closes_at = b"poison"
        with reports():
            async with patience():
                with pytest.raises((BrokerUnavailableError, BrokerRefusedError)):
                    await connector.publish("a", "poison", 1)


@pytest.mark.parametrize("qos", [1, 2])
async def test_a_cancelled_publish_leaves_nothing_to_be_sent_again(broker, connect, qos):
    async with line_to(broker) as line:
        connector = await connect(line)
        line.closes_at = b"poison"
        with reports() as told:
            publishing = asyncio.create_task(connector.publish("a", "poison", qos))
            await line.closings.until(1)
            publishing.cancel()
            await asyncio.gather(publishing, return_exceptions=True)
            async with patience():
                await connector.publish("a", "fine", qos)
        assert len(line.closings.messages) == 1
    assert [name for name, _ in told.messages].count("mqtt.connection_lost") == 1
    assert connector._session.connection.outbound._unacknowledged == {}


async def test_a_publish_that_is_cancelled_on_its_way_does_not_disturb_the_next(broker, connect):
    async with line_to(broker) as line:
        connector = await connect(line)
        line.freeze()
        publishing = asyncio.create_task(connector.publish("a", 1, 1))
        await asyncio.sleep(0)
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)
        line.thaw()
        async with patience():
            await connector.publish("a", 2, 1)
            await connector._session.connection.requests.round_trip_barrier()
    assert connector._session.connection.outbound._unacknowledged == {}


async def test_a_subscription_at_which_the_broker_closes_is_refused_and_others_live_on(
    broker, connect
):
    async with line_to(broker) as line:
        connector, heard = await connect(line), Heard()
        await connector.subscribe("a", heard)
        line.closes_at = b"poison"
        with reports():
            async with patience():
                with pytest.raises(BrokerRefusedError, match=r"subscribe to 'poison/#'.*3 times"):
                    await connector.subscribe("poison/#", Heard())
            await connector.publish("a", 1, 1)
        await heard.until(1)
        assert connector._subscriber._table.filters() == ["a"]


async def test_an_old_subscription_at_which_the_broker_now_closes_is_lost_and_others_live_on(
    broker, connect
):
    async with line_to(broker) as line:
        connector, heard = await connect(line), Heard()
        await connector.subscribe("poison/#", Heard())
        await connector.subscribe("a", heard)
        line.closes_at = b"poison"
        with reports() as told:
            line.cut()
            while "mqtt.connection_back" not in [name for name, _ in told.messages]:
                await told.until(len(told.messages) + 1)
            await connector.publish("a", 1, 1)
        await heard.until(1)
    lost = [facts["topic"] for name, facts in told.messages if name == "mqtt.subscription_lost"]
    assert lost == ["poison/#"]


async def test_a_client_whose_status_makes_the_broker_close_does_without(broker, connect):
    async with line_to(broker) as line:
        line.closes_at = b'"online"'
        with reports() as told:
            async with patience():
                connector = await connect(line, client_id="lamp")
                await connector.publish("a", 1, 1)
    assert [name for name, _ in told.messages] == ["mqtt.status_refused"]


# --- order ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_what_is_published_after_an_outage_goes_behind_what_has_waited(broker, connect, qos):
    listener, heard = await connect(broker), Heard()
    await listener.subscribe("a", heard)
    async with line_to(broker) as line:
        connector = await connect(line, retry_delay=0.2)
        line.freeze()
        with reports():
            line.cut()
            await until_offline(connector)
            early = [asyncio.create_task(connector.publish("a", n, qos)) for n in range(100)]
            await asyncio.sleep(0)
            line.thaw()
            async with patience():
                while not connector.online:
                    await asyncio.sleep(0)
            late = [asyncio.create_task(connector.publish("a", n, qos)) for n in range(100, 150)]
            async with patience():
                await asyncio.gather(*early, *late)
        await heard.until(150)
    assert heard.payloads == list(range(150))


async def test_what_was_on_its_way_at_a_loss_goes_before_what_came_later(broker, connect):
    listener, heard = await connect(broker), Heard()
    await listener.subscribe("a", heard)
    async with line_to(broker) as line:
        connector = await connect(line)
        line.freeze()
        early = [asyncio.create_task(connector.publish("a", n, 1)) for n in range(100)]
        await asyncio.sleep(0)
        with reports():
            line.cut()
            line.thaw()
            await until_offline(connector)
            late = [asyncio.create_task(connector.publish("a", n, 1)) for n in range(100, 150)]
            async with patience():
                await asyncio.gather(*early, *late)
        await heard.until(150)
    assert list(dict.fromkeys(heard.payloads)) == list(range(150))


async def test_whoever_gives_up_waiting_lets_the_next_in_line_through(broker, connect):
    async with line_to(broker) as line:
        connector = await connect(line)
        with reports():
            line.freeze()
            line.cut()
            await until_offline(connector)
            waiting = [asyncio.create_task(connector.publish("a", n, 1)) for n in range(3)]
            await asyncio.sleep(0)
            waiting[0].cancel()
            line.thaw()
            async with patience():
                outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in outcomes] == [asyncio.CancelledError, type(None), type(None)]
