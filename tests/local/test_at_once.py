"""In memory there is nothing to wait for: all is delivered before publish returns."""

import asyncio
import re
from functools import partial

import pytest

from cascade.testing.connectors import Gated, Heard, patience, reports


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


async def test_what_is_no_async_function_is_told_so_in_one_sentence(connect):
    connector = await connect()

    def generator(topic, payload):
        yield payload

    async def async_generator(topic, payload):
        yield payload

    for wrong in (None, "hear", generator, async_generator, partial(generator, "a")):
        with pytest.raises(TypeError, match="a callback is an async function of"):
            await connector.subscribe("a", wrong)
    for returned in (None, "text", [1]):
        handle = await connector.subscribe("a", lambda topic, payload, value=returned: value)
        with reports() as told:
            await connector.publish("a", 1)
            await connector.publish("a", 2)
        assert told.topics == ["localbus.callback_error"] * 2
        for facts in told.payloads:
            assert re.search(
                r"a callback is an async function of \(topic, payload\); .*: it returned "
                + re.escape(repr(returned)),
                str(facts["error"]),
            )
        await handle.unsubscribe()


async def test_everything_that_gives_coroutines_is_a_callback(connect):
    connector, heard = await connect(), Heard()

    class Method:
        async def hear(self, topic, payload):
            heard.keep(topic, payload)

    async def named(name, topic, payload):
        heard.keep(topic, payload)

    def future(topic, payload):
        return asyncio.ensure_future(heard(topic, payload))

    for callback in (
        heard,
        Method().hear,
        partial(named, "name"),
        lambda topic, payload: heard(topic, [payload]),
        future,
    ):
        handle = await connector.subscribe("a", callback)
        await connector.publish("a", 1)
        await heard.until(1)
        heard.messages.clear()
        await handle.unsubscribe()


async def test_what_a_callback_raises_never_reaches_a_publisher(connect):
    connector, heard = await connect(), Heard()
    raised = [ValueError("no"), GeneratorExit(), StopIteration(1), StopAsyncIteration()]

    async def fail(topic, number):
        raise raised[number]

    await connector.subscribe("a", fail)
    await connector.subscribe("a", heard)
    with reports() as told:
        for number in range(len(raised)):
            await connector.publish("a", number)
    assert heard.payloads == list(range(len(raised)))
    assert told.topics == ["localbus.callback_error"] * len(raised)


async def test_callbacks_that_answer_each_other_for_ever_let_the_loop_have_its_turns(
    connect, monkeypatch
):
    monkeypatch.setattr("cascade.connectors.local.dispatcher._SLICE", 0.001)
    connector, turns, done = await connect(), [], asyncio.Event()

    async def ping(topic, payload):
        if not done.is_set():
            await connector.publish("pong", payload)

    async def pong(topic, payload):
        await connector.publish("ping", payload)

    heard = Heard()
    await connector.subscribe("ping", ping)
    await connector.subscribe("pong", pong)
    await connector.subscribe("other", heard)
    async with patience():
        await connector.publish("ping", 1)  # its own message, not all that comes of it
        for _ in range(5):
            await asyncio.sleep(0)
            turns.append(1)
        await connector.publish("other", 1)  # delivered when this returns, as ever
        assert heard.payloads == [1]
        handle = await connector.subscribe("other", heard)
        await handle.unsubscribe()
    done.set()
    await asyncio.sleep(0)
    assert len(turns) == 5


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
