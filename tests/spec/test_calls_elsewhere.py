"""Any call, read by another process from JSON or a pickle, comes to the value that it has here."""

import base64
import datetime as dt
import json
import os
import pickle
import subprocess
import sys
from collections import deque
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cascade as cs
from cascade.spec.codec.comparing import compare
from spec import elsewhere, shapes
from spec.elsewhere import note
from spec.shapes import Box, Colour, Job, Lamp, Order, Point, anything, several, sum_of, typed

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def other():
    """Return a function that has another process read and evaluate a call, in both forms."""
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(TESTS)}
    with subprocess.Popen(
        [sys.executable, "-m", "spec.elsewhere"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as process:

        def values(call):
            process.stdin.write(json.dumps(elsewhere.written(call)) + "\n")
            process.stdin.flush()
            return pickle.loads(base64.b64decode(process.stdout.readline()))

        yield values
        process.stdin.close()


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)
JOBS = st.builds(
    Job, st.text(max_size=3), st.integers() | st.floats(), st.lists(st.text(max_size=2))
)
TYPED = st.one_of(
    st.builds(typed(Job), JOBS | st.builds(Job, st.just("a"), inner=JOBS)),
    st.builds(
        typed(dt.datetime),
        st.datetimes(timezones=st.sampled_from([None, dt.UTC])).map(lambda it: it.replace(fold=0)),
    ),
    st.builds(typed(dt.date), st.dates()),
    st.builds(typed(bytes), st.binary(max_size=5)),
    st.builds(typed(shapes.Decimal), st.decimals(allow_nan=False)),
    st.builds(typed(Colour), st.sampled_from(Colour)),
    st.builds(typed(Order), st.builds(Order, st.integers(), st.dates())),
    st.builds(typed(Point), st.builds(Point, st.integers(), st.floats())),
    st.builds(typed(dict[int, str]), st.dictionaries(st.integers(), st.text(max_size=2))),
    st.builds(typed(set[int]), st.sets(st.integers())),
    st.builds(typed(frozenset[str]), st.frozensets(st.text(max_size=2))),
    st.builds(typed(tuple[int, ...]), st.lists(st.integers()).map(tuple)),
    st.builds(typed(deque[int]), st.lists(st.integers()).map(deque)),
)
STEERING = st.one_of(
    st.builds(cs.param, st.just("speed")),
    st.builds(cs.param, st.just("missing"), PLAIN),
    st.builds(cs.wait, st.sampled_from([0, 0.0])),
    st.builds(cs.send, st.just("a/b"), PLAIN),
    st.builds(lambda default: cs.recv(["a/b", "c"], 0, default=default), PLAIN),
    st.builds(lambda default: cs.recv("c", timeout=0, default=default, buffered=True), PLAIN),
)
NUMBERS = st.integers(-3, 3)


def with_policies(draw_from):
    return st.sampled_from(
        [
            draw_from,
            draw_from.with_retry(2, on=(KeyError,)),
            draw_from.with_timeout(60),
            draw_from.with_retry(3).with_timeout(60),
        ]
    )


NOTE = with_policies(note)


def wider(inner):
    """Return calls that need others."""
    return st.one_of(
        st.builds(lambda one, x: one(x), NOTE, inner),
        st.builds(lambda one, x: one(x=[x, {"a": x}]), NOTE, inner),  # a shared call
        st.builds(lambda x, y: note([x, {"a": y, "b": [x]}]), inner, inner),
        st.builds(lambda x, y: typed(tuple)((x, [y], y)), inner, inner),
        st.builds(lambda x, y: typed(deque[int])(deque([x, y])), inner, inner),
        st.builds(lambda x, y: typed(Box)(Box(x, {"a": y})), inner, inner),
        st.builds(lambda x, y: typed(Point)(Point(x, y)), inner, inner),
        st.builds(lambda x: note(cs.quote(x)), inner),
        st.builds(lambda x: anything(cs.quote([1, {"a": 2}])), inner),
        st.builds(lambda condition, x: note.run_if(condition)(x), NUMBERS.map(note), inner),
        st.builds(
            lambda key, x, y: cs.route(key, {True: x, 2: y, None: note(y), "a": 1}),
            st.sampled_from([True, 2, None, "a"]).map(note) | st.sampled_from([True, 2]),
            inner,
            inner,
        ),
        st.builds(lambda one, items: one.map(items), NOTE, st.lists(inner, max_size=3)),
        st.builds(lambda x, y: note.run_if(x).map([y, 1]), NUMBERS.map(note), inner),
        st.builds(lambda x: note(x=note.map([x, x])), inner),
        st.builds(lambda x: cs.retry(note(x), 3, on=(KeyError,)), inner),
        st.builds(lambda x: cs.timeout(cs.after(note(x), note(1)), 60), inner),
        st.builds(lambda x, y: cs.catch(note([x]), KeyError, use=note(y)), inner, inner),
        st.builds(lambda x, y: cs.settle((note(x), note(y), 1)), inner, inner),
        st.builds(lambda x, y: cs.settle({"a": note(x), "b": note(y)}), inner, inner),
        st.builds(lambda items: cs.settle(note.map(items)), st.lists(inner, max_size=3)),
    )


SUMS = st.one_of(
    st.builds(lambda a, b: sum_of(note(a), scale=b), NUMBERS, NUMBERS),
    st.builds(lambda a, b: sum_of.map([a, note(b)], scale=cs.fixed(2)), NUMBERS, NUMBERS),
    st.builds(lambda a, b: sum_of.map(a=[a], b=[b], scale=cs.fixed(note(a))), NUMBERS, NUMBERS),
    st.builds(lambda a: Lamp("ab").lit(note(a)), NUMBERS),
    st.builds(lambda a: Lamp("ab").lit.map([a, note(a)]), NUMBERS),
    st.builds(lambda a, b: several(a, note(b), c="d"), NUMBERS, NUMBERS),
    st.builds(lambda a: shapes.through(a, thing=cs.inject(shapes.door)), NUMBERS),
    st.builds(
        lambda c: cs.route(shapes.pick(c), {Colour.RED: 1, Colour.BLUE: note(2)}), st.just("red")
    ),
)
CALLS = st.recursive(PLAIN.map(note) | TYPED | STEERING | SUMS, wider, max_leaves=6)


@pytest.mark.slow
@settings(max_examples=300)
@given(call=CALLS)
async def test_a_call_comes_to_the_same_value_in_another_process(other, call):
    here = await elsewhere.value_of(call)
    there = other(call)
    assert there.keys() == {"pickle", "json"}
    for value, runs in there.values():
        compare(here[0], value)
        assert runs == here[1], "a shared call stays one"


async def test_a_shared_call_is_run_once_in_another_process(other):
    shared = note(1)
    call = note([shared, {"a": shared}, typed(Box)(Box(shared))])
    for value, runs in other(call).values():
        assert value == [1, {"a": 1}, Box(1)]
        assert runs == 2
