"""`@task`: what it makes of a function, and what it refuses."""

import functools
import inspect

import pytest

from cascade.interfaces.errors import InvalidTaskError
from cascade.spec import LazyResult, MappedLazyResult, Policies, Retry, Task, inject, task
from cascade.spec.mapping import fixed as cs_fixed
from cascade.spec.policies import NO_POLICIES
from rows import each_row
from spec.tasks import double, fetch


def plain(x, y=2, *rest, z, **more):
    """Say what it does."""


async def waiting(x):
    pass


@each_row("decorate", [task, task()])
def test_the_decorator_works_with_and_without_parentheses(decorate):
    made = decorate(plain)
    assert isinstance(made, Task)
    assert made.function is plain
    assert made.name == "plain"
    assert made.__doc__ == "Say what it does."


def test_name_and_mode_are_given_in_parentheses():
    made = task(name="other", mode="inline")(plain)
    assert (made.name, made.mode, made.function) == ("other", "inline", plain)
    assert repr(made) == "<task 'other' (inline)>"


def test_a_call_computes_nothing_and_keeps_its_arguments():
    called = []

    @task
    def spy(*args, **kwargs):
        called.append(1)

    call = spy(1, [2], key=3)
    assert type(call) is LazyResult
    assert (call.task, call.args, call.kwargs) == (spy, (1, [2]), {"key": 3})
    assert called == []


def test_a_task_tells_its_functions_signature():
    assert inspect.signature(task(plain)) == inspect.signature(plain)
    assert task(plain).positions == ("x", "y")


@each_row(
    ("function", "mode", "expected"),
    [
        (plain, None, "thread"),
        (plain, "thread", "thread"),
        (plain, "inline", "inline"),
        (plain, "process", "process"),
        (waiting, None, "async"),
        (waiting, "async", "async"),
    ],
)
def test_where_a_function_runs_is_its_mode(function, mode, expected):
    made = task(mode=mode)(function)
    assert made.mode == expected
    assert made.is_async is (expected == "async")


@each_row(
    ("function", "mode", "words"),
    [
        (plain, "async", "plain 'def', which mode 'async' does not fit"),
        (waiting, "thread", "plain 'async def', which mode 'thread' does not fit"),
        (waiting, "inline", "which mode 'inline' does not fit"),
        (waiting, "inline", "which mode 'inline' does not fit"),
        (plain, "loop", "has mode 'loop'; choose async, thread, inline, process"),
    ],
)
def test_a_mode_that_does_not_fit_is_refused_with_the_tasks_name(function, mode, words):
    with pytest.raises(InvalidTaskError, match=f"the task '{function.__name__}' .*{words}"):
        task(mode=mode)(function)


def generator():
    yield


async def async_generator():
    yield


@each_row("function", [generator, async_generator])
def test_a_generator_is_no_task_and_the_error_names_resource(function):
    with pytest.raises(InvalidTaskError, match=r"a generator function.*@resource"):
        task(function)


@each_row("what", [7, "text", None, object()])
def test_what_cannot_be_called_is_no_task(what):
    with pytest.raises(InvalidTaskError, match="@task goes above a function"):
        Task(what)


def test_an_object_with_an_async_call_runs_on_the_loop():
    class Greeter:
        async def __call__(self, name):
            return name

    made = task(Greeter())
    assert (made.mode, made.name, made.positions) == ("async", "Greeter", ("name",))


def test_a_partial_of_an_async_function_runs_on_the_loop():
    assert task(functools.partial(waiting, 1)).mode == "async"
    assert task(functools.partial(plain, 1)).mode == "thread"


@each_row("builtin", [len, int, max, print])
def test_a_built_in_is_a_task_too(builtin):
    made = task(builtin)
    assert made.name == builtin.__name__
    assert dict(made.injections) == {}


def test_what_parameters_ask_for_is_known_at_decoration():
    @task
    def report(x, db=inject("db"), *, log=inject("log")):  # noqa: B008 - how one asks for a resource
        pass

    assert {name: each.name for name, each in report.injections.items()} == {
        "db": "db",
        "log": "log",
    }
    with pytest.raises(TypeError):
        report.injections["more"] = None


@each_row(
    ("made", "plain_enough"),
    [
        (task(waiting), True),
        (task(mode="inline")(plain), True),
        (task(plain), False),
        (task(waiting).with_timeout(1), False),
        (task(waiting).with_retry(), False),
    ],
)
def test_a_plain_task_is_one_that_takes_a_call_on_the_loop_and_no_more(made, plain_enough):
    assert made.is_plain is plain_enough


# --- policies -----------------------------------------------------------------------------------


def test_a_policy_makes_another_task_and_leaves_the_first_as_it_was():
    patient = fetch.with_retry(5, delay=0.1, on=(OSError,)).with_timeout(2)
    assert fetch.policies is NO_POLICIES
    assert patient.policies == Policies(retry=Retry(5, 0.1, on=(OSError,)), timeout=2)
    assert (patient.name, patient.mode, patient.function) == ("fetch", "async", fetch.function)
    assert patient("a").task is patient


def test_policies_add_up_and_the_last_of_a_kind_holds():
    made = double.with_cache(ttl=3).with_timeout(1).with_demands(gpu=1).with_timeout(2)
    assert made.policies.cache.ttl == 3
    assert made.policies.timeout == 2
    assert made.policies.demands == {"gpu": 1}


def test_demands_cannot_be_changed_afterwards():
    with pytest.raises(TypeError):
        double.with_demands(gpu=1).policies.demands["gpu"] = 2


@each_row("seconds", [0, -1, -0.5])
def test_a_timeout_is_above_zero(seconds):
    with pytest.raises(ValueError, match="above 0"):
        double.with_timeout(seconds)


@each_row("units", [0, -1])
def test_a_demand_is_above_zero(units):
    with pytest.raises(ValueError, match="more than 0 units of 'gpu'"):
        double.with_demands(cpu=1, gpu=units)


def test_a_mapping_keeps_its_iterables_and_fixed_arguments():
    mapped = double.map([1, 2], by=3)
    assert type(mapped) is MappedLazyResult
    assert mapped.args == (double, ([1, 2],), {}, {"by": 3})
    assert repr(mapped) == "double.map([1, 2], by=3)"


def test_a_mapping_over_nothing_is_refused():
    with pytest.raises(InvalidTaskError, match=r"double.map\(\) needs at least one iterable"):
        double.map(by=cs_fixed(3))


def test_a_condition_outlives_policies_and_policies_outlive_a_condition():
    one = double.run_if(True).with_timeout(3)
    other = double.with_timeout(3).run_if(True)
    for made in (one, other):
        assert isinstance(made, Task)
        assert made.name == "double"
        assert made.policies.timeout == 3
        call = made(1)
        assert call.args[0] is True
        assert call.args[1].value.task.policies.timeout == 3
        assert call.args[1].value.args == (1,)
