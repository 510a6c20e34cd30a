"""A table tells of all its wrong rows, and takes fixtures as any test does."""

import asyncio
import inspect

import pytest

from rows import each_row


def notes(group):
    return [error.__notes__ for error in group.exceptions]


def test_each_row_of_a_table_meets_each_of_the_other_beside_the_fixtures():
    seen = []

    @each_row(("number", "word"), [(1, "one"), (2, "two")])
    @each_row("more", [True, False])
    def see(ten, number, word, more):
        seen.append((ten, number, word, more))

    assert [*inspect.signature(see).parameters] == ["ten"]  # that is what pytest brings
    see(ten=10)
    assert seen == [
        (10, 1, "one", True),
        (10, 1, "one", False),
        (10, 2, "two", True),
        (10, 2, "two", False),
    ]


def test_all_wrong_rows_are_told_and_the_others_tried():
    @each_row("number", [1, 2, 3, 4])
    def is_odd(number):
        if number == 4:
            with pytest.raises(ValueError, match="never"):
                pass
        assert number % 2

    with pytest.raises(BaseExceptionGroup) as caught:
        is_odd()
    assert notes(caught.value) == [["in the row number=2"], ["in the row number=4"]]
    assert caught.group_contains(AssertionError, match="assert")
    assert caught.group_contains(pytest.fail.Exception, match="DID NOT RAISE")


def test_a_test_that_waits_tells_of_all_its_wrong_rows_too():
    @each_row("number", [1, 2, 3])
    async def is_odd(number):
        await asyncio.sleep(0)
        assert number % 2

    with pytest.raises(BaseExceptionGroup) as caught:
        asyncio.run(is_odd())
    assert notes(caught.value) == [["in the row number=2"]]


def test_a_table_without_a_row_or_with_one_too_short_is_an_error():
    with pytest.raises(ValueError, match="without a row"):
        each_row("number", [])
    with pytest.raises(ValueError, match="zip"):
        each_row(("number", "word"), [(1,)])
