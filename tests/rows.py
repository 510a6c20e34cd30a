"""A table in one test: every row is tried, and a failure tells of each row that is wrong.

For data. What is a behaviour of its own is a test of its own, by name or by `parametrize`.
"""

import functools
import inspect
from contextlib import contextmanager

import pytest


def each_row(names, rows):
    """Try a test on each row, given to the arguments of these names, and raise all that went wrong.

    Fixtures are made once for all rows. Tables may be stacked; then each row of one meets each of
    the other.
    """
    single = isinstance(names, str)
    table = [
        dict(zip([names] if single else names, [row] if single else row, strict=True))
        for row in rows
    ]
    if not table:
        raise ValueError("a table without a row tests nothing")

    def decorate(test):
        signature = inspect.signature(test)
        if inspect.iscoroutinefunction(test):

            async def every(**fixtures):
                with _collected() as wrong:
                    for row in table:
                        with _noted(row, wrong):
                            await test(**fixtures, **row)
        else:

            def every(**fixtures):
                with _collected() as wrong:
                    for row in table:
                        with _noted(row, wrong):
                            test(**fixtures, **row)

        asked = [each for name, each in signature.parameters.items() if name not in table[0]]
        every = functools.wraps(test)(every)
        every.__signature__ = signature.replace(parameters=asked)
        return every

    return decorate


@contextmanager
def _collected():
    wrong = []
    yield wrong
    if wrong:
        raise BaseExceptionGroup("rows that are wrong", wrong)


@contextmanager
def _noted(row, wrong):
    try:
        yield
    except (Exception, pytest.fail.Exception) as error:
        error.add_note(
            f"in the row {', '.join(f'{name}={value!r}' for name, value in row.items())}"
        )
        wrong.append(error)
