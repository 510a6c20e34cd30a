"""`cs.quote` hands a value over as it is."""

import pytest

import cascade as cs


@cs.task
async def one():
    return 1


@cs.task(mode="inline")
def given(*values, **named):
    return (*values, *named.values())


CALLS = [one(), {"a": one()}]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (given(cs.quote(CALLS)), (CALLS,)),
        (given(cs.quote(CALLS), 2), (CALLS, 2)),
        (given(one(), cs.quote(CALLS)), (1, CALLS)),
        (given([cs.quote(CALLS), one()], here=cs.quote(None)), ([CALLS, 1], None)),
        (given(here=cs.quote(CALLS)), (CALLS,)),
        (given([cs.quote(7)]), ([7],)),
        (given(cs.quote(1), given(cs.quote(2))), (1, (2,))),
    ],
)
async def test_a_quoted_value_arrives_as_it_is_wherever_it_stands(engine, call, expected):
    value = await engine.run(call)
    assert repr(value) == repr(expected)  # calls may not be compared


async def test_the_quoted_object_itself_arrives(engine):
    (value,) = await engine.run(given(cs.quote(CALLS)))
    assert value is CALLS


async def test_a_quoted_call_may_be_returned_and_then_is_evaluated(engine):
    @cs.task(mode="inline")
    def later(call):
        assert isinstance(call, cs.LazyResult)
        return call

    assert await engine.run(later(cs.quote(one()))) == 1


async def test_a_container_that_holds_itself_may_be_quoted(engine):
    endless = []
    endless.append(endless)
    (value,) = await engine.run(given(cs.quote(endless)))
    assert value is endless


def test_a_quoted_value_is_not_shown_with_its_call():
    assert repr(given(cs.quote([1]), 2)) == "given(…, 2)"
