"""A call shows what it stands for, and says so when it is taken for its value."""

import asyncio
import copy
import math
import operator
from dataclasses import dataclass

import pytest

from cascade.interfaces.errors import LazyUseError
from cascade.spec import LazyResult, task
from rows import each_row
from spec.tasks import double, fetch, total

# --- how it shows -------------------------------------------------------------------------------


@dataclass
class Box:
    content: object
    label: str = "box"


@each_row(
    ("lazy", "shown"),
    [
        (double(1), "double(1)"),
        (total([1, 2], scale=3), "total([1, 2], scale=3)"),
        (fetch(name="a"), "fetch(name='a')"),
        (double(double(double(1))), "double(double(double(1)))"),
        (double(double(double(double(1)))), "double(double(double(double(…))))"),
        (total([double(1), 2]), "total([double(1), 2])"),
        (total((double(1),)), "total((double(1),))"),
        (total({"a": double(1)}), "total({'a': double(1)})"),
        (total(Box(double(1))), "total(Box(content=double(1), label='box'))"),
        (total(Box), f"total({Box!r})"),
        (total([]), "total([])"),
        (total(()), "total(())"),
        (total(list(range(100))), "total([0, 1, 2, 3, 4, 5, 6, 7, …])"),
        (double.map([1, 2]), "double.map([1, 2])"),
        (total([double.map([1, 2])]), "total([double.map([1, 2])])"),
        (double.run_if(fetch("a"))(1), "run_if(fetch('a'), …)"),
    ],
)
def test_it_shows_the_call(lazy, shown):
    assert repr(lazy) == shown
    assert str(lazy) == shown


@each_row(
    "deeper",
    [
        double,
        lambda lazy: double(x=lazy),
        lambda lazy: total([lazy]),
        lambda lazy: total((lazy,)),
        lambda lazy: total({"a": lazy}),
        lambda lazy: total(Box(lazy)),
        lambda lazy: total(Box([{"a": (lazy,)}])),
        lambda lazy: double.map([lazy]),
    ],
)
def test_a_chain_of_any_depth_can_be_shown(deeper):
    lazy = double(1)
    for _ in range(20_000):
        lazy = deeper(lazy)
    assert len(repr(lazy)) < 400
    assert "…" in repr(lazy)


# --- what it refuses ----------------------------------------------------------------------------


async def await_it(lazy):
    return await lazy


async def async_for(lazy):
    async for _ in lazy:
        pass


async def async_with(lazy):
    async with lazy:
        pass


def loop_over(lazy):
    for _ in lazy:
        pass


def enter(lazy):
    with lazy:
        pass


def set_item(lazy):
    lazy[0] = 1


def delete_item(lazy):
    del lazy[0]


def unpack(lazy):
    _one, _two = lazy


BINARY = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.matmul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    divmod,
    operator.pow,
    operator.and_,
    operator.or_,
    operator.xor,
    operator.lshift,
    operator.rshift,
]
COMPARE = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]
UNARY = [operator.neg, operator.pos, operator.invert, abs, round, math.trunc, math.floor, math.ceil]
USES = {
    "used as a condition": [bool, operator.not_, lambda it: 1 if it else 2, lambda it: it and 1],
    "iterated": [iter, loop_over, list, unpack, lambda it: [*it], next, reversed, sum],
    "looked into": [len, lambda it: 1 in it, lambda it: it[0], set_item, delete_item],
    "compared": [lambda it, c=c: c(it, 1) for c in COMPARE],
    "called": [lambda it: it(), lambda it: it(1, x=2)],
    "entered as a context": [enter],
    "turned into a number": [int, float, complex, operator.index, range],
    "calculated with": [
        *UNARY,
        *(lambda it, o=o: o(it, 2) for o in BINARY),
        *(lambda it, o=o: o(2, it) for o in BINARY),
    ],
}


@each_row("lazy", [double(1), double.map([1])])
@each_row(("use", "way"), [(use, way) for use, ways in USES.items() for way in ways])
def test_every_use_as_a_value_is_an_error_that_says_what_to_do(lazy, use, way):
    with pytest.raises(LazyUseError) as caught:
        way(lazy)
    error = caught.value
    assert (error.call, error.use) == (repr(lazy), use)
    assert str(error).startswith(f"{lazy!r} is a call, not its value yet: it cannot be {use};")
    assert "cs.run" in str(error)


@each_row(
    ("way", "use"),
    [(await_it, "awaited"), (async_for, "iterated"), (async_with, "entered as a context")],
)
def test_asynchronous_uses_are_errors_too(way, use):
    with pytest.raises(LazyUseError, match=f"it cannot be {use}"):
        asyncio.run(way(double(1)))


def test_awaiting_it_tells_what_to_do_inside_a_task():
    with pytest.raises(
        LazyUseError,
        match=r"by returning it, by taking it as an argument, or with 'await cs\.evaluate\(call\)'",
    ):
        asyncio.run(await_it(double(1)))


def test_it_is_a_type_error():
    with pytest.raises(TypeError):
        bool(double(1))


@each_row("name", ["value", "result", "upper", "_private"])
def test_an_attribute_of_the_value_is_not_there_and_the_error_says_so(name):
    with pytest.raises(AttributeError) as caught:
        getattr(double(1), name)
    assert str(caught.value) == (
        f"double(1) is a call, and has no attribute {name!r}; evaluate it first"
    )


def test_an_unknown_dunder_fails_in_the_usual_way():
    assert not hasattr(double(1), "__array__")
    assert getattr(double(1), "__fspath__", None) is None


def test_nothing_can_be_set_on_it():
    with pytest.raises(AttributeError):
        double(1).value = 2


# --- what it allows -----------------------------------------------------------------------------


def test_it_is_hashed_by_identity():
    one, two = double(1), double(1)
    assert {one: 1, two: 2}[one] == 1
    assert hash(one) == object.__hash__(one)


def test_it_goes_into_collections_and_comes_out_as_itself():
    lazy = double(1)
    for collection in ([lazy], (lazy,), {"a": lazy}):
        found = collection["a"] if isinstance(collection, dict) else collection[0]
        assert found is lazy


def test_it_can_be_copied():
    lazy = total([double(1)], scale=2)
    twin = copy.copy(lazy)
    assert type(twin) is LazyResult
    assert (twin.task, twin.args, twin.kwargs) == (lazy.task, lazy.args, lazy.kwargs)


def test_a_lazy_of_a_task_that_is_renamed_shows_that_name():
    assert repr(task(name="twice")(double.function)(1)) == "twice(1)"
