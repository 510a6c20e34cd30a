"""What people read of a failure: one note that names task and run."""

import asyncio
from dataclasses import dataclass

import pytest

import cascade as cs
from cascade.interfaces.errors.notes import add_note
from rows import each_row

IN_FAILS = "in task 'fails' of run 'monday'"


@cs.task(mode="inline")
def fails():
    raise ValueError("no")


@cs.task
async def waits_for(call):
    return await cs.evaluate(call.value)


@cs.task
async def joins(*values):
    return values


@cs.task
async def goes_on():
    return fails()


@cs.task
async def raises_again():
    (failure,) = await cs.evaluate(cs.settle([fails()]))
    raise failure


@cs.task
async def runs_another():
    return await cs.run_async(fails(), name="monday")


@dataclass(frozen=True)
class FrozenError(Exception):
    code: int


class GuardedError(Exception):
    """Lets nobody look at its attributes, or set any."""

    def __setattr__(self, name, value):
        raise AttributeError(name)

    @property
    def __dict__(self):
        raise AttributeError("__dict__")


class OddlyNotedError(Exception):
    def __init__(self):
        super().__init__()
        self.__notes__ = ("a note",)


def raising(error, mode="inline"):
    def fail():
        raise error

    return cs.Task(fail, name="fails", mode=mode)


@dataclass
class Held:
    value: object


def held(call):
    return cs.quote(Held(call))


@each_row(
    "target",
    [
        fails(),
        [fails(), fails()],
        goes_on(),
        joins(fails(), joins(goes_on())),
        waits_for(held(fails())),
        waits_for(held([joins(waits_for(held(goes_on())), 1)])),
        cs.retry(fails(), 2),
        cs.timeout(cs.after(fails()), 60),
        cs.catch(fails(), KeyError, use=None),
        fails.with_retry(2).with_cache()(),
        raises_again(),
        [fails.with_cache()(), fails.with_cache()()],
        raising(ValueError("no"), "thread")(),
    ],
)
async def test_a_failure_has_one_note_however_far_it_comes(target):
    with pytest.raises(ValueError, match="no") as caught:
        await cs.run_async(target, name="monday")
    assert [note for note in caught.value.__notes__ if "of run" in note] == [IN_FAILS]


async def test_a_failure_of_a_run_inside_a_task_names_the_task_that_failed():
    with pytest.raises(ValueError, match="no") as caught:
        await cs.run_async(runs_another(), name="tuesday")
    assert caught.value.__notes__ == [IN_FAILS]


@each_row("call", [raising(FrozenError(3))(), cs.retry(raising(FrozenError(3))(), 2)])
async def test_an_exception_that_is_frozen_is_noted_too(call):
    with pytest.raises(FrozenError) as caught:
        await cs.run_async(call, name="monday")
    assert caught.value.__notes__ == [IN_FAILS]


@each_row("policy", [lambda task: task, lambda task: task.with_retry(2)])
@each_row("error", [GuardedError(), OddlyNotedError()])
async def test_what_cannot_be_noted_reaches_the_caller_as_it_is(error, policy):
    with pytest.raises(type(error)) as caught:
        await cs.run_async(policy(raising(error))())
    assert caught.value is error


async def test_a_frozen_exception_of_a_resource_is_noted_and_stays_what_it_is():
    @cs.resource
    def broken():
        raise FrozenError(3)
        yield

    @cs.task(mode="inline")
    def needs(it=cs.inject("broken")):
        return it

    with pytest.raises(FrozenError) as caught:
        await cs.run_async(needs(), resources=[broken])
    assert caught.value.__notes__[0] == "while opening the resource 'broken'"


async def test_siblings_that_fail_meanwhile_are_summed_up_in_one_note():
    ready = []
    all_wait = asyncio.Event()

    @cs.task
    async def sibling(number):
        ready.append(number)
        if len(ready) == 2000:
            all_wait.set()
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("disk full")

    @cs.task
    async def first():
        await all_wait.wait()
        raise FrozenError(3)

    with pytest.raises(FrozenError) as caught:
        await cs.run_async([*(sibling(n) for n in range(2000)), first()], name="monday")
    assert caught.value.__notes__ == [
        "in task 'first' of run 'monday'",
        "meanwhile, in task 'sibling': OSError('disk full'), and 1999 more",
    ]


def test_notes_of_others_stay_and_may_repeat():
    error = ValueError("no")
    error.add_note("by hand")
    add_note(error, "by hand")
    assert error.__notes__ == ["by hand", "by hand"]
