"""Who is an agent: a run, each call directly in a list in target position, each item of a mapping."""

from __future__ import annotations

import pytest

import cascade as cs


@cs.task(mode="inline")
def name_and_number(*_needs, rng=cs.inject("rng")):
    return cs.current().agent, rng.random()


def names(value):
    return [each[0] for each in value]


def test_each_call_in_a_target_is_an_agent():
    it = name_and_number
    assert names(cs.run([it(), it(), it()], name="r")) == ["r/0", "r/1", "r/2"]
    assert cs.run(it(), name="r")[0] == "r"
    assert names(cs.run(cs.settle([it(), it()]), name="r")) == ["r/0", "r/1"]


def test_in_dicts_and_in_lists_within_lists_too():
    it = name_and_number

    @cs.task
    async def begins():
        return {"left": it(), "right": [it(), it()]}

    value = cs.run(begins(), name="r")
    assert value["left"][0] == "r/left"
    assert names(value["right"]) == ["r/right/0", "r/right/1"]


def test_everything_else_belongs_to_the_agent_it_stands_in():
    @cs.task(mode="inline")
    def pair(one, other):
        return [one[0], other[0], cs.current().agent]

    @cs.task
    async def evaluates():
        return names(await cs.evaluate([name_and_number(), name_and_number()]))

    it = name_and_number
    assert cs.run(pair(it(), it()), name="r") == ["r", "r", "r"]
    assert cs.run([pair(it(), it()), it()], name="r")[0] == ["r/0", "r/0", "r/0"]
    assert cs.run(evaluates(), name="r") == ["r", "r"]


def test_each_item_of_a_mapping_is_one_anywhere():
    it = name_and_number
    assert names(cs.run(it.map([1, 2]), name="r")) == ["r/0", "r/1"]
    found = cs.run(_both(it.map([1, 2]), it.map([1, 2])), name="r")
    assert len(set(found)) == 4
    assert all(each.startswith("r/") for each in found)


@cs.task(mode="inline")
def _both(one, other):
    return [*names(one), *names(other)]


def test_each_has_random_numbers_of_its_own_by_run_and_place():
    targets = [name_and_number(), name_and_number(), name_and_number.map([1, 2])]
    one = cs.run(targets, name="r", seed=3)
    assert one == cs.run(targets, name="r", seed=3)
    numbers = [one[0][1], one[1][1], *(each[1] for each in one[2])]
    assert len(set(numbers)) == 4


def test_both_lamps_on_one_switch_hear_every_press():
    @cs.task(mode="inline")
    def lamp(count, heard=(), press=None):
        heard = heard if press is None else (*heard, press)
        return (
            heard if len(heard) == count else lamp(count, heard, cs.recv("switch", buffered=True))
        )

    @cs.task(mode="inline")
    def finger(left, _wait=None, _sent=None):
        return finger(left - 1, cs.wait(1), cs.send("switch", left)) if left else None

    connector = cs.LocalBusConnector(cs.LocalBroker())
    (simulation,) = cs.simulate({"all": [lamp(3), lamp(3), finger(3)]}, connector=connector).results
    assert simulation == [(3, 2, 1), (3, 2, 1), None]


@pytest.mark.parametrize("depth", [300])
def test_agents_may_begin_agents_however_deep(depth):
    @cs.task(mode="inline")
    def nest(n):
        return [nest(n - 1)] if n else "bottom"

    value = cs.run(nest(depth))
    for _ in range(depth):
        (value,) = value
    assert value == "bottom"
