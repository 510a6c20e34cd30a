"""Slots: how many do something at once, in line by key; and that waiting for one costs no time-out."""

import asyncio
import gc

import pytest

import cascade as cs
from cascade.providers.slots import Slots, slots
from rows import each_row


@cs.resource(scope="engine", mode="inline")
def one_at_once():
    yield Slots(1)


@cs.task
async def hold(seconds, wanted=cs.inject(one_at_once)):
    slot = await wanted.acquire("key")
    try:
        await asyncio.sleep(seconds)
    finally:
        slot.release()
    return asyncio.get_running_loop().time()


@each_row(("of", "at_once"), [("ftp", 1), ("http", 0)])
def test_slots_are_of_something_that_has_them(of, at_once):
    with pytest.raises(ValueError, match="slots are of 'shell' or 'http', 1 or more"):
        slots(of, at_once)


def test_waiting_in_line_costs_no_time_out():
    three = [hold.with_timeout(1)(0.75) for _ in range(3)]
    assert cs.simulate(three).results == [0.75, 1.5, 2.25]


def test_the_clock_goes_on_where_it_stood():
    calls = [hold(5), cs.settle([hold.with_timeout(1)(1.5)])]
    _, (late,) = cs.simulate(calls).results
    assert isinstance(late, TimeoutError)
    assert "took longer than 1 s" in str(late)


def test_the_clock_of_who_evaluates_others_does_not_stand_still():
    @cs.task
    async def outer():
        return await cs.evaluate(hold(0.5))

    calls = [hold(5), cs.settle([outer.with_timeout(1)()])]
    _, (late,) = cs.simulate(calls).results
    assert isinstance(late, TimeoutError)


async def test_a_cancelled_wait_leaves_the_slot_to_the_next_one():
    line = Slots(1)
    slot = await line.acquire("key")
    waiting = [asyncio.create_task(line.acquire("key")) for _ in range(2)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    slot.release()
    async with asyncio.timeout(30):
        assert await waiting[1] is slot


async def test_a_key_that_nobody_uses_is_forgotten():
    line = Slots(1)
    for number in range(100):
        (await line.acquire(f"host-{number}")).release()
    gc.collect()
    assert len(line._by_key) == 0
