"""`cs.quote` hands a value over as it is."""

import cascade as cs
from rows import each_row


@cs.task
async def one():
    return 1


class Given:
    """What a task was given, as something that is not searched for calls."""

    def __init__(self, *values):
        self.values = values

    def __eq__(self, other):
        return repr(self.values) == repr(other.values)  # calls may not be compared

    __hash__ = None


@cs.task(mode="inline")
def given(*values, **named):
    return Given(*values, *named.values())


CALLS = [one(), {"a": one()}]


@each_row(
    ("call", "expected"),
    [
        (given(cs.quote(CALLS)), Given(CALLS)),
        (given(cs.quote(CALLS), 2), Given(CALLS, 2)),
        (given(one(), cs.quote(CALLS)), Given(1, CALLS)),
        (given([cs.quote(CALLS), one()], here=cs.quote(None)), Given([CALLS, 1], None)),
        (given(here=cs.quote(CALLS)), Given(CALLS)),
        (given([cs.quote(7)]), Given([7])),
    ],
)
async def test_a_quoted_value_arrives_as_it_is_wherever_it_stands(engine, call, expected):
    assert await engine.run(call) == expected


async def test_the_quoted_object_itself_arrives(engine):
    assert (await engine.run(given(cs.quote(CALLS)))).values[0] is CALLS


async def test_a_quoted_call_may_be_returned_and_then_is_evaluated(engine):
    @cs.task(mode="inline")
    def later(call):
        assert isinstance(call, cs.LazyResult)
        return call

    assert await engine.run(later(cs.quote(one()))) == 1


async def test_a_container_that_holds_itself_may_be_quoted(engine):
    endless = []
    endless.append(endless)
    assert (await engine.run(given(cs.quote(endless)))).values[0] is endless


def test_a_quoted_value_is_not_shown_with_its_call():
    assert repr(given(cs.quote([1]), 2)) == "given(…, 2)"
