"""Engine contract, "Graphs": lazies inside containers, shared lazies, depth, cost."""

import asyncio
import weakref
from dataclasses import dataclass
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cascade as cs
from cascade.interfaces.errors import CyclicGraphError, InvalidTaskError
from rows import each_row


@cs.task(mode="inline")
def same(x):
    return x


@cs.task(mode="inline")
def add(*numbers):
    return sum(numbers)


@dataclass(frozen=True)
class Point:
    x: object
    y: object = 0


class Pair(NamedTuple):
    left: object
    right: object


@each_row(
    ("holder", "expected"),
    [
        (lambda one: [one, 2], [1, 2]),
        (lambda one: (one, [one]), (1, [1])),
        (lambda one: {"a": one, "b": {"c": one}}, {"a": 1, "b": {"c": 1}}),
        (lambda one: Point(one, Point(2, one)), Point(1, Point(2, 1))),
        (lambda one: Pair(one, one), Pair(1, 1)),
    ],
)
async def test_lazies_inside_containers_are_run(holder, expected):
    assert await cs.run_async(same(holder(same(1)))) == expected


async def test_lazies_are_found_in_keyword_arguments():
    @cs.task(mode="inline")
    def minus(a, *, b):
        return a - b

    assert await cs.run_async(minus(same(5), b=same(3))) == 2


async def test_arguments_without_lazies_are_passed_as_they_are():
    held = Point([1], {"k": 2})
    got = await cs.run_async(cs.Task(lambda point, _: point, mode="inline")(held, same(1)))
    assert got is held


async def test_the_same_lazy_used_twice_runs_once():
    calls = []

    @cs.task(mode="inline")
    def once():
        calls.append(1)
        return 3

    lazy = once()
    assert await cs.run_async(add(lazy, lazy, add(lazy, 1))) == 10
    assert calls == [1]


async def test_a_returned_call_is_a_graph_of_its_own_and_evaluated_afresh():
    calls = []

    @cs.task
    async def once():
        calls.append(1)
        return 3

    shared = once()

    @cs.task(mode="inline")
    def uses_it_later():
        return add(shared, 1)

    assert await cs.run_async(add(shared, uses_it_later())) == 7
    assert calls == [1, 1]
    assert await cs.run_async(uses_it_later()) == 4
    assert calls == [1, 1, 1]


BRANCHES = {
    "routed": lambda kind: cs.route(kind, {3: same(kind)}),
    "routed, beside another": lambda kind: [cs.route(kind, {3: same(kind)}), same(0)],
    "routed, and used": lambda kind: [cs.route(kind, {3: same(kind)}), kind],
    "routed to itself": lambda kind: [cs.route(kind, {3: kind}), kind],
    "routed in a branch": lambda kind: cs.route(kind, {3: cs.route(same(kind), {3: [kind]})}),
    "routed twice to one call": lambda kind: _routed_twice(kind, same(kind)),
    "conditional": lambda kind: same.run_if(kind)(kind),
    "conditional, twice": lambda kind: [same.run_if(same(i))(kind) for i in (1, 2)],
    "mapped in a branch": lambda kind: cs.route(kind, {3: same.map(x=[kind, kind])}),
}


def _routed_twice(kind, branch):
    return [cs.route(kind, {3: branch}), cs.route(same(kind), {3: branch}), branch]


@pytest.mark.parametrize("make", BRANCHES.values(), ids=BRANCHES)
async def test_a_call_that_stands_in_a_branch_too_is_evaluated_once(make):
    calls = []

    @cs.task
    async def once():
        calls.append(1)
        return 3

    await cs.run_async(make(once()))

    assert calls == [1]


async def test_a_branch_that_returns_a_call_passes_its_value_to_all_who_chose_it():
    @cs.task
    async def returns_a_call(n):
        await asyncio.sleep(0)
        return add(n, 1)

    branch = returns_a_call(3)
    chosen = [cs.route(same(i), {i: branch}) for i in range(3)]

    assert await cs.run_async([*chosen, add(chosen[0], branch)]) == [4, 4, 4, 8]


@pytest.mark.parametrize("chosen", [False, True])
async def test_a_value_is_let_go_when_no_call_can_take_it_any_more(chosen):
    alive = weakref.WeakSet()
    most = 0

    class Big:
        def __init__(self):
            alive.add(self)

    @cs.task(mode="inline")
    def step(_before):
        nonlocal most
        big = Big()
        most = max(most, len(alive))
        return big

    @cs.task(mode="inline")
    def end(_last):
        return len(alive)

    value = step(None)
    for _ in range(100):
        value = cs.route(same(1), {1: step(value)}) if chosen else step(value)

    left, _ = await cs.run_async([end(value), same(0)])
    assert left <= 2
    assert most <= 3


async def test_a_call_may_return_a_lazy_that_waits_already():
    slow = cs.wait(0.01)

    @cs.task(mode="inline")
    def points_at_it():
        return slow

    assert await cs.run_async([slow, points_at_it(), points_at_it()]) == [None, None, None]


@pytest.mark.parametrize("mode", ["inline", "async"])
async def test_a_chain_20000_deep_runs_at_the_default_recursion_limit(mode):
    async def plus_one(x):
        return x + 1

    step = cs.Task((lambda x: x + 1) if mode == "inline" else plus_one, mode=mode)
    lazy = step(0)
    for _ in range(20_000):
        lazy = step(lazy)
    assert await cs.run_async(lazy) == 20_001


async def test_a_list_or_tuple_of_lazies_is_a_target():
    assert await cs.run_async([same(1), 2, same(3)]) == [1, 2, 3]
    assert await cs.run_async((same(1), [same(2)])) == (1, [2])


@each_row("target", [lambda lazy: lazy, lambda lazy: same([lazy, same(1)])])
async def test_a_lazy_that_needs_itself_is_a_cyclic_graph_and_nothing_runs(target):
    ran = []
    holder = []

    @cs.task(mode="inline")
    def first(_):
        ran.append(1)

    @cs.task(mode="inline")
    def second(_):
        ran.append(2)

    lazy = first(second(holder))
    holder.append(lazy)
    with pytest.raises(
        CyclicGraphError, match=r"first -> second -> first|second -> first -> second"
    ):
        await cs.run_async(target(lazy))
    assert ran == []


async def test_a_line_of_calls_branches_and_joins_again():
    @cs.task
    async def spread(n):
        return add(same(n), same(n), same(same(n)))

    assert await cs.run_async(same(spread(same(spread(same(1)))))) == 9


async def test_a_cycle_that_arises_on_the_way_is_found():
    @cs.task(mode="inline")
    def one():
        return add(two, 1)

    lazy_one = one()
    two = add(lazy_one, 1)
    with pytest.raises(CyclicGraphError):
        await cs.run_async(add(two, 1))


@cs.task
async def async_add(*numbers):
    await asyncio.sleep(0)
    return sum(numbers)


_trees = st.recursive(st.integers(-5, 5), lambda inner: st.lists(inner, max_size=4), max_leaves=25)


def _lazy_of(tree, task):
    return tree if isinstance(tree, int) else task(*[_lazy_of(each, task) for each in tree])


def _sum_of(tree):
    return tree if isinstance(tree, int) else sum(map(_sum_of, tree))


@given(tree=st.lists(_trees, max_size=4), task=st.sampled_from([add, async_add]))
def test_any_tree_of_calls_has_the_value_of_plain_calls(tree, task):
    assert cs.run(_lazy_of(tree, task)) == _sum_of(tree)


async def test_a_map_runs_one_call_per_item_in_order():
    assert await cs.run_async(add.map([1, 2, 3], [10, 20, 30])) == [11, 22, 33]
    assert await cs.run_async(add.map([])) == []


async def test_a_map_takes_lazies_as_iterables_and_as_items():
    assert await cs.run_async(add.map(same([1, 2]), [same(10), 20])) == [11, 22]


async def test_a_map_has_fixed_arguments_beside_the_mapped_ones():
    @cs.task(mode="inline")
    def scaled(x, *, by):
        return x * by

    assert await cs.run_async(scaled.map([1, 2, 3], by=same(10))) == [10, 20, 30]


async def test_a_map_over_a_task_with_an_injected_resource():
    opened = []

    @cs.resource
    def base():
        opened.append(1)
        yield 100

    @cs.task(mode="inline")
    def above(x, base=cs.inject("base")):
        return base + x

    engine = cs.Engine()
    engine.register(base)
    assert await engine.run(above.map([1, 2, 3])) == [101, 102, 103]
    assert opened == [1]


async def test_maps_of_unequal_length_say_so():
    with pytest.raises(InvalidTaskError, match=r"add\.map.*argument 1 has 2, argument 2 has 1"):
        await cs.run_async(add.map([1, 2], [1]))


async def test_a_route_runs_only_the_branch_that_the_selector_names():
    ran = []

    @cs.task(mode="inline")
    def branch(name):
        ran.append(name)
        return name

    assert (
        await cs.run_async(cs.route(same("b"), {"a": branch("a"), "b": branch("b"), "c": 3})) == "b"
    )
    assert await cs.run_async(cs.route("c", {"a": branch("a"), "c": 3})) == 3
    assert ran == ["b"]


async def test_a_route_without_a_branch_names_the_near_one():
    with pytest.raises(TypeError, match="no route for 'lef'.*Did you mean 'left'"):
        await cs.run_async(cs.route(same("lef"), {"left": 1, "right": 2}))


@each_row(("condition", "expected"), [(True, "ran"), (0, None), (same([]), None), (same(1), "ran")])
async def test_run_if_runs_the_call_only_where_the_condition_holds(condition, expected):
    needed = []

    @cs.task(mode="inline")
    def argument():
        needed.append(1)
        return "ran"

    assert await cs.run_async(same.run_if(condition)(argument())) == expected
    assert bool(needed) is (expected is not None)


async def test_a_condition_keeps_the_policies_given_after_it():
    tries = []

    @cs.task
    async def flaky():
        tries.append(1)
        if len(tries) < 3:
            raise OSError("again")
        return "ok"

    assert await cs.run_async(flaky.run_if(same(True)).with_retry(3)()) == "ok"


async def test_parameters_come_from_the_run_or_their_default():
    assert await cs.run_async(add(cs.param("a"), cs.param("b", 5)), {"a": 1}) == 6


async def test_a_task_as_target_is_called_with_the_parameters():
    @cs.task(mode="inline")
    def greet(name, mark="!"):
        return name + mark

    assert await cs.run_async(greet, {"name": "you"}) == "you!"
