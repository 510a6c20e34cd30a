"""Combinators around calls: retry, timeout, catch, settle and after."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

import cascade as cs
from cascade.common.messaging.testing import capture
from cascade.interfaces.errors import InvalidTaskError, UnwantedValueError


@pytest.fixture
def ran() -> Counter[str]:
    """How often each task of a test ran."""
    return Counter()


@pytest.fixture
def tasks(ran):
    """Tasks that count how often they run."""

    class Tasks:
        @staticmethod
        @cs.task(mode="inline")
        def value(name, *_needs):
            ran[name] += 1
            return name

        @staticmethod
        @cs.task(mode="inline")
        def fails_until(name, times, *_needs):
            ran[name] += 1
            if ran[name] < times:
                raise ValueError(f"{name} {ran[name]}")
            return name

        @staticmethod
        @cs.task
        async def returns(call):
            return call

        @staticmethod
        @cs.task
        async def sleeps(name, seconds, *_needs):
            ran[name] += 1
            try:
                await asyncio.sleep(seconds)
            except asyncio.CancelledError:
                ran[f"{name} cancelled"] += 1
                raise
            return name

    return Tasks


def together(*calls):
    return _together(calls)


@cs.task(mode="inline")
def _together(values):
    return list(values)


# --- what they do -----------------------------------------------------------------------------


def test_retry_governs_what_a_task_returns(tasks, ran):
    call = tasks.returns(cs.quote(tasks.fails_until("f", 3)))
    assert cs.run(cs.retry(call)) == "f"
    assert ran["f"] == 3


def test_a_policy_on_the_task_does_not_and_that_is_said_once(tasks, ran):
    call = tasks.returns.with_retry(3)(cs.quote(tasks.fails_until("f", 3)))
    with capture() as told, pytest.raises(ValueError, match="f 1"):
        cs.run([call, call])
    assert [(each.id, each.facts["combinator"]) for each in told] == [
        ("engine.policies_end", "cs.retry")
    ]
    with capture() as told:
        cs.run(tasks.returns.with_timeout(5)(cs.quote(tasks.value("v"))))
        cs.run(tasks.value.with_timeout(5)("v"))
    assert [each.facts["combinator"] for each in told] == ["cs.timeout"]


def test_each_attempt_evaluates_the_whole_of_it_afresh(tasks, ran):
    inner = tasks.value("inner")
    assert cs.run(cs.retry(tasks.fails_until("f", 3, inner, inner))) == "f"
    assert ran == {"inner": 3, "f": 3}


def test_the_last_failure_is_the_callers(tasks):
    with pytest.raises(ValueError, match="f 2"):
        cs.run(cs.retry(tasks.fails_until("f", 9), 2))


def test_only_the_named_exceptions_are_tried_again(tasks, ran):
    with pytest.raises(ValueError, match="f 1"):
        cs.run(cs.retry(tasks.fails_until("f", 9), on=KeyError))


def test_a_value_can_be_worth_another_attempt(tasks, ran):
    @cs.task(mode="inline")
    def status():
        ran["status"] += 1
        return "pending" if ran["status"] < 3 else "done"

    assert cs.run(cs.retry(status(), 5, when=lambda it: it == "pending")) == "done"
    ran.clear()
    assert cs.run(status.with_retry(5, when=lambda it: it == "pending")()) == "done"
    with pytest.raises(UnwantedValueError, match="'never'") as caught:
        cs.run(cs.retry(tasks.value("never"), 2, when=lambda _: True))
    assert caught.value.value == "never"


def test_a_failure_can_name_the_wait():
    class TooManyRequestsError(Exception):
        retry_after = 7.0

    seen = []

    @cs.task(mode="inline")
    def ask(clock=cs.inject("clock")):
        seen.append(clock.time())
        if len(seen) < 3:
            raise TooManyRequestsError
        return "answer"

    assert cs.simulate(cs.retry(ask(), delay=1)).results == ["answer"]
    assert seen == [0, 7, 14]
    seen.clear()
    assert cs.simulate(ask.with_retry(3, delay=1)()).results == ["answer"]
    assert seen == [0, 7, 14]


def test_a_timeout_cancels_everything_in_it(tasks, ran):
    call = tasks.returns(cs.quote(together(tasks.sleeps("a", 60), tasks.sleeps("b", 60))))
    simulation = cs.simulate(cs.catch(cs.timeout(call, 5), TimeoutError, "too slow"))
    assert (simulation.results, simulation.duration) == (["too slow"], 5)
    assert ran["a cancelled"] == ran["b cancelled"] == 1


def test_a_timeout_of_its_own_passes_through(tasks):
    @cs.task
    async def times_out():
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="^mine"):
        cs.run(cs.timeout(times_out(), 5))


def test_catch_evaluates_the_other_call_only_when_needed(tasks, ran):
    assert cs.run(cs.catch(tasks.value("a"), use=tasks.value("b"))) == "a"
    assert ran == {"a": 1}
    assert cs.run(cs.catch(tasks.fails_until("f", 9), ValueError, tasks.value("b"))) == "b"
    with pytest.raises(ValueError, match="g 1"):
        cs.run(cs.catch(tasks.fails_until("g", 9), KeyError, "no"))


async def test_a_cancellation_is_neither_caught_nor_tried_again(tasks, ran):
    call = cs.retry(cs.catch(tasks.sleeps("a", 60), Exception, "no"))
    running = asyncio.create_task(cs.run_async([call, cs.settle([tasks.sleeps("b", 60)])]))
    while not ran["b"]:
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ran == {"a": 1, "a cancelled": 1, "b": 1, "b cancelled": 1}


@pytest.mark.parametrize("kind", [list, tuple])
def test_settle_gives_values_and_exceptions_side_by_side(tasks, ran, kind):
    calls = kind([tasks.fails_until("f", 9), tasks.value("v"), 7])
    error, *others = settled = cs.run(cs.settle(calls))
    assert isinstance(settled, kind)
    assert (str(error), others) == ("f 1", ["v", 7])


def test_settle_takes_dicts_and_the_items_of_mappings(tasks):
    settled = cs.run(cs.settle({"a": tasks.value("v"), "b": tasks.fails_until("f", 9)}))
    assert settled["a"] == "v"
    assert isinstance(settled["b"], ValueError)

    @cs.task(mode="inline")
    def half(n):
        return n / 2

    first, second, third = cs.run(cs.settle(half.map([1, "two", 3])))
    assert (first, type(second), third) == (0.5, TypeError, 1.5)


def test_no_failure_of_one_ends_the_others(tasks):
    calls = [tasks.sleeps("slow", 5), tasks.fails_until("f", 9)]
    (settled,) = cs.simulate({"it": cs.settle(calls)}).results
    assert settled[0] == "slow"


def test_a_mapping_is_one_call_to_every_combinator(tasks, ran):
    @cs.task(mode="inline")
    def item(n):
        ran[n] += 1
        if n == 2 and ran[n] < 2:
            raise ValueError
        return n

    assert cs.run(cs.retry(item.map([1, 2, 3]))) == [1, 2, 3]
    assert ran[1] == ran[2] == 2


def test_after_needs_no_dummy_parameters():
    order = []

    @cs.task(mode="inline")
    def step(name, *_needs):
        order.append(name)
        return name

    load = step("load", step("fetch"))
    assert cs.run(cs.after(load, step("create"), step("clear"))) == "load"
    assert order[2:] == ["fetch", "load"]
    assert set(order[:2]) == {"create", "clear"}


@pytest.mark.parametrize("wrap", [cs.retry, cs.catch, cs.after, cs.settle])
def test_what_is_no_call_is_refused_where_it_is_written(wrap):
    with pytest.raises(InvalidTaskError, match=f"cs.{wrap.__name__} "):
        wrap(5)
    with pytest.raises(ValueError, match="above 0"):
        cs.timeout(cs.wait(1), 0)


# --- calls that stand inside and outside ------------------------------------------------------


def test_a_call_outside_too_is_not_repeated_by_retry(tasks, ran):
    x = tasks.value("x")
    assert cs.run(together(cs.retry(tasks.fails_until("f", 3, x)), x)) == ["f", "x"]
    assert ran == {"x": 1, "f": 3}


def test_a_call_in_two_combinators_is_evaluated_once(tasks, ran):
    x = tasks.value("x")
    cs.run(together(cs.retry(tasks.fails_until("f", 3, x)), cs.retry(tasks.fails_until("g", 2, x))))
    assert ran == {"x": 1, "f": 3, "g": 2}


def test_a_call_twice_in_one_combinator_is_its_own(tasks, ran):
    x = tasks.value("x")
    cs.run(cs.retry(tasks.fails_until("f", 2, x, cs.catch(tasks.value("y", x)))))
    assert ran == {"x": 2, "f": 2, "y": 2}


def test_its_failure_is_passed_on_to_each_place(tasks, ran):
    x = tasks.fails_until("x", 9)
    caught = cs.run(
        together(cs.catch(tasks.value("a", x), use=1), cs.catch(tasks.value("b", x), use=2))
    )
    assert caught == [1, 2]
    assert ran == {"x": 1}
    with pytest.raises(ValueError, match="x 2"):
        cs.run(together(cs.catch(tasks.value("a", x), use=1), x))


def test_its_failure_reaches_the_call_to_use_instead(tasks, ran):
    x = tasks.fails_until("x", 9)
    with pytest.raises(ValueError, match="x 1"):
        cs.run(cs.catch(tasks.value("a", x), use=tasks.value("b", x)))
    assert ran == {"x": 1}


def test_the_call_itself_may_stand_outside(tasks, ran):
    x = tasks.value("x")
    assert cs.run(together(cs.retry(x), x, cs.timeout(x, 5))) == ["x", "x", "x"]
    assert ran == {"x": 1}


def test_the_clock_of_a_timeout_starts_when_it_is_there(tasks, ran):
    x = tasks.sleeps("x", 60)
    simulation = cs.simulate(together(cs.timeout(tasks.sleeps("y", 3, x), 5), x))
    assert (simulation.results, simulation.duration) == ([["y", "x"]], 63)
    assert ran == {"x": 1, "y": 1}


def test_a_timeout_does_not_cancel_what_stands_outside(tasks, ran):
    x = tasks.sleeps("x", 60)
    call = together(cs.catch(cs.timeout(tasks.returns(tasks.sleeps("y", 9, x)), 5), use="late"), x)
    assert cs.simulate(call).results == [["late", "x"]]
    assert ran == {"x": 1, "y": 1, "y cancelled": 1}


def test_a_call_shared_by_branches_inside_and_outside_is_evaluated_once(tasks, ran):
    x = tasks.value("x")
    inside = cs.retry(cs.route("a", {"a": tasks.fails_until("f", 2, x), "b": tasks.value("b")}))
    assert cs.run(together(inside, cs.route("a", {"a": tasks.value("c", x)}))) == ["f", "c"]
    assert ran == {"x": 1, "f": 2, "c": 1}


def test_combinators_nest(tasks, ran):
    x = tasks.value("x")
    inner = cs.catch(cs.retry(tasks.fails_until("f", 3, x), 2), use=tasks.fails_until("g", 2, x))
    assert cs.run(together(cs.retry(inner), x)) == ["f", "x"]
    assert ran == {"x": 1, "f": 3, "g": 1}


def test_a_failed_attempt_leaves_nothing_open(ran):
    @cs.resource(scope="task")
    def opened():
        ran["open"] += 1
        yield ran["open"]
        ran["closed"] += 1

    @cs.task(mode="inline")
    def use(it=cs.inject(opened)):
        if it < 3:
            raise ValueError
        return it

    assert cs.run(cs.retry(use())) == 3
    assert ran["open"] == 3
