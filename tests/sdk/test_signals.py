"""Signals contract: `recv`, `send` and `wait`, and what they leave behind."""

import asyncio
import tracemalloc

import pytest

import cascade as cs
from cascade.common.messaging.testing import capture
from cascade.interfaces.errors import InvalidTopicError, NoConnectorError
from cascade.interfaces.properties import received
from rows import each_row


async def parked(engine, how_many, base=1):
    """Let runs go on until so many subscriptions wait (beside the engine's own)."""
    while engine.connector.broker.subscription_count < how_many + base:
        await asyncio.sleep(0)


async def test_recv_suspends_until_a_message_matches_and_is_worth_its_payload(engine, connector):
    hearing = asyncio.create_task(engine.run(cs.recv("door/+")))
    await parked(engine, 1)
    await connector.publish("window/1", "no")
    await connector.publish("door/1", {"open": True})
    assert await hearing == {"open": True}


async def test_recv_hears_a_retained_message(engine, connector):
    await connector.publish("state", "kept", retain=True)
    assert await engine.run(cs.recv("state")) == "kept"


async def test_recv_with_topic_gives_topic_and_payload(engine, connector):
    await connector.publish("door/2", 1, retain=True)
    assert await engine.run(cs.recv("door/+", with_topic=True)) == ("door/2", 1)


async def test_recv_on_several_filters_takes_whichever_comes_first(engine, connector):
    hearing = asyncio.create_task(engine.run(cs.recv(["a", "b/+"], with_topic=True)))
    await parked(engine, 1)
    await connector.publish("b/1", "second filter")
    assert await hearing == ("b/1", "second filter")


async def test_recv_that_waits_too_long_names_topic_and_seconds(engine):
    with pytest.raises(TimeoutError, match=r"no signal on 'door/\+' within 0\.001 s"):
        await engine.run(cs.recv("door/+", timeout=0.001))


@pytest.mark.parametrize("default", [None, 0, "nobody"])
async def test_recv_gives_the_default_after_a_timeout(engine, default):
    assert await engine.run(cs.recv("door", 0.001, default=default)) == default


async def test_the_subscription_is_gone_after_value_timeout_and_cancellation(engine, connector):
    broker = connector.broker
    idle = broker.subscription_count
    await connector.publish("kept", 1, retain=True)
    await engine.run(cs.recv("kept"))
    assert broker.subscription_count == idle
    await engine.run(cs.recv("none", 0.001, default=None))
    assert broker.subscription_count == idle
    hearing = asyncio.create_task(engine.run(cs.recv(["never", "ever"])))
    await parked(engine, 1)
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)
    assert broker.subscription_count == idle


async def test_recv_asks_for_the_resource_internal_connector():
    """What is registered under that name is what recv listens to."""
    connector = cs.LocalBusConnector(cs.LocalBroker())
    await connector.connect()
    await connector.publish("x", "through the resource", retain=True)

    @cs.resource(name="_internal_connector")
    def mine():
        yield connector

    engine = cs.Engine()
    engine.register(mine)
    assert await engine.run(cs.recv("x")) == "through the resource"


@each_row("lazy", [cs.recv("x"), cs.recv("x", buffered=True), cs.send("x", 1)])
async def test_signals_without_a_connector_say_how_to_configure_one(lazy):
    with pytest.raises(RuntimeError, match=r"Engine\(connector=LocalBusConnector\(\)\)") as caught:
        await cs.Engine().run(lazy)
    assert isinstance(caught.value, NoConnectorError)


@each_row("buffered", [False, True])
async def test_an_invalid_topic_is_an_error_that_names_the_task(engine, buffered):
    with pytest.raises(InvalidTopicError, match="level 2") as caught:
        await engine.run(cs.recv("a/b#", buffered=buffered))
    assert caught.value.level == 2


async def test_an_empty_sequence_of_topics_says_so(engine):
    with pytest.raises(ValueError, match="at least one topic"):
        await engine.run(cs.recv([]))


async def test_fifty_signals_back_to_back_arrive_at_a_slow_loop_in_order(engine, connector):
    heard = []

    @cs.task
    async def hear(signal):
        heard.append(signal)
        await asyncio.sleep(0.001)
        return heard if len(heard) == 50 else hear(cs.recv("news", buffered=True))

    hearing = asyncio.create_task(engine.run(hear(cs.recv("news", buffered=True))))
    await parked(engine, 1)
    for n in range(50):
        await connector.publish("news", n)
    assert await hearing == list(range(50))


async def test_a_mailbox_opens_before_any_task_of_the_step_starts(engine):
    @cs.task
    async def both(_sent, heard):
        return heard

    assert (
        await engine.run(both(cs.send("news", "early"), cs.recv("news", buffered=True))) == "early"
    )


async def test_a_mailbox_stays_until_the_run_ends_and_is_gone_then(engine, connector):
    broker = connector.broker

    @cs.task
    async def again(_first, n):
        assert broker.subscription_count == 2
        return again(cs.recv("news", buffered=True), n - 1) if n else "done"

    for n in range(3):
        await connector.publish("news", n, retain=True)
    hearing = asyncio.create_task(engine.run(again(cs.recv("news", buffered=True), 3)))
    await parked(engine, 1)
    for n in range(3):
        await connector.publish("news", n)
    assert await hearing == "done"
    assert broker.subscription_count == 1


async def test_listen_opens_mailboxes_before_the_first_step(engine, connector):
    @cs.task
    async def late(_):
        return collect(cs.recv("a"), cs.recv(["b", "c"], with_topic=True))

    @cs.task
    async def collect(*heard):
        return heard

    @cs.task
    async def first():
        await connector.publish("a", 1)
        await connector.publish("c", 2)
        return late(cs.wait(0))

    assert await engine.run(first(), listen=["a", ["b", "c"]]) == (1, ("c", 2))


async def test_overlapping_filters_of_one_mailbox_take_a_signal_in_once(engine, connector):
    @cs.task
    async def pair(first, second):
        return first, second

    filters = ["a/+", "a/b"]
    lazy = pair(
        cs.recv(filters, buffered=True), cs.recv(filters, 0.001, default="none", buffered=True)
    )
    running = asyncio.create_task(engine.run(lazy))
    await parked(engine, 1)
    await connector.publish("a/b", "once")
    assert sorted(await running) == ["none", "once"]


async def test_two_takers_of_one_mailbox_each_get_a_signal(engine, connector):
    @cs.task
    async def both(one, other):
        return [one, other]

    running = asyncio.create_task(
        engine.run(both(cs.recv("q", buffered=True), cs.recv("q", buffered=True)))
    )
    await parked(engine, 1)
    await connector.publish("q", 1)
    await connector.publish("q", 2)
    assert await running == [1, 2]


@pytest.mark.parametrize(
    ("overflow", "expected", "reported"),
    [
        ("drop_oldest", [3, 4], "queue.overflow"),
        ("drop_newest", [0, 1], "queue.overflow"),
        ("error", [0, 1], "mailbox.message_refused"),
        ("wait", [0, 1, 2, 3, 4], "queue.growing"),  # who empties it must not wait for that
    ],
)
async def test_a_mailbox_is_bounded_by_the_overflow_policies(overflow, expected, reported):
    connector = cs.LocalBusConnector(cs.LocalBroker())
    engine = cs.Engine(connector=connector, max_queued=2, overflow=overflow)

    @cs.task
    async def take(heard, more):
        return (
            [*heard, more]
            if len(heard) + 1 == len(expected)
            else take([*heard, more], cs.recv("q"))
        )

    @cs.task
    async def flood():
        publishing = [connector.publish("q", n) for n in range(5)]
        for each in publishing:
            await each
        return take([], cs.recv("q"))

    with capture() as messages:
        assert await engine.run(flood(), listen=["q"]) == expected
    assert {message.id for message in messages} == {reported}


async def test_send_publishes_also_retained(engine, connector):
    assert await engine.run(cs.send("state", 5, retain=True)) is None
    assert connector.broker.retained_count == 1
    assert await engine.run(cs.recv("state")) == 5


async def test_send_takes_lazies(engine):
    @cs.task(mode="inline")
    def topic_and_payload():
        return "t"

    await engine.run(cs.send(topic_and_payload(), topic_and_payload(), retain=True))
    assert await engine.run(cs.recv("t")) == "t"


async def test_wait_sleeps_on_the_runs_clock(engine):
    loop = asyncio.get_running_loop()
    before = loop.time()
    await engine.run(cs.wait(0.01))
    assert loop.time() - before >= 0.01 - 1e-6


async def test_wait_refuses_a_negative_time(engine):
    with pytest.raises(ValueError, match=">= 0"):
        await engine.run(cs.wait(-1))


async def test_ten_thousand_parked_workflows_are_woken_by_one_publish(engine, connector):
    runs = [asyncio.create_task(engine.run(cs.recv("go"))) for _ in range(10_000)]
    await parked(engine, 10_000)
    await connector.publish("go", "now")
    assert await asyncio.gather(*runs) == ["now"] * 10_000
    assert connector.broker.subscription_count == 1


async def test_a_parked_agent_costs_memory_only_and_little_of_it(engine):
    runs = [asyncio.create_task(engine.run(cs.recv("warm"))) for _ in range(10)]
    await parked(engine, 10)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        runs += [asyncio.create_task(engine.run(cs.recv(f"go/{n}"))) for n in range(1000)]
        await parked(engine, 1010)
        each = (tracemalloc.get_traced_memory()[0] - before) / 1000
    finally:
        tracemalloc.stop()
    for run in runs:
        run.cancel()
    await asyncio.gather(*runs, return_exceptions=True)
    assert each < 8000
    print(f"{each:.0f} bytes each")  # shown with -s


async def test_two_agents_talk_through_the_bus(connector):
    @cs.task
    async def ping(n, heard):
        return heard if n == 0 else after_ping(n, cs.send("ping", heard))

    @cs.task
    async def after_ping(n, _):
        return ping(n - 1, cs.recv("pong", buffered=True))

    @cs.task
    async def pong(n):
        return "enough" if n == 0 else answer(n, cs.recv("ping", buffered=True))

    @cs.task
    async def answer(n, heard):
        return after_pong(n, cs.send("pong", heard + 1))

    @cs.task
    async def after_pong(n, _):
        return pong(n - 1)

    engine = cs.Engine(connector=connector)
    assert await asyncio.gather(
        engine.run(pong(100), listen=["ping"]), engine.run(ping(100, 0), listen=["pong"])
    ) == ["enough", 100]


# --- many at once, and hold-off -------------------------------------------------------------------


@cs.task
async def keep(value):
    return value


@cs.task
async def talk(schedule, _before=None):
    """Send (wait, payload) after each other."""
    if not schedule:
        return "done"
    (wait, payload), *rest = schedule
    return _say(rest, payload, cs.wait(wait))


@cs.task
async def _say(rest, payload, _wait):
    return talk(rest, cs.send("talk", payload))


@cs.task
async def gather(count, heard=None, so_far=()):
    so_far = (*so_far, heard) if heard is not None else so_far
    if len(so_far) == count:
        return list(so_far)
    busy = cs.wait(1.0 if so_far else 0.0)
    return _after(busy, count, so_far)


@cs.task
async def _after(_busy, count, so_far):
    return gather(count, cs.recv("talk", buffered=True, many=True), so_far)


def test_many_gives_all_that_has_come_in_order():
    schedule = [(0.5, 1), (0.25, 2), (0, 3), (0.25, 4), (5, 5)]
    simulated = cs.simulate([gather(3), talk(schedule)], listen=["talk"])
    assert simulated.results[0] == [[1], [2, 3, 4], [5]]


def test_many_with_topic_and_without_a_mailbox_is_a_list_as_well():
    assert cs.simulate([keep(cs.recv("talk", many=True)), talk([(1, "x")])]).results[0] == ["x"]
    with_topic = cs.recv("+", buffered=True, many=True, with_topic=True)
    assert cs.simulate([keep(with_topic), talk([(1, "x")])]).results[0] == [("talk", "x")]
    assert cs.simulate(keep(cs.recv("talk", 1, default=[], many=True))).results == [[]]


@each_row("buffered", [False, True])
def test_what_comes_within_the_holdoff_is_ignored(buffered):
    heard = cs.recv("talk", holdoff=1.0, buffered=buffered)
    schedule = [(0.2, "bounce"), (0.7, "bounce again"), (0.5, "meant")]
    assert cs.simulate([keep(heard), talk(schedule)]).results[0] == "meant"


@each_row("buffered", [False, True])
def test_a_timeout_counts_from_the_call_and_not_from_the_end_of_the_holdoff(buffered):
    @cs.task
    async def when(_heard, clock=cs.inject("clock")):
        return clock.time()

    for timeout in (0.5, 1.5):
        heard = cs.recv("talk", timeout, default=None, holdoff=1.0, buffered=buffered)
        assert cs.simulate(when(heard)).results == [timeout]


def test_a_holdoff_throws_away_what_lies_in_the_mailbox():
    @cs.task
    async def later(_wait):
        return keep(cs.recv("talk", buffered=True, holdoff=1.0))

    schedule = [(0.1, "old"), (0.1, "old"), (5, "new")]
    simulated = cs.simulate([later(cs.wait(2)), talk(schedule)], listen=["talk"])
    assert simulated.results[0] == "new"


@each_row("buffered", [False, True])
def test_a_holdoff_is_not_negative(buffered):
    with pytest.raises(ValueError, match="0 or more, not -1"):
        cs.simulate(cs.recv("talk", holdoff=-1, buffered=buffered))


def test_the_calls_show_themselves_as_they_were_written():
    call = cs.recv("a", 5, default=None, buffered=True, with_topic=True, many=True, holdoff=0.5)
    assert repr(call) == (
        "recv('a', 5, default=None, buffered=True, with_topic=True, many=True, holdoff=0.5)"
    )
    assert repr(cs.recv(["a", "b"])) == "recv(['a', 'b'])"
    assert repr(cs.send("a", 1)) == "send('a', 1, retain=False, qos=0)"


async def test_what_came_beside_another_signal_sticks_to_none_in_memory(engine, connector):
    received.set(((("traceparent", "of a signal over a broker"),),))
    await connector.publish("door", "open", retain=True)
    assert await engine.run(cs.recv("door", 1, with_topic=True)) == ("door", "open")
