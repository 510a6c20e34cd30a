"""In every mode a function sees its caller's context, and what it returns is awaited where it can be."""

import asyncio
import functools
from contextvars import ContextVar

import pytest

import cascade as cs

request = ContextVar("request", default="unset")


def logged(function):
    """Wrap a function as decorators do that know nothing of async."""

    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    del wrapper.__wrapped__
    return wrapper


async def later(x):
    await asyncio.sleep(0)
    return x + 1


async def test_a_plain_function_sees_the_context_of_its_caller(engine):
    @cs.task
    def in_a_thread():
        seen = request.get()
        request.set("changed")
        return seen

    @cs.task(mode="inline")
    def inline():
        return request.get()

    request.set("r-7")
    assert await engine.run([in_a_thread(), inline()]) == ["r-7", "r-7"]
    assert await engine.run(in_a_thread()) == "r-7"
    assert request.get() == "r-7", "a thread works in a copy"


async def test_what_a_wrapped_async_function_returns_is_awaited(engine):
    for mode in ("thread", "inline"):
        task = cs.Task(logged(later), name="later", mode=mode)
        assert await engine.run(task(1)) == 2
        assert await engine.run([task(1), task(2)]) == [2, 3]
        assert await engine.run(task(task(1))) == 3


async def test_any_awaitable_is_awaited(engine):
    @cs.task(mode="inline")
    def future():
        made = asyncio.get_running_loop().create_future()
        made.get_loop().call_soon(made.set_result, "done")
        return made

    assert await engine.run(future()) == "done"
    assert await engine.run([future(), future()]) == ["done", "done"]


@cs.task(mode="process")
@logged
async def in_a_process(x):
    await asyncio.sleep(0)
    return x + 1


@pytest.mark.slow
def test_a_wrapped_async_function_is_awaited_in_a_process():
    assert cs.run(in_a_process(1)) == 2


async def test_a_thread_that_raises_stop_iteration_ends_in_a_clear_error(engine):
    @cs.task
    def nothing_left():
        return next(iter([]))

    with pytest.raises(RuntimeError, match="nothing_left raised StopIteration"):
        async with asyncio.timeout(30):
            await engine.run(nothing_left())
