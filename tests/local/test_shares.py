"""Shared subscriptions in memory: who gets a message, and what becomes of what a member leaves."""

import asyncio
import threading

import cascade as cs
from cascade.connectors.local import LocalBroker, LocalBusConnector
from cascade.testing.connectors import Gated, Heard, patience


async def test_a_message_goes_to_one_that_waits_before_one_that_is_busy(connect):
    connector = await connect()
    busy, idle = Gated(), Heard()
    await connector.subscribe("$share/g/a", busy)
    await connector.subscribe("$share/g/a", idle)
    await connector.publish("a", 0)
    for number in range(1, 6):
        await connector.publish("a", number)
    assert busy.begun.payloads == [0]
    assert idle.payloads == [1, 2, 3, 4, 5]
    busy.gate.set()
    await busy.until(1)


async def test_those_that_wait_take_turns(connect):
    connector = await connect()
    heard = [Heard() for _ in range(3)]
    for each in heard:
        await connector.subscribe("$share/g/a", each)
    for number in range(6):
        await connector.publish("a", number)
    assert [each.payloads for each in heard] == [[0, 3], [1, 4], [2, 5]]


async def test_where_all_are_busy_it_goes_to_the_shortest_queue(connect):
    connector = await connect()
    members = [Gated() for _ in range(3)]
    for each in members:
        await connector.subscribe("$share/g/a", each)
    for number in range(9):
        await connector.publish("a", number)
    for each in members:
        each.gate.set()
        await each.until(3)
    assert sorted(len(each.payloads) for each in members) == [3, 3, 3]


async def test_what_a_member_leaves_goes_to_another(connect):
    connector = await connect()
    leaves, stays = Gated(), Heard()
    handle = await connector.subscribe("$share/g/a", leaves)
    for number in range(5):
        await connector.publish("a", number)
    await connector.subscribe("$share/g/a", stays)
    await handle.unsubscribe()
    assert leaves.cancelled == [("a", 0)]  # it had that one
    assert await stays.until(4) == [("a", 1), ("a", 2), ("a", 3), ("a", 4)]


async def test_a_group_is_served_in_the_place_of_its_first_member(connect):
    connector, order = await connect(), []

    def hear(name):
        async def callback(topic, payload):
            order.append((name, payload))

        return callback

    await connector.subscribe("$share/g/a", hear("first"))
    await connector.subscribe("a", hear("plain"))
    await connector.subscribe("$share/g/a", hear("second"))
    await connector.publish("a", 0)
    await connector.publish("a", 1)
    assert order == [("first", 0), ("plain", 0), ("second", 1), ("plain", 1)]


async def test_what_is_retained_is_not_shared(connect):
    connector, shared, plain = await connect(), Heard(), Heard()
    await connector.publish("jobs", "kept", retain=True)
    await connector.subscribe("$share/workers/jobs", shared)
    await connector.subscribe("jobs", plain)
    await connector.publish("jobs", "live")
    assert plain.payloads == ["kept", "live"]
    assert shared.payloads == ["live"]


async def test_a_full_member_holds_the_publisher_back(connect):
    connector = await connect(max_queued=1)
    member = Gated()
    await connector.subscribe("$share/g/a", member)
    await connector.publish("a", 0)
    await connector.publish("a", 1)
    publishing = asyncio.ensure_future(connector.publish("a", 2))
    await asyncio.sleep(0)
    assert not publishing.done()
    member.gate.set()
    async with patience():
        await publishing
    await member.until(3)


async def test_members_on_several_loops_share_too():
    broker = LocalBroker()
    ready, done, elsewhere = threading.Event(), threading.Event(), Gated()

    async def other():
        connector = LocalBusConnector(broker=broker)
        await connector.connect()
        await connector.subscribe("$share/g/a", elsewhere)
        ready.set()
        await elsewhere.begun.until(1)
        elsewhere.gate.set()
        await elsewhere.until(1)
        await asyncio.to_thread(done.wait)
        await connector.disconnect()

    thread = threading.Thread(target=lambda: asyncio.run(other()))
    thread.start()
    await asyncio.to_thread(ready.wait)
    connector, here, plain = LocalBusConnector(broker=broker), Gated(), Heard()
    await connector.connect()
    await connector.subscribe("$share/g/a", here)
    await connector.subscribe("a", plain)
    for number in range(2):
        await connector.publish("a", number)
    here.gate.set()
    await here.until(1)
    done.set()
    await asyncio.to_thread(thread.join)
    assert sorted(here.payloads + elsewhere.payloads) == [0, 1]
    assert plain.payloads == [0, 1]
    await connector.disconnect()


# --- agents ---------------------------------------------------------------------------------------


def test_a_job_goes_to_an_agent_that_waits():
    @cs.task
    async def work(name, seconds, done):
        while (job := await cs.evaluate(cs.recv("$share/w/jobs", buffered=True))) is not None:
            await cs.evaluate(cs.wait(seconds))
            done.append((name, job))
        return name

    @cs.task
    async def jobs(count):
        for number in range(count):
            await cs.evaluate(cs.wait(1.0))
            await cs.evaluate(cs.send("jobs", number))
        for _ in range(2):
            await cs.evaluate(cs.wait(100.0))
            await cs.evaluate(cs.send("jobs", None))

    done = []
    cs.simulate([work("slow", 10.0, cs.quote(done)), work("quick", 0.1, cs.quote(done)), jobs(6)])
    assert sorted(job for _, job in done) == list(range(6))
    assert [name for name, _ in done].count("slow") == 1


def test_what_an_agent_leaves_unread_goes_to_another():
    @cs.task
    async def hears_one(seconds):
        first = await cs.evaluate(cs.recv("$share/w/jobs", buffered=True))
        await cs.evaluate(cs.wait(seconds))
        return first

    @cs.task
    async def hears_rest(rest):
        return [
            await cs.evaluate(cs.recv("$share/w/jobs", timeout=100, buffered=True))
            for _ in range(rest)
        ]

    @cs.task
    async def jobs(count):
        await cs.evaluate(cs.wait(1.0))
        for number in range(count):
            await cs.evaluate(cs.send("jobs", number))

    @cs.task
    async def late():
        await cs.evaluate(cs.wait(2.0))
        return hears_rest(3)

    first, _, rest = cs.simulate([hears_one(5.0), jobs(4), late()]).results
    assert first == 0
    assert rest == [1, 2, 3]


def test_a_shared_filter_covers_only_itself():
    @cs.task
    async def hear():
        shared = await cs.evaluate(cs.recv("$share/w/a", buffered=True))
        await cs.evaluate(cs.wait(0.1))  # until the other one has come, too
        plain = await cs.evaluate(cs.recv("a", timeout=1.0, default="nothing"))
        return shared, plain

    @cs.task
    async def say():
        await cs.evaluate(cs.wait(0.1))
        await cs.evaluate(cs.send("a", 1))
        await cs.evaluate(cs.send("a", 2))

    assert cs.simulate([hear(), say()]).results[0] == (1, "nothing")


def test_a_recv_may_ask_for_a_share_and_for_others():
    @cs.task
    async def hear():
        filters = ["b", "$share/w/a"]
        return [
            await cs.evaluate(cs.recv(filters, with_topic=True, buffered=True)) for _ in range(2)
        ]

    @cs.task
    async def say():
        await cs.evaluate(cs.wait(0.1))
        await cs.evaluate(cs.send("a", 1))
        await cs.evaluate(cs.send("b", 2))

    for listen in ((), ["a"]):
        result = cs.simulate([hear(), say()], listen=listen).results[0]
        assert result == [("a", 1), ("b", 2)]
