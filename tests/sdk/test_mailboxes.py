"""One mailbox an agent: selective receive, whatever filters are spelled how."""

from __future__ import annotations

import asyncio

import pytest

import cascade as cs
from cascade.common.messaging.testing import capture
from cascade.interfaces.errors import MailboxFullError
from rows import each_row


@cs.task(mode="inline")
def speaks(*messages):
    return _spoken(messages, None)


@cs.task(mode="inline")
def _spoken(left, _sent):
    if not left:
        return None
    (topic, payload), *others = left
    return _spoken(tuple(others), cs.after(cs.send(topic, payload), cs.wait(1)))


@cs.task(mode="inline")
def hears(filters, count, heard=(), signal=None, **options):
    heard = heard if signal is None else (*heard, signal)
    if len(heard) == count:
        return list(heard)
    return hears(filters, count, heard, cs.recv(filters, with_topic=True, **options), **options)


def said(*messages, listen=(), to):
    """Return what came of targets beside whom these messages are sent, a second apart."""
    return cs.simulate([*to, speaks(*messages)], listen=listen).results[:-1]


@each_row("filters", [("a", "b"), ("b", "a"), ["#"], ["a", "b"], ["+"]])
def test_listening_and_receiving_need_not_be_spelled_alike(filters):
    (heard,) = said(("a", 1), ("b", 2), ("a", 3), listen=["a", "b"], to=[hears(filters, 3)])
    assert heard == [("a", 1), ("b", 2), ("a", 3)]


def test_a_message_enters_once_whatever_matches_it():
    (heard,) = said(("a/b", 1), ("a/b", 2), ("x/b", 3), listen=["a/+"], to=[hears("+/b", 3)])
    assert heard == [("a/b", 1), ("a/b", 2), ("x/b", 3)]


def test_recv_takes_the_oldest_that_matches_and_leaves_the_rest_in_order():
    @cs.task
    async def picks():
        await cs.evaluate(cs.wait(10))
        last = await cs.evaluate(cs.recv("c"))
        return [last, await cs.evaluate(cs.recv("#")), await cs.evaluate(cs.recv("#", many=True))]

    (heard,) = said(("a", 1), ("b", 2), ("c", 3), ("b", 4), listen=["#"], to=[picks()])
    assert heard == [3, 1, [2, 4]]


def test_agents_of_one_run_each_hear_everything():
    lamps = [hears("s", 2, buffered=True), {"x": hears("s", 2, buffered=True)}]
    (heard,) = said(("s", 1), ("s", 2), to=[lamps])
    assert heard == [[("s", 1), ("s", 2)], {"x": [("s", 1), ("s", 2)]}]


def test_items_of_a_mapping_listen_from_their_start():
    (heard,) = said(("s", 1), ("s", 2), listen=["s"], to=[hears.map(["s", "#"], count=2)])
    assert heard == [[("s", 1), ("s", 2)]] * 2


def test_a_target_listed_later_misses_nothing():
    @cs.task(mode="inline")
    def finger(left, _sent=None):
        return finger(left - 1, cs.send("switch", left)) if left else None

    simulation = cs.simulate([finger(3), hears("switch", 3)], listen=["switch"])
    assert [payload for _, payload in simulation.results[1]] == [3, 2, 1]


def test_a_failed_attempt_gives_its_signals_back_in_their_places():
    attempts = []

    @cs.task(mode="inline")
    def takes(*signals):
        attempts.append(signals)
        if len(attempts) < 3:
            raise ValueError
        return list(signals)

    @cs.task
    async def agent():
        await cs.evaluate(cs.wait(10))
        first = await cs.evaluate(cs.recv("a"))
        both = cs.retry(takes(cs.recv("a"), cs.recv("b")))
        return [first, *await cs.evaluate(both), await cs.evaluate(cs.recv("#"))]

    messages = [("a", 1), ("b", 2), ("a", 3), ("a", 4)]
    (heard,) = said(*messages, listen=["#"], to=[agent()])
    assert attempts == [(3, 2)] * 3
    assert heard == [1, 3, 2, 4]


def test_what_a_recv_of_its_own_took_is_given_back_too():
    @cs.task(mode="inline")
    def fails(signal, attempts=[]):  # noqa: B006 - it counts
        attempts.append(signal)
        if len(attempts) < 2:
            raise ValueError
        return attempts

    (heard,) = said(("a", 1), ("a", 2), to=[cs.retry(fails(cs.recv("a")))])
    assert heard == [1, 1]


def test_a_failed_attempt_of_a_policy_gives_back_what_its_function_took():
    attempts = []

    @cs.task
    async def takes():
        attempts.append(await cs.evaluate(cs.recv("a")))
        if len(attempts) < 3:
            raise ValueError
        return await cs.evaluate(cs.recv("a"))

    retried = takes.with_retry(3)
    assert said(("a", 1), ("a", 2), listen=["a"], to=[retried()]) == [2]
    assert attempts == [1, 1, 1]


def test_a_time_out_gives_back_what_it_took():
    @cs.task
    async def slow(signal):
        await asyncio.sleep(60)

    @cs.task
    async def agent():
        await cs.evaluate(cs.catch(cs.timeout(slow(cs.recv("a")), 30), TimeoutError))
        return await cs.evaluate(cs.recv("a"))

    assert said(("a", 1), listen=["a"], to=[agent()]) == [1]


async def test_a_full_mailbox_is_an_error_where_another_signal_is_waited_for(connector):
    async with cs.Engine(connector=connector, max_queued=2) as engine:
        running = asyncio.create_task(engine.run(cs.recv("b"), listen=["a", "b"]))
        await asyncio.sleep(0)
        for number in range(2):
            await connector.publish("a", number)
        assert not running.done()
        publishing = asyncio.create_task(connector.publish("a", 2))
        with pytest.raises(
            MailboxFullError, match=r"2 signals on 'a'.*\(3 on 'a', 0 on 'b'\)"
        ) as caught:
            await running
        await publishing
    assert (caught.value.topic_filter, caught.value.limit) == ("a", 2)
    assert caught.value.counts == {"a": 3, "b": 0}


async def test_the_share_of_one_filter_leaves_that_of_another_alone(connector):
    async with cs.Engine(connector=connector, max_queued=2, overflow="drop_newest") as engine:
        running = asyncio.create_task(engine.run(cs.recv("b"), listen=["a", "b"]))
        await asyncio.sleep(0)
        with capture() as told:
            for number in range(5):
                await connector.publish("a", number)
        await connector.publish("b", "through")
        assert await running == "through"
    assert [each.id for each in told] == ["queue.overflow"] * 2


def test_a_deadline_wins_over_a_signal_of_the_same_instant():
    assert said(("a", 1), to=[cs.recv("a", 1, default="late")]) == ["late"]
    assert said(("a", 1), to=[cs.recv("a", 1.5, default="late")]) == [1]


async def test_a_retained_message_enters_a_mailbox_once_unless_it_changes(connector):
    @cs.task
    async def agent():
        first = await cs.evaluate(cs.recv("state"))
        again = await cs.evaluate(cs.recv("state", 0.01, default="nothing new"))
        await connector.publish("state", "off", retain=True)
        return [first, again, await cs.evaluate(cs.recv("state"))]

    async with cs.Engine(connector=connector) as engine:
        await connector.publish("state", "on", retain=True)
        assert await engine.run(agent()) == ["on", "nothing new", "off"]
        assert await engine.run(cs.recv("state")) == "off"  # another agent has not heard it


async def test_what_is_left_unread_is_counted_in_the_last_event(connector):
    events = []
    async with cs.Engine(connector=connector) as engine:
        engine.events.listen(events.append)
        running = asyncio.create_task(engine.run([cs.recv("b"), cs.recv("b")], listen=["#"]))
        await asyncio.sleep(0.01)
        for topic in ("a", "a", "b"):
            await connector.publish(topic, 1)
        await running
    assert events[-1].unread == 4


def test_an_agent_is_spoken_to_by_name():
    @cs.task(mode="inline")
    def monday():
        return cs.recv(cs.agent("monday"), buffered=True)

    results = cs.simulate(
        {"monday": monday(), "sunday": speaks((cs.agent("monday"), "wake up"))}
    ).results
    assert results[0] == "wake up"
    with pytest.raises(cs.CascadeError, match="wildcards"):
        cs.agent("+")


def test_of_several_that_wait_the_first_is_served():
    @cs.task(mode="inline")
    def three(*signals):
        return list(signals)

    call = three(cs.recv("a"), cs.recv("#"), cs.recv("a"))
    assert said(("a", 1), ("a", 2), ("a", 3), to=[call]) == [[1, 2, 3]]


async def test_nothing_is_subscribed_any_more_at_the_end(connector):
    async with cs.Engine(connector=connector) as engine:
        before = connector.broker.subscription_count
        target = [
            cs.recv("a", 0.01, default=0),
            hears.map(["b", "c"], count=0),
            cs.recv("x", 0, default=0, buffered=True),
        ]
        await engine.run(target, listen=["#"])
        with pytest.raises(TimeoutError):
            await engine.run([cs.recv("a", 0.01), hears("b", 1, buffered=True)], listen=["z"])
        assert connector.broker.subscription_count == before
