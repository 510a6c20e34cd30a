"""The queue of a subscription or mailbox: first in, first out, and a word for when it is full."""

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade.common.messaging.testing import capture
from cascade.runtime.concurrency.bounded_queue import BoundedQueue, check_bounds
from cascade.testing.connectors import patience, reports
from rows import each_row


def drained(queue):
    return [queue.get_nowait() for _ in range(len(queue))]


def test_bounds_that_make_sense_are_accepted():
    for policy in ("wait", "drop_oldest", "drop_newest", "error"):
        check_bounds(1, policy)
        queue = BoundedQueue("a", 1, policy)
        assert queue.put_nowait("one")
        assert drained(queue) == ["one"]


@each_row(("limit", "policy"), [(0, "wait"), (-1, "error"), (1, "explode")])
def test_bounds_that_make_no_sense_are_refused(limit, policy):
    with pytest.raises(
        ValueError, match=r"at least 1|one of wait, drop_oldest, drop_newest, error"
    ):
        check_bounds(limit, policy)


# What a queue of three holds after five items, and which puts were told that there is no room.
FIVE_INTO_THREE = {
    "wait": ([0, 1, 2, 3, 4], [True, True, True, False, False], 0),
    "error": ([0, 1, 2], [True, True, True, False, False], 0),
    "drop_oldest": ([2, 3, 4], [True] * 5, 2),
    "drop_newest": ([0, 1, 2], [True] * 5, 2),
}


@pytest.mark.parametrize("policy", FIVE_INTO_THREE)
def test_a_full_queue_does_as_its_policy_says(policy):
    held, answers, dropped = FIVE_INTO_THREE[policy]
    queue = BoundedQueue("a", 3, policy)
    with reports():
        assert [queue.put_nowait(number) for number in range(5)] == answers
    assert queue.dropped == dropped
    assert len(queue) == len(held)
    assert drained(queue) == held


@given(
    st.sampled_from(sorted(FIVE_INTO_THREE)),
    st.integers(1, 4),
    st.lists(st.sampled_from(["put", "put", "take"]), max_size=30),
)
def test_the_queue_agrees_with_a_list(policy, limit, actions):
    queue, expected, dropped = BoundedQueue("a", limit, policy), [], 0
    with reports():
        for number, action in enumerate(actions):
            if action == "take" and expected:
                assert queue.get_nowait() == expected.pop(0)
            elif action == "put":
                queue.put_nowait(number)
                full = len(expected) >= limit
                dropped += full and policy.startswith("drop")
                if full and policy == "drop_oldest":
                    expected = [*expected[1:], number]
                elif not full or policy == "wait":
                    expected.append(number)
            assert len(queue) == len(expected)
            assert queue.over_capacity() is (len(expected) > limit)
    assert queue.dropped == dropped
    assert drained(queue) == expected


def test_taking_from_an_empty_queue_is_an_error():
    with pytest.raises(IndexError):
        BoundedQueue("a", 1, "wait").get_nowait()


def test_what_is_put_back_takes_its_place_again():
    queue = BoundedQueue("a", 3, "wait")
    for number in (1, 2, 3):
        queue.put_nowait(number)
    for number in (2, 1):
        queue.remove(number)
    for number in (2, 1):
        queue.insert(number, lambda each: each)
    assert drained(queue) == [1, 2, 3]
    with pytest.raises(ValueError, match="not in"):
        queue.remove(7)


def test_drops_are_reported_each_time_their_number_doubled():
    queue = BoundedQueue("a/#", 1, "drop_newest")
    with reports() as told:
        for number in range(20):
            queue.put_nowait(number)
    assert told.topics == ["queue.overflow"] * 5
    facts = [{"topic": "a/#", "policy": "drop_newest", "dropped": n} for n in (1, 2, 4, 8, 16)]
    assert told.payloads == facts


def test_growth_is_reported_each_time_it_doubled_until_the_queue_was_empty():
    queue = BoundedQueue("a", 2, "wait")
    with reports() as told:
        queue.put_nowait(0)
        queue.put_nowait(1)
        queue.report_growth()
        assert told.messages == []
        for number in range(2, 20):
            queue.put_nowait(number)
            queue.report_growth()
            queue.report_growth()
        assert [facts["queued"] for facts in told.payloads] == [3, 4, 6, 10, 18]
        assert told.messages[0] == (
            "queue.growing",
            {"topic": "a", "queued": 3, "limit": 2},
        )
        drained(queue)
        for number in range(3):
            queue.put_nowait(number)
        queue.report_growth()
    assert [facts["queued"] for facts in told.payloads[5:]] == [3]


async def waiting(queue, count):
    tasks = [asyncio.create_task(queue.wait_for_capacity()) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_within_its_limit_nobody_waits_for_room():
    queue = BoundedQueue("a", 2, "wait")
    queue.put_nowait(1)
    queue.put_nowait(2)
    with pytest.raises(StopIteration):
        queue.wait_for_capacity().send(None)


async def test_whoever_waits_goes_on_once_the_queue_is_within_its_limit():
    queue = BoundedQueue("a", 1, "wait")
    for number in range(3):
        queue.put_nowait(number)
    tasks = await waiting(queue, 3)
    queue.get_nowait()
    for _ in range(3):
        await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)
    queue.get_nowait()
    async with patience():
        await asyncio.gather(*tasks)


async def test_whoever_is_woken_into_a_full_queue_waits_again():
    queue = BoundedQueue("a", 1, "wait")
    queue.put_nowait(0)
    queue.put_nowait(1)
    (task,) = await waiting(queue, 1)
    queue.get_nowait()
    queue.put_nowait(2)
    for _ in range(5):
        await asyncio.sleep(0)
    assert not task.done()
    queue.get_nowait()
    async with patience():
        await task


async def test_clearing_lets_everyone_go_on():
    queue = BoundedQueue("a", 1, "wait")
    for number in range(5):
        queue.put_nowait(number)
    tasks = await waiting(queue, 2)
    queue.clear()
    assert len(queue) == 0
    async with patience():
        await asyncio.gather(*tasks)


async def test_a_waiter_that_was_cancelled_does_no_harm():
    queue = BoundedQueue("a", 1, "wait")
    for number in range(3):
        queue.put_nowait(number)
    first, second = await waiting(queue, 2)
    first.cancel()
    queue.clear()
    async with patience():
        await second
    assert first.cancelled()


async def test_room_that_comes_up_between_looking_and_waiting_is_not_missed(monkeypatch):
    """The queue empties in another thread just after the producer saw that it was full."""
    queue = BoundedQueue("a", 1, "wait")
    queue.put_nowait(0)
    queue.put_nowait(1)
    loop = asyncio.get_running_loop()
    make = loop.create_future

    def make_late():
        queue.get_nowait()
        return make()

    monkeypatch.setattr(loop, "create_future", make_late)
    task = asyncio.create_task(queue.wait_for_capacity())
    await asyncio.sleep(0)
    monkeypatch.undo()
    async with patience():
        await task
    assert not queue.over_capacity()


async def test_a_producer_of_another_thread_is_held_back_and_loses_nothing():
    queue, count = BoundedQueue("a", 8, "wait"), 5_000
    most = 0

    async def produce():
        for number in range(count):
            queue.put_nowait(number)
            await queue.wait_for_capacity()

    thread = threading.Thread(target=asyncio.run, args=[produce()])
    thread.start()
    taken = []
    async with patience():
        while len(taken) < count:
            most = max(most, len(queue))
            if queue:
                taken.append(queue.get_nowait())
            else:
                await asyncio.sleep(0)
    thread.join()
    assert taken == list(range(count))
    assert most <= 9


def test_a_waiter_whose_loop_has_ended_is_skipped():
    queue = BoundedQueue("a", 1, "wait")
    queue.put_nowait(0)
    queue.put_nowait(1)
    loop = asyncio.new_event_loop()
    task = loop.create_task(queue.wait_for_capacity())
    loop.run_until_complete(asyncio.sleep(0))
    waiters = list(queue._waiters)
    assert len(waiters) == 1
    task.cancel()
    loop.run_until_complete(asyncio.wait([task]))
    loop.close()
    queue.clear()
    assert not queue._waiters


def test_draining_returns_everything_in_order_and_leaves_nothing():
    queue = BoundedQueue("q", 5, "wait")
    assert list(queue.drain()) == []
    for item in range(3):
        queue.put_nowait(item)
    assert list(queue.drain()) == [0, 1, 2]
    assert len(queue) == 0


def test_growth_is_reported_anew_once_the_queue_was_empty():
    queue = BoundedQueue("q", 1, "wait")
    for empty in (lambda: [queue.get_nowait() for _ in range(3)], queue.drain):
        with capture() as messages:
            for item in range(3):
                queue.put_nowait(item)
            queue.report_growth()
            queue.report_growth()  # no more than before: said already
        assert [message.facts["queued"] for message in messages] == [3]
        empty()
