"""Calls are found in containers, as arguments and where a task returns them; what is shared stays shared."""

from collections import OrderedDict, defaultdict, deque
from dataclasses import dataclass
from typing import Any, NamedTuple

import attrs
import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cascade as cs
from cascade.interfaces.errors import LazyUseError


@cs.task
async def one():
    return 1


class Kept:
    """What a task was given, as something that is not searched for calls."""

    def __init__(self, values):
        self.values = values


@cs.task(mode="inline")
def keep(*values):
    return Kept(values)


@cs.task(mode="inline")
def give(value):
    """Return what was quoted, as it is: a container with calls, where the test made one."""
    return value


class Pair(NamedTuple):
    left: Any
    right: Any


@dataclass(frozen=True)
class Frozen:
    x: Any


@attrs.frozen
class Attrs:
    x: Any


class Model(pydantic.BaseModel, frozen=True, arbitrary_types_allowed=True):
    x: Any


class Struct(msgspec.Struct, frozen=True):
    x: Any


class Names(list):
    pass


KINDS = [
    (lambda x: [x], lambda c: c[0]),
    (lambda x: (x,), lambda c: c[0]),
    (lambda x: Pair(0, x), lambda c: c.right),
    (lambda x: deque([x], maxlen=3), lambda c: c[0]),
    (lambda x: {"a": x}, lambda c: c["a"]),
    (lambda x: OrderedDict(a=x), lambda c: c["a"]),
    (lambda x: defaultdict(int, a=x), lambda c: c["a"]),
    (lambda x: Names([x]), lambda c: c[0]),
    (Frozen, lambda c: c.x),
    (Attrs, lambda c: c.x),
    (lambda x: Model(x=x), lambda c: c.x),
    (Struct, lambda c: c.x),
]


async def arrived(engine, *arguments):
    return (await engine.run(keep(*arguments))).values


async def test_a_call_is_found_in_every_kind_of_container(engine):
    for make, look in KINDS:
        given = make(one())
        for argument in (given, [given], {"deep": (given,)}):
            (value,) = await arrived(engine, argument)
            if argument is not given:
                value = value[0] if isinstance(value, list) else value["deep"][0]
            assert type(value) is type(given)
            assert look(value) == 1, type(given)
        assert isinstance(look(given), cs.LazyResult), (
            "the container that was given is left as it is"
        )


async def test_a_container_without_calls_arrives_itself(engine):
    for make, _ in KINDS:
        plain, beside = make(7), [make([7])]
        values = await arrived(engine, plain, [plain, one()], beside)
        assert values[0] is plain
        assert values[1][0] is plain
        assert values[2] is beside


async def test_what_arguments_share_they_share_afterwards(engine):
    shared = [one()]
    first, second, third = await arrived(engine, shared, {"again": shared}, (shared, shared))
    assert first == [1]
    assert second["again"] is first
    assert third[0] is third[1] is first


async def test_containers_may_hold_themselves(engine):
    ring = [one()]
    ring += [ring, {"back": (ring,)}, Frozen(ring)]
    (value,) = await arrived(engine, ring)
    assert value[0] == 1
    assert value[1] is value[2]["back"][0] is value[3].x is value
    plain = []
    plain.append(plain)
    assert (await arrived(engine, plain))[0] is plain


async def test_depth_meets_no_limit(engine):
    deep = [one()]
    for _ in range(20_000):
        deep = (deep,) if len(deep) % 2 else [deep]
    (value,) = await arrived(engine, deep)
    for _ in range(20_000):
        (value,) = value
    assert value == [1]


async def test_a_call_in_a_set_or_as_a_key_is_refused(engine):
    wrong = [{one()}, frozenset([one()]), {one(): 1}, [{(1, one())}], ({"a": {one(): 1}},)]
    for container in wrong:
        with pytest.raises(LazyUseError, match="put into a set or used as a key"):
            await engine.run(keep(container))
        with pytest.raises(LazyUseError, match="put into a set or used as a key"):
            await engine.run(give(cs.quote([container])))
    assert (await arrived(engine, {cs.quote(1): 2}, {1, "a"}))[1] == {1, "a"}


def test_a_call_formatted_into_text_is_refused():
    with pytest.raises(LazyUseError, match="formatted into text"):
        f"the value is {one()}"
    assert f"{one()!r}" == "one()"


# --- returned -------------------------------------------------------------------------------------


async def test_calls_in_a_returned_container_are_evaluated(engine):
    for make, look in KINDS:
        inside = make(one())
        if isinstance(inside, (list, tuple, dict, Frozen)):
            assert look(await engine.run(give(cs.quote(inside)))) == 1
            assert await engine.run(keep(give(cs.quote([inside])))) is not None
        else:  # no more than the built-in containers and dataclasses
            assert await engine.run(give(cs.quote(inside))) is inside


async def test_returned_calls_are_evaluated_wherever_the_task_stands(engine):
    returned = give(cs.quote([one(), {"a": (one(), 2)}]))
    assert await engine.run(returned) == [1, {"a": (1, 2)}]
    assert await engine.run([returned, one()]) == [[1, {"a": (1, 2)}], 1]
    assert (await arrived(engine, returned, one()))[0] == [1, {"a": (1, 2)}]
    assert (await arrived(engine, returned))[0] == [1, {"a": (1, 2)}]


async def test_a_call_in_a_returned_container_may_return_another_container(engine):
    @cs.task
    async def tree(depth):
        return [tree(depth - 1), depth] if depth else one()

    assert await engine.run(tree(3)) == [[[1, 1], 2], 3]


async def test_what_a_signal_brings_is_data_and_not_evaluated(engine):
    @cs.task
    async def hear(signals):
        return Kept(signals)

    @cs.task
    async def say(payload):
        return cs.send("a", cs.quote(payload))

    payload = {"call": one()}
    heard, _ = await engine.run([hear(cs.recv("a")), say(cs.quote(payload))], listen=["a"])
    assert heard.values is payload


# --- the obvious way ------------------------------------------------------------------------------


@st.composite
def structures(draw):
    """Draw a structure in which containers and calls are shared."""
    made: list[Any] = [1, "a", None, one(), one()]
    for _ in range(draw(st.integers(1, 12))):
        parts = draw(st.lists(st.sampled_from(range(len(made))), max_size=4))
        inside = [made[place] for place in parts]
        kind = draw(st.sampled_from(["list", "tuple", "dict", "deque", "frozen", "pair"]))
        made.append(
            {
                "list": lambda inside=inside: list(inside),
                "tuple": lambda inside=inside: tuple(inside),
                "dict": lambda inside=inside: dict(enumerate(inside)),
                "deque": lambda inside=inside: deque(inside),
                "frozen": lambda inside=inside: Frozen(inside),
                "pair": lambda inside=inside: Pair(tuple(inside), inside),
            }[kind]()
        )
    return made[-3:]


def replaced(value, values):
    """Say in the plainest way what has to arrive."""
    match value:
        case cs.LazyResult():
            return values[id(value)]
        case Pair(left, right):
            return Pair(replaced(left, values), replaced(right, values))
        case list() | tuple() | deque():
            return type(value)([replaced(part, values) for part in value])
        case dict():
            return {key: replaced(part, values) for key, part in value.items()}
        case Frozen(x):
            return Frozen(replaced(x, values))
    return value


def calls_in(value):
    match value:
        case cs.LazyResult():
            yield value
        case list() | tuple() | deque():
            for part in value:
                yield from calls_in(part)
        case dict():
            yield from calls_in(list(value.values()))
        case Frozen(x):
            yield from calls_in(x)


@given(structures())
def test_any_structure_arrives_as_the_plainest_replacement_says(structure):
    count = iter(range(1_000_000))

    @cs.task(mode="inline")
    def numbered():
        return next(count)

    calls = {id(call): call for call in calls_in(structure)}
    for call in calls.values():
        call.task = numbered
    value = cs.run(keep(*structure)).values
    found = {}
    for before, after in zip(structure, value, strict=True):
        _pair_up(before, after, found)
    assert sorted(found.values()) == list(range(len(calls))), "each call was evaluated once"
    assert list(value) == [replaced(part, found) for part in structure]


def _pair_up(before, after, found):
    """Note which value stands where a call stood."""
    match before:
        case cs.LazyResult():
            assert found.setdefault(id(before), after) == after
        case list() | tuple() | deque():
            for old, new in zip(before, after, strict=True):
                _pair_up(old, new, found)
        case dict():
            for key, old in before.items():
                _pair_up(old, after[key], found)
        case Frozen(x):
            _pair_up(x, after.x, found)
