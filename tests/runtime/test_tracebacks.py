"""Tracebacks that reach people show their own code, and none of Cascade's."""

import asyncio
from dataclasses import dataclass
from traceback import walk_tb

import pytest

import cascade as cs
from cascade.interfaces.errors import InvalidTaskError
from cascade.interfaces.errors.frames import hide_own_frames, is_own
from rows import each_row


@dataclass(frozen=True)
class FrozenError(Exception):
    code: int


@cs.task
def divides(n):
    return 1 / n


@cs.task
async def evaluates(n):
    return await cs.evaluate([divides(n)])


@cs.task
async def explains():
    try:
        await cs.evaluate(evaluates(0))
    except ZeroDivisionError as error:
        raise LookupError("explained") from error


@cs.task
async def freezes():
    try:
        await cs.evaluate(evaluates(0))
    except ZeroDivisionError:
        raise FrozenError(3)  # noqa: B904 - its context is what is looked at


@cs.task
async def evaluates_a_number():
    return await cs.evaluate(1)


@cs.task
async def groups():
    failures = await cs.evaluate(cs.settle([evaluates(0), divides(0)]))
    raise ExceptionGroup("several", [ExceptionGroup("inner", failures)])


def frames(error):
    return [frame for frame, _ in walk_tb(error.__traceback__)]


def functions(error):
    return [frame.f_code.co_name for frame in frames(error)]


def own_frames(error):
    return [frame.f_code.co_name for frame in frames(error) if is_own(frame)]


def failure_of(run, target):
    """Return what running a target raises."""
    with pytest.raises(Exception) as caught:
        run(target)
    return caught.value


def on_an_engine(target):
    return asyncio.run(cs.Engine().run(target))


def on_an_engine_that_tells(target):
    engine = cs.Engine()
    engine.events.listen(lambda event: None)
    return asyncio.run(engine.run(target))


def asynchronously(target):
    return asyncio.run(cs.run_async(target))


RUNS = [cs.run, asynchronously, on_an_engine, on_an_engine_that_tells, cs.simulate]


@each_row("run", RUNS)
@each_row("target", [divides(0), evaluates(0), cs.retry(divides(0), 2), [divides(0), evaluates(0)]])
def test_a_failure_shows_tasks_and_callers_and_not_the_engine(run, target):
    error = failure_of(run, target)
    assert functions(error)[-1] == "divides"
    assert own_frames(error) == []


@each_row("run", RUNS)
def test_causes_are_cleared_too(run):
    error = failure_of(run, explains())
    assert functions(error)[-1] == "explains"
    assert functions(error.__cause__)[0] == "explains"
    assert functions(error.__cause__)[-1] == "divides"
    assert own_frames(error) + own_frames(error.__cause__) == []


@each_row("run", RUNS)
def test_so_are_contexts_also_of_exceptions_that_are_frozen(run):
    error = failure_of(run, freezes())
    assert isinstance(error, FrozenError)
    assert "evaluates" in functions(error.__context__)
    assert own_frames(error) + own_frames(error.__context__) == []


@each_row("run", RUNS)
def test_so_are_the_parts_of_a_group(run):
    error = failure_of(run, groups())
    first, second = error.exceptions[0].exceptions
    assert own_frames(error) + own_frames(first) + own_frames(second) == []
    assert functions(second)[-1] == "divides"


@each_row("run", RUNS)
def test_what_cascade_raises_in_a_task_ends_at_the_line_of_the_task(run):
    error = failure_of(run, evaluates_a_number())
    assert isinstance(error, InvalidTaskError)
    assert functions(error)[-1] == "evaluates_a_number"


def test_where_no_frame_of_others_is_left_the_one_that_raised_stays():
    error = failure_of(cs.Task, "no function")
    trace = error.__traceback__
    while not is_own(trace.tb_frame):
        trace = trace.tb_next
    hide_own_frames(error.with_traceback(trace))
    assert len(frames(error)) == 1
    assert len(own_frames(error)) == 1


def test_an_exception_that_was_not_raised_stays_without_a_traceback():
    error = ValueError("no")
    hide_own_frames(error)
    assert error.__traceback__ is None


def test_exceptions_that_explain_each_other_are_no_circle_to_get_lost_in():
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__context__ = second, first
    hide_own_frames(first)
    assert first.__cause__ is second


@each_row("run", RUNS)
def test_all_frames_are_shown_where_the_environment_asks_for_them(run, monkeypatch):
    monkeypatch.setenv("CASCADE_TRACEBACK", "full")
    error = failure_of(run, evaluates(0))
    assert "evaluate_call" in functions(error)
