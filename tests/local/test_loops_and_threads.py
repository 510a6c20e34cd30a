"""Contract, point 8, in memory: loops that end, and loops of several threads."""

import asyncio
import gc
import threading
import weakref

import pytest

from cascade.connectors.local import LocalBroker, LocalBusConnector
from cascade.connectors.local.subscription import Subscription
from cascade.interfaces.errors import QueueFullError
from cascade.testing.connectors import Gated, Heard, patience, reports


@pytest.fixture
def broker():
    return LocalBroker()


async def connected(broker, **options):
    connector = LocalBusConnector(broker, **options)
    await connector.connect()
    return connector


async def subscribed(broker, topic, callback, **options):
    connector = await connected(broker, **options)
    return connector, await connector.subscribe(topic, callback)


class Elsewhere:
    """An event loop in a thread of its own, to which a test hands coroutines."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        self.loop.run_forever()
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    def __call__(self, coroutine):
        """Run a coroutine over there; what it gives can be awaited here."""
        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self.loop))

    @property
    def thread_id(self):
        return self._thread.ident

    def end(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()


@pytest.fixture
def elsewhere():
    there = Elsewhere()
    yield there
    if not there.loop.is_closed():
        there.end()


# --- loops that end -----------------------------------------------------------------------------


def test_subscriptions_that_an_ended_loop_left_behind_are_cleared_away_and_reported(broker):
    heard = Heard()
    asyncio.run(subscribed(broker, "a", heard))
    asyncio.run(subscribed(broker, "a/#", heard))
    assert broker.subscription_count == 2 - 1  # the second loop found the first one ended

    async def publish():
        connector = await connected(broker)
        await connector.publish("a", 1)

    with reports() as told:
        asyncio.run(publish())
    assert broker.subscription_count == 0
    assert heard.messages == []
    assert told.messages == [("connector.loop_ended", {"count": 1, "topic": "a/#"})]


def test_a_connector_of_an_ended_loop_goes_on_in_the_next_without_connecting_again(broker):
    heard = Heard()

    async def use(connector, number):
        handle = await connector.subscribe("a", heard)
        await connector.publish("a", number)
        await handle.unsubscribe()

    connector = asyncio.run(connected(broker))
    for number in range(3):
        asyncio.run(use(connector, number))
    assert heard.payloads == [0, 1, 2]


def test_a_handle_and_a_connector_of_an_ended_loop_can_be_ended_in_another(broker):
    async def end(connector, handle):
        await handle.unsubscribe()
        await connector.disconnect()

    connector, handle = asyncio.run(subscribed(broker, "a", Heard()))
    asyncio.run(end(connector, handle))
    assert broker.subscription_count == 0
    connector, handle = asyncio.run(subscribed(broker, "a", Heard()))
    asyncio.run(connector.disconnect())
    assert broker.subscription_count == 0


def test_a_callback_in_flight_is_cancelled_when_its_loop_is_shut_down(broker):
    gated = Gated()

    async def main():
        connector, _ = await subscribed(broker, "a", gated)
        for number in range(3):
            await connector.publish("a", number)

    asyncio.run(main())
    assert gated.cancelled == [("a", 0)]
    assert gated.begun.payloads == [0]
    assert broker.subscription_count == 0


def test_a_publisher_that_waits_does_not_hang_the_shutdown(broker):
    gated = Gated()

    async def main():
        connector, _ = await subscribed(broker, "a", gated, max_queued=1)
        await connector.publish("a", 0)
        await connector.publish("a", 1)
        waiting = asyncio.create_task(connector.publish("a", 2))
        await asyncio.sleep(0)
        return waiting

    assert asyncio.run(main()).cancelled()
    assert broker.subscription_count == 0


def test_a_subscribe_that_waits_for_its_hand_over_does_not_hang_the_shutdown(broker):
    gated = Gated()

    async def main():
        connector = await connected(broker)
        await connector.publish("a", 0, retain=True)
        waiting = asyncio.create_task(connector.subscribe("a", gated))
        await gated.begun.until(1)
        return waiting

    assert asyncio.run(main()).done()
    assert gated.cancelled == [("a", 0)]
    assert broker.subscription_count == 0


def test_a_broker_keeps_no_loop_that_has_ended(broker):
    async def main():
        await subscribed(broker, "a", Heard())
        return weakref.ref(asyncio.get_running_loop())

    ended = [asyncio.run(main()) for _ in range(5)]
    asyncio.run(connected(broker))
    gc.collect()
    assert [loop() for loop in ended] == [None] * 5
    assert len(broker._dispatchers) == 1


def test_several_loops_in_one_thread_by_turns_keep_their_subscriptions(broker):
    loops = [asyncio.new_event_loop() for _ in range(2)]
    heard = [Heard(), Heard()]
    connectors = []
    for loop, each in zip(loops, heard, strict=True):
        connectors.append(loop.run_until_complete(subscribed(broker, "a", each))[0])
    for number in range(6):
        loops[number % 2].run_until_complete(connectors[number % 2].publish("a", number))
    for loop in loops:
        loop.run_until_complete(asyncio.sleep(0))
    assert [sorted(each.payloads) for each in heard] == [list(range(6))] * 2
    for loop, connector in zip(loops, connectors, strict=True):
        loop.run_until_complete(connector.disconnect())
        loop.close()
    assert broker.subscription_count == 0


def test_a_subscription_of_a_loop_that_stands_still_can_be_ended_from_another(broker):
    still = asyncio.new_event_loop()
    gated = Gated()

    async def begin():
        connector, handle = await subscribed(broker, "a", gated)
        await connector.publish("a", 1)
        return handle

    handle = still.run_until_complete(begin())

    async def end():
        async with patience():
            await handle.unsubscribe()

    asyncio.run(end())
    assert broker.subscription_count == 0
    still.run_until_complete(asyncio.wait([handle.task]))
    assert gated.cancelled == [("a", 1)]
    still.close()


# --- loops of several threads -------------------------------------------------------------------


class Tally:
    """Checks that numbers arrive one after the other, and tells when the last is there."""

    def __init__(self, count):
        self._count = count
        self.next = 0
        self.wrong = []
        self.complete = asyncio.Event()
        self.loops = set()

    async def __call__(self, topic, payload):
        if payload != self.next:
            self.wrong.append((self.next, payload))
        self.next = payload + 1
        if payload % 1_000 == 0:
            self.loops.add(asyncio.get_running_loop())
        if self.next == self._count:
            self.complete.set()


@pytest.mark.parametrize("max_queued", [65_536, 100])
def test_two_loops_send_each_other_a_hundred_thousand_messages_in_order(broker, max_queued):
    count = 100_000
    ready, finished = threading.Barrier(2), threading.Barrier(2)
    tallies, loops = {}, {}

    async def side(name, other):
        tally = tallies[name] = Tally(count)
        loops[name] = asyncio.get_running_loop()
        connector, _ = await subscribed(broker, f"to/{name}", tally, max_queued=max_queued)
        await asyncio.to_thread(ready.wait)
        for number in range(count):
            await connector.publish(f"to/{other}", number)
        async with patience():
            await tally.complete.wait()
        await asyncio.to_thread(finished.wait)
        await connector.disconnect()

    threads = [
        threading.Thread(target=asyncio.run, args=[side(*names)])
        for names in (("a", "b"), ("b", "a"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: (tally.next, tally.wrong) for name, tally in tallies.items()} == {
        "a": (count, []),
        "b": (count, []),
    }
    assert {name: tally.loops for name, tally in tallies.items()} == {
        name: {loop} for name, loop in loops.items()
    }
    assert broker.subscription_count == 0


async def test_each_loop_receives_what_every_loop_publishes(broker, elsewhere):
    near, far = Heard(), Heard()
    here, _ = await subscribed(broker, "a", near)
    there, _ = await elsewhere(subscribed(broker, "a", far))
    for number in range(10):
        if number % 2:
            await here.publish("a", number)
        else:
            await elsewhere(there.publish("a", number))
        await near.until(number + 1)
        await elsewhere(far.until(number + 1))
    assert near.payloads == far.payloads == list(range(10))
    await here.disconnect()
    await elsewhere(there.disconnect())
    assert broker.subscription_count == 0


async def test_a_message_reaches_this_loop_before_anyone_waits_for_another(broker, elsewhere):
    near, far = Heard(), Gated()
    here, _ = await subscribed(broker, "a", near)
    there, handle = await elsewhere(subscribed(broker, "a", far, max_queued=1))
    publishers = await overfill(here, handle, far, elsewhere)
    for _ in range(5):
        publishers.append(asyncio.create_task(here.publish("a", len(publishers))))
    for _ in range(5):
        await asyncio.sleep(0)
    assert [each.done() for each in publishers[3:]] == [False] * 5
    assert near.payloads == list(range(8))
    elsewhere.loop.call_soon_threadsafe(far.gate.set)
    async with patience():
        await asyncio.gather(*publishers)
    await elsewhere(far.until(8))
    assert far.payloads == list(range(8))
    await here.disconnect()
    await elsewhere(there.disconnect())


async def overfill(publisher, handle, gated, elsewhere):
    """Publish until a subscription of another loop, which holds one message, holds two."""
    tasks = []
    for number in range(3):
        tasks.append(asyncio.create_task(publisher.publish("a", number)))
        if number == 0:
            await elsewhere(gated.begun.until(1))
        await elsewhere(queued(handle, number))
    return tasks


async def publish_all(connector, numbers, topic="a"):
    for number in numbers:
        await connector.publish(topic, number)


async def test_a_slow_subscription_of_another_loop_holds_the_publisher_back(broker, elsewhere):
    far = Gated()
    here = await connected(broker)
    there, handle = await elsewhere(subscribed(broker, "a", far, max_queued=1))
    publishers = await overfill(here, handle, far, elsewhere)
    late = asyncio.create_task(here.publish("a", 3))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not late.done()
    elsewhere.loop.call_soon_threadsafe(far.gate.set)
    async with patience():
        await asyncio.gather(late, *publishers)
    await elsewhere(far.until(4))
    assert far.payloads == [0, 1, 2, 3]
    await elsewhere(there.disconnect())


async def queued(handle, count):
    async with patience():
        while len(handle.task.queue or ()) < count:
            await asyncio.sleep(0)


async def test_a_full_subscription_of_another_loop_with_policy_error_refuses(broker, elsewhere):
    far = Gated()
    here = await connected(broker)
    there, _ = await elsewhere(subscribed(broker, "a", far, max_queued=1, overflow="error"))
    refused = []
    for number in range(5):
        try:
            await here.publish("a", number)
        except QueueFullError:
            refused.append(number)
    assert refused == [2, 3, 4]
    elsewhere.loop.call_soon_threadsafe(far.gate.set)
    assert await elsewhere(far.until(2)) == [("a", 0), ("a", 1)]
    await elsewhere(there.disconnect())


async def test_the_bound_holds_for_many_publishers_of_another_loop(broker, elsewhere):
    """Each that is held back has its one message there; no more come than these and the limit."""
    far = Gated()
    here = await connected(broker)
    there, handle = await elsewhere(subscribed(broker, "a", far, max_queued=3))
    published = []

    async def flood(name):
        for number in range(20):
            await here.publish("a", (name, number))
            published.append((name, number))

    floods = [asyncio.create_task(flood(name)) for name in range(4)]
    await asyncio.sleep(0)
    await elsewhere(far.begun.until(1))
    await elsewhere(queued(handle, 3 + 4))
    async with patience():
        while len(published) < 1 + 3:
            await asyncio.sleep(0)
    for _ in range(50):
        await asyncio.sleep(0)
    assert len(published) == 1 + 3
    assert len(handle.task.queue) == 3 + 4
    elsewhere.loop.call_soon_threadsafe(far.gate.set)
    async with patience():
        await asyncio.gather(*floods)
    await elsewhere(far.until(80))
    assert sorted(far.payloads) == [(name, number) for name in range(4) for number in range(20)]
    await elsewhere(there.disconnect())


async def test_unsubscribing_from_another_loop_cancels_and_awaits_the_callback(broker, elsewhere):
    far = Gated()
    here = await connected(broker)
    there, handle = await elsewhere(subscribed(broker, "a", far))
    await here.publish("a", 1)
    await elsewhere(far.begun.until(1))
    async with patience():
        await handle.unsubscribe()
    assert far.cancelled == [("a", 1)]
    await here.publish("a", 2)
    await handle.unsubscribe()
    assert broker.subscription_count == 0
    assert far.begun.payloads == [1]
    await elsewhere(there.disconnect())


async def test_disconnecting_from_another_loop_ends_all_subscriptions(broker, elsewhere):
    far = [Gated(), Gated(), Heard()]
    there = await elsewhere(connected(broker))
    for each in far:
        await elsewhere(there.subscribe("a", each))
    here = await connected(broker)
    await here.publish("a", 1)
    for each in far[:2]:
        await elsewhere(each.begun.until(1))
    async with patience():
        await there.disconnect()
    assert [each.cancelled for each in far[:2]] == [[("a", 1)]] * 2
    assert broker.subscription_count == 0


async def test_a_subscription_changes_its_state_only_on_its_own_loop(
    broker, elsewhere, monkeypatch
):
    """It may be handing a message over while another thread ends it."""
    threads = []
    close = Subscription._close

    def watched(self):
        threads.append(threading.get_ident())
        close(self)

    monkeypatch.setattr(Subscription, "_close", watched)
    there = await elsewhere(connected(broker))
    first = await elsewhere(there.subscribe("a", Heard()))
    for _ in range(2):
        await elsewhere(there.subscribe("a", Heard()))
    await first.unsubscribe()
    broker.reset()
    await there.disconnect()
    await elsewhere(asyncio.sleep(0))
    assert len(threads) >= 3
    assert set(threads) == {elsewhere.thread_id}


async def test_one_connector_may_publish_from_two_loops_and_callbacks_stay_on_theirs(
    broker, elsewhere
):
    threads = []
    there = await elsewhere(connected(broker))
    inside, published = threading.Event(), threading.Event()

    async def hear(topic, payload):
        threads.append(threading.get_ident())

    async def block():
        inside.set()
        published.wait()

    await elsewhere(there.subscribe("a", hear))
    blocking = elsewhere(block())
    await asyncio.to_thread(inside.wait)
    try:
        await there.publish("a", 1)  # here, while a task of the other loop is in the middle
        assert threads == []
    finally:
        published.set()
    await blocking
    await elsewhere(there.publish("a", 2))
    await elsewhere(asyncio.sleep(0))
    assert threads == [elsewhere.thread_id] * 2
    await elsewhere(there.disconnect())


def test_a_loop_may_go_on_in_another_thread(broker):
    loop, heard = asyncio.new_event_loop(), Heard()

    async def go_on(connector, handle):
        assert broker.dispatcher().thread_id == threading.get_ident()
        await connector.publish("a", 2)
        await handle.unsubscribe()
        assert broker.subscription_count == 0
        assert handle.closed

    async def begin():
        connector, handle = await subscribed(broker, "a", heard)
        await connector.publish("a", 1)
        return connector, handle

    made = []
    thread = threading.Thread(target=lambda: made.extend(loop.run_until_complete(begin())))
    thread.start()
    thread.join()
    loop.run_until_complete(go_on(*made))
    assert heard.payloads == [1, 2]
    loop.close()


async def test_a_reset_from_another_thread_ends_subscriptions_and_their_callbacks(
    broker, elsewhere
):
    far = Gated()
    _, handle = await elsewhere(subscribed(broker, "a", far))
    here = await connected(broker)
    await here.publish("a", 1)
    await elsewhere(far.begun.until(1))
    broker.reset()
    assert broker.subscription_count == 0

    async def ended():
        async with patience():
            await asyncio.wait([handle.task])

    await elsewhere(ended())
    assert far.cancelled == [("a", 1)]


async def test_subscriptions_may_end_elsewhere_while_messages_fly(broker, elsewhere):
    """The broker's books and the hand-over of messages stand the changes of another thread."""
    here, heard = await connected(broker), Heard()
    broker.dispatcher().inbox.limit = 8  # so that the flood does not drown this loop
    stop = threading.Event()

    async def flood():
        connector, number = await connected(broker), 0
        while not stop.is_set():
            await connector.publish("a", number)
            number += 1
            if number % 16 == 0:
                await asyncio.sleep(0)
        await connector.disconnect()

    flooding = elsewhere(flood())
    there = await elsewhere(connected(broker))
    for _ in range(30):
        far = Heard()
        handle = await elsewhere(there.subscribe("a", far))
        near = await here.subscribe("a", heard)
        await elsewhere(far.until(3))
        await handle.unsubscribe()
        count = len(far.messages)
        assert far.payloads == list(range(far.payloads[0], far.payloads[0] + count))
        await near.unsubscribe()
        await asyncio.sleep(0)
        assert len(far.messages) == count
    stop.set()
    await flooding
    await there.disconnect()
    assert broker.subscription_count == 0


def test_a_retained_message_arrives_once_also_when_threads_meet(broker):
    """Subscribing while another thread retains: handed over or live, never both, never neither."""
    rounds = 300
    meet = threading.Barrier(2)

    async def subscribe():
        connector = await connected(broker)
        for number in range(rounds):
            heard = Heard()
            meet.wait()
            handle = await connector.subscribe(f"a/{number}", heard)
            meet.wait()
            await heard.until(1)
            await connector.publish(f"a/{number}", "end")
            await heard.until(2)
            assert heard.payloads == [number, "end"]
            await handle.unsubscribe()
            meet.wait()

    async def retain():
        connector = await connected(broker)
        for number in range(rounds):
            meet.wait()
            await connector.publish(f"a/{number}", number, retain=True)
            meet.wait()
            meet.wait()

    def run(main):
        try:
            asyncio.run(main())
        except BaseException:
            meet.abort()
            raise

    failed = []

    def run_there():
        try:
            run(retain)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run_there)
    thread.start()
    try:
        run(subscribe)
    finally:
        thread.join()
    assert failed == []


async def test_a_loop_that_ended_elsewhere_is_forgotten_at_the_next_message(broker, elsewhere):
    far = Heard()
    here = await connected(broker)
    await elsewhere(subscribed(broker, "a", far))
    elsewhere.end()
    with reports() as told:
        await here.publish("a", 1)
    assert told.messages == [("connector.loop_ended", {"count": 1, "topic": "a"})]
    assert broker.subscription_count == 0
    await here.publish("a", 2)


async def test_a_loop_that_ended_with_messages_in_its_inbox_is_forgotten_too(broker, elsewhere):
    far = Heard()
    here = await connected(broker)
    await elsewhere(subscribed(broker, "a", far))
    dispatcher = next(each for loop, each in broker._dispatchers.items() if loop is elsewhere.loop)
    dispatcher._scheduled = True  # as if the loop had stopped just before the turn it was asked for
    await here.publish("a", 1)
    elsewhere.end()
    with reports() as told:
        await here.publish("a", 2)
    assert told.topics == ["connector.loop_ended"]
    assert broker.subscription_count == 0
    assert far.messages == []


async def test_a_callback_that_floods_another_loop_warns_and_does_not_wait(broker, elsewhere):
    here, far, done = await connected(broker), Heard(), Heard()
    there, _ = await elsewhere(subscribed(broker, "a", far))
    dispatcher = next(each for loop, each in broker._dispatchers.items() if loop is elsewhere.loop)
    dispatcher._scheduled = True  # nothing is taken over there until this test says so
    dispatcher.inbox.limit = 2

    async def flood(topic, payload):
        await publish_all(here, range(6))
        done.keep(topic, payload)

    await here.subscribe("go", flood)
    with reports() as told:
        await here.publish("go", 1)
    assert done.payloads == [1]
    facts = [{"topic": "(other threads)", "queued": n, "limit": 2} for n in (3, 4, 6)]
    assert told.messages == [("queue.growing", each) for each in facts]
    elsewhere.loop.call_soon_threadsafe(dispatcher._empty_inbox)
    await elsewhere(far.until(6))
    assert far.payloads == list(range(6))
    await here.disconnect()
    await there.disconnect()


async def test_a_message_that_finds_a_loop_ended_frees_those_who_wait_for_it(
    broker, elsewhere, monkeypatch
):
    monkeypatch.setattr("cascade.connectors.local.turn._POLL_INTERVAL", 0.001)
    here = await connected(broker)
    await elsewhere(subscribed(broker, "a", Heard()))
    dispatcher = next(each for loop, each in broker._dispatchers.items() if loop is elsewhere.loop)
    dispatcher._scheduled = True  # as if the loop had stopped just before the turn it was asked for
    dispatcher.inbox.limit = 1
    await here.publish("a", 0)
    late = asyncio.create_task(here.publish("a", 1))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not late.done()
    elsewhere.end()
    with reports() as told:
        await here.publish("a", 2)
    assert told.topics == ["connector.loop_ended"]
    async with patience():
        await late


async def test_a_publisher_that_waits_for_a_loop_goes_on_when_that_loop_ends(
    broker, elsewhere, monkeypatch
):
    monkeypatch.setattr("cascade.connectors.local.turn._POLL_INTERVAL", 0.001)
    far = Gated()
    here = await connected(broker)
    _, handle = await elsewhere(subscribed(broker, "a", far, max_queued=1))
    publishers = await overfill(here, handle, far, elsewhere)
    late = asyncio.create_task(here.publish("a", 3))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not late.done()
    await asyncio.to_thread(elsewhere.end)
    async with patience():
        await asyncio.gather(late, *publishers)
