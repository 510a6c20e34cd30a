"""Mapping by keyword, with arguments that stay the same, and over whatever can be gone through."""

import pytest

import cascade as cs
from cascade.interfaces.errors import InvalidTaskError


@cs.task(mode="inline")
def power(base, exponent=2):
    return base**exponent


@cs.task
async def numbers(count):
    return list(range(count))


async def test_keywords_are_mapped_where_nothing_is_given_by_position(engine):
    assert await engine.run(power.map(base=[2, 3], exponent=[3, 2])) == [8, 9]


async def test_a_fixed_keyword_is_the_same_in_every_call(engine):
    assert await engine.run(power.map(base=[2, 3], exponent=cs.fixed(3))) == [8, 27]


async def test_keywords_beside_positional_iterables_are_fixed_with_and_without_the_mark(engine):
    assert await engine.run(power.map([2, 3], exponent=3)) == [8, 27]
    assert await engine.run(power.map([2, 3], exponent=cs.fixed(3))) == [8, 27]


async def test_calls_may_be_columns_items_and_fixed_values(engine):
    call = power.map(base=numbers(3), exponent=cs.fixed(power(2, 1)))
    assert await engine.run(call) == [0, 1, 4]
    assert await engine.run(power.map(base=[power(2, 1), 3])) == [4, 9]


async def test_columns_of_different_lengths_are_named_with_the_task(engine):
    with pytest.raises(InvalidTaskError, match=r"power\.map\(\).*base has 3, exponent has 2"):
        await engine.run(power.map(base=numbers(3), exponent=[1, 2]))


async def test_a_mapping_over_an_iterator_may_be_run_again(engine):
    mapped = power.map(iter([1, 2, 3]))
    assert await engine.run(mapped) == [1, 4, 9]
    assert await engine.run(mapped) == [1, 4, 9]


def test_what_cannot_be_gone_through_is_refused_where_it_is_written():
    for write in (lambda: power.map(7), lambda: power.map(base=7)):
        with pytest.raises(InvalidTaskError, match=r"7 has none; cs\.fixed\(value\)"):
            write()
    with pytest.raises(InvalidTaskError, match="at least one iterable"):
        power.map(base=cs.fixed(7))


def test_a_mapping_by_keyword_shows_itself_as_it_was_written():
    assert repr(power.map(base=[1], exponent=cs.fixed(2))) == "power.map(base=[1], exponent=2)"
