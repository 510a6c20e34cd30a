"""Random graphs against an obvious recursive evaluator: values, and how often each task runs."""

from __future__ import annotations

import asyncio

import pytest
from benchmarks.campaigns.expressions import NEEDS, Expression, FailedError, built, drawn, ran
from hypothesis import given, settings
from hypothesis import strategies as st

import cascade as cs
from runtime.oracle import Oracle


@st.composite
def expressions(draw):
    """Draw a call."""
    return drawn(lambda least, most: draw(st.integers(least, most)), NEEDS)


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
