"""Random graphs against an obvious recursive evaluator: values, and how often each task runs."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cascade as cs
from runtime.oracle import Expression, FailedError, Oracle, built, ran

NEEDS = {
    "plain": (0, 3),
    "patient": (0, 2),
    "containers": (1, 2),
    "fails": (0, 1),
    "flaky": (0, 2),
    "returns": (1, 1),
    "evaluates": (1, 1),
    "route": (3, 3),
    "run_if": (2, 2),
    "map": (1, 3),
    "retry": (1, 1),
    "catch": (2, 2),
    "settle": (1, 3),
    "timeout": (1, 1),
    "after": (1, 3),
}


@st.composite
def expressions(draw):
    """Draw a call; what it needs is chosen among the calls made before, so that many are shared."""
    names = count()
    made = [Expression("plain", name=f"leaf{next(names)}")]
    for _ in range(draw(st.integers(1, 10))):
        kind = draw(st.sampled_from(sorted(NEEDS)))
        least, most = NEEDS[kind]
        recent = st.integers(max(0, len(made) - 4), len(made) - 1)
        needs = draw(st.lists(recent, min_size=least, max_size=most))
        number = draw(st.integers(1, 3))
        made.append(
            Expression(kind, tuple(made[each] for each in needs), number, f"t{next(names)}")
        )
    return made[-1]


async def evaluated(engine, call):
    try:
        return await engine.run(call)
    except FailedError:
        return "failed"


@settings(max_examples=300, deadline=None)
@given(expressions())
def test_the_engine_does_what_is_obvious(root):
    oracle = Oracle()
    try:
        expected = oracle.graph(root)
    except FailedError:
        expected = "failed"
    ran.clear()
    value = asyncio.run(evaluated(cs.Engine(), built(root)))
    assert value == expected
    if not oracle.failures:
        assert ran == oracle.runs
    assert (
        not ran - oracle.runs
    )  # what fails may keep others from running, but none runs more often


@pytest.mark.parametrize("kind", sorted(NEEDS))
def test_every_kind_is_evaluated_alike(kind):
    leaf = Expression("plain", name="leaf")
    root = Expression(
        "plain", (Expression(kind, (leaf,) * NEEDS[kind][1], 2, "it"), leaf), 0, "root"
    )
    oracle = Oracle()
    ran.clear()
    if kind in ("fails", "flaky"):
        with pytest.raises(FailedError):
            cs.run(built(root))
        return
    assert cs.run(built(root)) == oracle.graph(root)
    assert ran == oracle.runs
