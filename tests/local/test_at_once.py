"""In memory there is nothing to wait for: all is delivered before publish returns."""

import asyncio

import pytest

from cascade.testing.connectors import Gated, Heard


def run_without_waiting(coroutine):
    """Run a coroutine to its end, and fail where it waits for anything."""
    with pytest.raises(StopIteration) as end:
        coroutine.send(None)
    return end.value.value


async def test_publish_subscribe_and_unsubscribe_never_wait(connect):
    connector, heard = await connect(), Heard()
    run_without_waiting(connector.publish("a/0", 0, retain=True))
    handle = run_without_waiting(connector.subscribe("a/+", heard))
    for number in range(1, 4):
        run_without_waiting(connector.publish(f"a/{number}", number))
        assert heard.payloads == list(range(number + 1))
    run_without_waiting(handle.unsubscribe())
    run_without_waiting(connector.disconnect())


async def test_all_that_callbacks_publish_is_delivered_before_publish_returns(connect):
    connector, heard = await connect(), Heard()

    async def go_on(topic, payload):
        heard.keep(topic, payload)
        if payload < 50:
            await connector.publish(f"n/{payload % 3}", payload + 1)

    await connector.subscribe("n/+", go_on)
    await connector.publish("n/0", 0)
    assert heard.payloads == list(range(51))


async def test_a_callback_that_suspends_has_run_up_to_there_when_publish_returns(connect):
    connector, gated = await connect(), Gated()
    await connector.subscribe("a", gated)
    await connector.publish("a", 1)
    assert gated.begun.payloads == [1]
    gated.gate.set()
    await gated.until(1)


async def test_a_payload_is_passed_by_reference(connect):
    connector, heard, payload = await connect(), Heard(), object()
    await connector.subscribe("a", heard)
    await connector.publish("a", payload, retain=True)
    await connector.subscribe("a", heard)
    assert [each is payload for each in heard.payloads] == [True, True]


async def test_an_empty_payload_that_is_not_retained_is_a_payload_like_any_other(connect):
    connector, heard = await connect(), Heard()
    await connector.publish("a", 1, retain=True)
    await connector.subscribe("a", heard)
    for payload in (None, b"", "", {}):
        await connector.publish("a", payload)
    assert heard.payloads == [1, None, b"", "", {}]
    await connector.subscribe("a", heard)
    assert heard.payloads[5:] == [1]


async def test_the_same_program_gives_the_same_log_every_time(connect):
    async def play():
        connector, log = await connect(), []

        def player(name, filters):
            async def hear(topic, payload):
                log.append((name, topic, payload))
                if payload % 3 == 1:
                    await asyncio.sleep(0)
                if payload:
                    for topic_filter in filters:
                        await connector.publish(topic_filter, payload - 1)
                log.append((name, "end", payload))

            return hear

        await connector.subscribe("a", player("one", ["b", "c"]))
        await connector.subscribe("+", player("two", ["c"]))
        await connector.subscribe("c", player("three", []))
        await connector.publish("a", 6)
        for _ in range(50):
            await asyncio.sleep(0)
        await connector.disconnect()
        return log

    first = await play()
    assert len(first) == 74
    assert [await play() == first for _ in range(3)] == [True, True, True]


async def test_routes_follow_every_change_of_the_subscriptions(connect):
    connector, heard = await connect(), Heard()

    async def expect(count):
        before = len(heard.messages)
        await connector.publish("a/b", 1)
        assert len(heard.messages) - before == count

    await expect(0)
    exact = await connector.subscribe("a/b", heard)
    await expect(1)
    wild = await connector.subscribe("a/+", heard)
    await expect(2)
    everything = await connector.subscribe("#", heard)
    await expect(3)
    await exact.unsubscribe()
    await expect(2)
    await everything.unsubscribe()
    await expect(1)
    exact = await connector.subscribe("a/b", heard)
    await expect(2)
    await wild.unsubscribe()
    await expect(1)
    await exact.unsubscribe()
    await expect(0)


async def test_a_broker_forgets_routes_past_its_limit_and_still_delivers(connect, monkeypatch):
    monkeypatch.setattr("cascade.connectors.local.broker._MAX_ROUTES", 3)
    connector, heard = await connect(), Heard()
    await connector.subscribe("a/+", heard)
    for number in [*range(10), *range(10)]:
        await connector.publish(f"a/{number}", number)
    assert heard.payloads == [*range(10), *range(10)]
    dispatcher = connector.broker.dispatcher()
    assert len(dispatcher.routes) <= 3


async def test_counts_follow_subscriptions_and_retained_messages(connect, broker):
    connector, other = await connect(), await connect()
    handles = [await connector.subscribe(each, Heard()) for each in ["a", "a", "+", "#"]]
    await other.subscribe("a", Heard())
    assert broker.subscription_count == 5
    await handles[0].unsubscribe()
    await handles[0].unsubscribe()
    assert broker.subscription_count == 4
    await connector.disconnect()
    assert broker.subscription_count == 1
    for topic, payload, count in [
        ("a", 1, 1),
        ("b", 1, 2),
        ("a", 2, 2),
        ("c", None, 2),
        ("a", {}, 1),
    ]:
        await other.publish(topic, payload, retain=True)
        assert broker.retained_count == count


async def test_a_refused_subscription_leaves_nothing_behind(connect, broker):
    connector = await connect()
    for topic_filter in ("", "a/#/b", "$share/g/", ("$share/g/a", "b")):
        with pytest.raises(ValueError, match="invalid topic"):
            await connector.subscribe(topic_filter, Heard())
    assert broker.subscription_count == 0


async def test_what_is_no_coroutine_function_is_reported_at_its_first_message(connect):
    from cascade.testing.connectors import reports

    connector = await connect()
    await connector.subscribe("a", lambda topic, payload: None)
    with reports() as told:
        await connector.publish("a", 1)
        await connector.publish("a", 2)
    assert told.topics == ["localbus.callback_error"] * 2
    assert {type(facts["error"]) for facts in told.payloads} == {TypeError}


async def test_a_callback_that_leaves_hears_nothing_it_published_before(connect):
    connector, heard = await connect(), Heard()

    async def hear(topic, payload):
        heard.keep(topic, payload)
        await connector.publish("a/2", 2)
        await connector.disconnect()

    await connector.publish("a/1", 1, retain=True)
    await connector.subscribe("a/#", hear)
    assert heard.messages == [("a/1", 1)]
    await connector.connect()
    await connector.publish("a/1", None, retain=True)
    await connector.subscribe("a/#", hear)
    await connector.publish("a/1", 3)
    assert heard.messages == [("a/1", 1), ("a/1", 3)]
