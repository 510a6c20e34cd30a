"""``check="twice"``: what does not follow from the seed is found, and shown."""

import itertools
import random

import pytest

import cascade as cs
from cascade.interfaces.errors import NonDeterminismError, RunsDifferError
from rows import each_row
from sdk.chatter import simulation

numbers = itertools.count()


@cs.task
async def says(topic, value, _before=None):
    return cs.send(topic, value)


@cs.task
async def says_a_number():
    return says("number", next(numbers), says("hello", "there"))


@cs.task
async def number():
    return next(numbers)


@cs.task
async def takes_its_time():
    return cs.wait(random.random())


@cs.task
async def fails():
    raise OSError(next(numbers))


@cs.task
async def says_more():
    return [says("more", 1) for _ in range(next(numbers) % 2)]


@each_row(
    ("target", "first", "second"),
    [
        (says_a_number, r"a message on \'number\': \d+", r"a message on \'number\': \d+"),
        (number, r"the value of the run \'run-1\': \d+", r"the value of the run \'run-1\': \d+"),
        (takes_its_time, r"at 0\.\d+ s the value", r"at 0\.\d+ s the value"),
        (fails, r"the error of the run \'run-1\': OSError", r"OSError"),
    ],
)
def test_what_differs_first_is_shown_of_both(target, first, second):
    with pytest.raises(RunsDifferError, match=rf"{first}.*\n.*{second}") as caught:
        cs.simulate(target(), check="twice")
    assert isinstance(caught.value, NonDeterminismError)
    assert caught.value.first != caught.value.second


def test_a_message_that_only_one_of_them_says_is_found():
    with pytest.raises(RunsDifferError) as caught:
        cs.simulate(says_more(), check="twice")
    both = {caught.value.first, caught.value.second}
    assert "at 0 s a message on 'more': 1" in both


def test_what_follows_from_the_seed_goes_through_with_the_same_hash():
    @cs.task
    async def draw(rng=cs.inject("rng")):
        return cs.send("drawn", rng.random())

    once = cs.simulate(draw(), seed=3)
    assert cs.simulate(draw(), seed=3, check="twice") == once
    assert simulation(2) == simulation(2)


def test_an_error_that_comes_both_times_is_raised_as_it_is():
    @cs.task
    async def fails_always():
        raise OSError(object())

    with pytest.raises(OSError, match="object"):
        cs.simulate(fails_always(), check="twice")
    with pytest.raises(RuntimeError, match="deadlock at 0 s"):
        cs.simulate(cs.recv("never"), check="twice")


def test_it_needs_a_bus_that_begins_empty():
    connector = cs.LocalBusConnector(cs.LocalBroker())
    with pytest.raises(ValueError, match="begin empty each time"):
        cs.simulate(number(), connector=connector, check="twice")
    with pytest.raises(ValueError, match='check is "twice" or left out'):
        cs.simulate(number(), check="thrice")
