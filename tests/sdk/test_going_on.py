"""An agent that a signal wakes goes on inside the delivery of that signal."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import pytest

import cascade as cs
from cascade.interfaces.errors import MailboxFullError
from cascade.runtime.concurrency import fairness
from cascade.testing.connectors import patience

whose = ContextVar("whose", default="nobody's")


@pytest.fixture
def begin(engine):
    """Run a target beside the test, and return its task once its agents wait."""

    async def run(target, **options):
        task = asyncio.create_task(engine.run(target, **options))
        for _ in range(5):
            await asyncio.sleep(0)
        return task

    return run


@cs.task
async def hears(filters, into, times=1):
    """Note what comes, as far as it has come when the agent goes on."""
    for _ in range(times):
        into.append(await cs.evaluate(cs.recv(filters, buffered=True)))


def listener(into, name):
    async def hear(topic, payload):
        into.append((name, topic, payload))

    return hear


async def test_it_has_gone_on_when_publish_returns(connector, begin):
    heard = []
    await begin(hears("a", heard))
    await connector.publish("a", 1)
    assert heard == [1]


async def test_it_goes_on_at_its_mailbox_s_place_among_the_subscriptions(connector, begin):
    order = []

    @cs.task
    async def agent():
        order.append(("agent", "a", await cs.evaluate(cs.recv("a"))))

    await connector.subscribe("a", listener(order, "before"))
    await begin(agent())
    await connector.subscribe("a", listener(order, "behind"))
    await connector.publish("a", 1)
    assert order == [("before", "a", 1), ("agent", "a", 1), ("behind", "a", 1)]


async def test_what_it_publishes_comes_behind_the_message_being_delivered(connector, begin):
    order = []

    @cs.task
    async def answers():
        await cs.evaluate(cs.recv("a"))
        await cs.evaluate(cs.send("b", "answer"))

    await begin(answers())
    await connector.subscribe(["a", "b"], listener(order, "behind"))
    await connector.publish("a", "question")
    assert order == [("behind", "a", "question"), ("behind", "b", "answer")]


async def test_many_are_all_that_came_in_the_delivery_under_way(connector, begin):
    heard = []

    @cs.task
    async def takes_many():
        heard.extend(await cs.evaluate(cs.recv("n/+", many=True, buffered=True)))

    async def echo(topic, payload):
        await connector.publish("n/2", payload + 1)

    running = await begin(takes_many())
    await connector.subscribe("n/1", echo)
    await connector.publish("n/1", 1)
    await running
    assert heard == [1, 2]


async def test_asyncio_knows_it_by_its_own_task_and_the_publisher_by_that_one_s(connector, begin):
    tasks = []

    @cs.task
    async def agent():
        before = asyncio.current_task()
        await cs.evaluate(cs.recv("a"))
        tasks.append((before, asyncio.current_task()))
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0))

    running, publisher = await begin(agent()), asyncio.current_task()
    await connector.publish("a", 1)
    assert asyncio.current_task() is publisher
    ((before, after),) = tasks
    assert before is after is not publisher
    await running


async def test_neither_sees_the_other_s_context(connector, begin):
    seen = []

    @cs.task
    async def agent():
        whose.set("the agent's")
        await cs.evaluate(cs.recv("a"))
        seen.append(whose.get())

    await begin(agent())
    whose.set("the publisher's")
    await connector.publish("a", 1)
    assert (seen, whose.get()) == (["the agent's"], "the publisher's")


async def test_a_failure_stays_in_its_run(connector, begin):
    heard = []

    @cs.task
    async def fails():
        await cs.evaluate(cs.recv("a"))
        raise ValueError("mine")

    running = await begin(fails())
    await begin(hears("a", heard))
    await connector.publish("a", 1)
    assert heard == [1]
    with pytest.raises(ValueError, match="mine"):
        await running


def test_an_interrupt_goes_up_and_what_was_pending_is_delivered():
    heard = []

    @cs.task
    async def interrupted():
        await cs.evaluate(cs.recv("a"))
        raise KeyboardInterrupt

    async def main():
        connector = cs.LocalBusConnector(cs.LocalBroker())
        async with cs.Engine(connector=connector) as engine:
            running = asyncio.create_task(engine.run(interrupted()))
            await asyncio.sleep(0.01)
            await connector.subscribe("a", listener(heard, "behind"))
            try:
                await connector.publish("a", 1)
            except KeyboardInterrupt:
                heard.append("interrupted")
            async with patience():
                while len(heard) < 2:
                    await asyncio.sleep(0)
            with pytest.raises(KeyboardInterrupt):
                await running

    asyncio.run(main())
    assert heard == ["interrupted", ("behind", "a", 1)]


async def test_a_delivery_that_has_had_its_time_leaves_the_others_to_the_next_turn(
    connector, begin, monkeypatch
):
    monkeypatch.setattr(fairness, "_SECONDS", -1.0)  # which is over at the first look
    heard = []
    running = [await begin(hears("a", heard)) for _ in range(3)]
    await connector.publish("a", 1)
    assert heard == []
    await asyncio.gather(*running)
    assert heard == [1, 1, 1]


async def test_one_that_is_cancelled_leaves_its_mailbox_at_once(connector, engine):
    heard = []

    @cs.task
    async def two():
        first = asyncio.ensure_future(cs.evaluate(cs.recv("a")))
        second = asyncio.ensure_future(cs.evaluate(cs.recv("a")))
        await asyncio.sleep(0.01)
        first.cancel()
        await connector.publish("a", 1)
        heard.append(await second)

    async with patience():
        await engine.run(two())
    assert heard == [1]


async def test_it_is_held_back_like_any_publisher_and_the_delivery_goes_on(connector):
    """Suspending it does not block those behind it."""
    heard = []

    @cs.task
    async def floods():
        await cs.evaluate(cs.recv("go"))
        for number in range(10):
            await cs.evaluate(cs.send("n", number))
            await asyncio.sleep(0)  # so that what it said is delivered

    @cs.task
    async def slow(gate):
        await gate.wait()
        heard.extend([await cs.evaluate(cs.recv("n")) for _ in range(10)])

    gate = asyncio.Event()
    async with patience(), cs.Engine(connector=connector, max_queued=2) as engine:
        hearing = asyncio.create_task(engine.run(slow(gate), listen=["n"]))
        flooding = asyncio.create_task(engine.run(floods()))
        await asyncio.sleep(0.01)
        await connector.publish("go", 1)
        await asyncio.sleep(0.05)
        assert not flooding.done()
        gate.set()
        await asyncio.gather(hearing, flooding)
    assert heard == list(range(10))


async def test_one_that_floods_its_own_mailbox_neither_hangs_nor_loses(connector):
    @cs.task
    async def floods():
        await cs.evaluate(cs.recv("go"))
        for number in range(10):
            await cs.evaluate(cs.send("n", number))
            await asyncio.sleep(0)
        return [await cs.evaluate(cs.recv("n")) for _ in range(10)]

    async with patience(), cs.Engine(connector=connector, max_queued=2) as engine:
        running = asyncio.create_task(engine.run(floods(), listen=["n"]))
        await asyncio.sleep(0.01)
        await connector.publish("go", 1)
        assert await running == list(range(10))


async def test_a_full_mailbox_is_an_error_there_too_where_another_signal_is_waited_for(connector):
    async with cs.Engine(connector=connector, max_queued=1) as engine:
        running = asyncio.create_task(engine.run(cs.recv("b"), listen=["a"]))
        await asyncio.sleep(0.01)
        await connector.publish("a", 1)
        publishing = asyncio.create_task(connector.publish("a", 2))
        with pytest.raises(MailboxFullError):
            await running
        await publishing


async def test_two_agents_that_answer_each_other_leave_the_loop_its_turns(connector, engine):
    turns = 0

    @cs.task
    async def answers(hear, say):
        while True:
            await cs.evaluate(cs.recv(hear, buffered=True))
            await cs.evaluate(cs.send(say, 1))

    playing = asyncio.create_task(engine.run([answers("ping", "pong"), answers("pong", "ping")]))
    await asyncio.sleep(0.01)
    await connector.publish("ping", 1)
    while turns < 100:
        turns += 1
        await asyncio.sleep(0)
    playing.cancel()
    await asyncio.wait([playing])
    assert playing.cancelled()


async def test_a_signal_that_comes_by_several_filters_counts_once_though_it_wakes(connector, begin):
    heard = []

    @cs.task
    async def agent():
        waits = [cs.recv([each, "other"], 0.05, default=None) for each in ("a", "#", "+")]
        heard.extend([await cs.evaluate(each) for each in waits])

    running = await begin(agent(), listen=["x", "+/+"])
    await connector.publish("a", 1)
    await running
    assert heard == [1, None, None]
