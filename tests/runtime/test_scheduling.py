"""Engine contract, "Scheduling" and "Where a function runs"."""

import asyncio
import contextvars
import os
import threading

import pytest

import cascade as cs
from cascade.interfaces.errors import ProcessTransferError
from rows import each_row


@cs.task
async def nap(seconds, *_after):
    await asyncio.sleep(seconds)
    return seconds


async def test_a_node_starts_as_soon_as_its_inputs_are_there():
    """The second task of one branch ends before the first of the other: no barrier between stages."""
    order = []
    gates = {name: asyncio.Event() for name in "ab"}

    @cs.task
    async def step(name, *_after):
        if name in gates:
            await gates[name].wait()
        order.append(name)
        if name == "b2":
            gates["a"].set()

    gates["b"].set()
    await cs.run_async([step("a2", step("a")), step("b2", step("b"))])
    assert order == ["b", "b2", "a", "a2"]


async def test_independent_tasks_wait_side_by_side():
    everybody = asyncio.Barrier(50)

    @cs.task
    async def meet():
        await everybody.wait()
        return 1

    assert sum(await cs.run_async([meet() for _ in range(50)])) == 50


async def test_a_failure_cancels_its_siblings_awaits_them_and_keeps_its_type():
    ended = []
    sibling_waits = asyncio.Event()

    @cs.task
    async def sibling():
        try:
            sibling_waits.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("sibling")

    @cs.task
    async def fails():
        await sibling_waits.wait()
        raise KeyError("lost")

    with pytest.raises(KeyError) as caught:
        await cs.run_async([sibling(), fails()])
    assert ended == ["sibling"]
    assert caught.value.args == ("lost",)
    assert "in task 'fails' of run 'run-1'" in caught.value.__notes__


async def test_what_goes_wrong_while_siblings_stop_is_noted():
    ready = asyncio.Event()

    @cs.task
    async def sibling():
        try:
            ready.set()
            await asyncio.Event().wait()
        finally:
            raise OSError("disk full")

    @cs.task
    async def fails():
        await ready.wait()
        raise KeyError("lost")

    with pytest.raises(KeyError) as caught:
        await cs.run_async([sibling(), fails()])
    assert any("disk full" in note for note in caught.value.__notes__)


@each_row("mode", ["async", "inline", "thread"])
async def test_a_failure_in_every_mode_names_task_and_run(mode):
    async def later():
        raise ZeroDivisionError("no")

    def now():
        raise ZeroDivisionError("no")

    task = cs.Task(later if mode == "async" else now, name="divide", mode=mode)
    with pytest.raises(ZeroDivisionError) as caught:
        await cs.run_async(task())
    assert caught.value.__notes__ == ["in task 'divide' of run 'run-1'"]


async def test_cancelling_a_run_stops_all_its_tasks_before_it_returns():
    ended = []
    started = asyncio.Event()

    @cs.task
    async def waits(n):
        try:
            if n == 2:
                started.set()
            await asyncio.Event().wait()
        finally:
            ended.append(n)

    running = asyncio.create_task(cs.run_async([waits(0), waits(1), waits(2)]))
    await started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert sorted(ended) == [0, 1, 2]
    assert len(asyncio.all_tasks()) == 1


async def test_an_async_function_runs_on_the_loop():
    @cs.task
    async def where():
        return threading.get_ident()

    assert await cs.run_async(where()) == threading.get_ident()


async def test_a_plain_function_runs_in_a_worker_thread_and_blocks_nobody():
    release = threading.Event()

    @cs.task
    def blocks():
        assert release.wait(5)
        return threading.get_ident()

    @cs.task
    async def frees():
        release.set()

    ident, _ = await cs.run_async([blocks(), frees()])
    assert ident != threading.get_ident()


async def test_an_inline_function_runs_inside_the_step():
    @cs.task(mode="inline")
    def where():
        return threading.get_ident()

    assert await cs.run_async(where()) == threading.get_ident()


@cs.task(mode="process")
def process_id(_n=0):
    return os.getpid()


@cs.task(mode="process")
def fails_over_there():
    raise LookupError("there")


@cs.task(mode="process")
def echo(value):
    return value


@cs.task(mode="process")
def makes_a_lock():
    return threading.Lock()


@pytest.mark.slow
async def test_a_process_function_runs_in_another_process_and_its_errors_come_back():
    async with cs.Engine() as engine:
        assert await engine.run(process_id()) != os.getpid()
        with pytest.raises(LookupError, match="there"):
            await engine.run(fails_over_there())
        with pytest.raises(ProcessTransferError, match="cannot be sent to its process"):
            await engine.run(echo(threading.Lock()))
        with pytest.raises(ProcessTransferError, match="cannot be sent back"):
            await engine.run(makes_a_lock())


async def test_a_process_function_must_stand_at_the_top_level_of_a_module():
    @cs.task(mode="process")
    def local():
        return 1

    with pytest.raises(ProcessTransferError, match="top level"):
        await cs.run_async(local())


async def test_tasks_side_by_side_do_not_share_context_variables():
    var = contextvars.ContextVar("var", default="none")

    @cs.task
    async def sets(value):
        var.set(value)
        await asyncio.sleep(0)
        return var.get()

    assert await cs.run_async([sets("a"), sets("b"), sets("c")]) == ["a", "b", "c"]
    assert var.get() == "none"


async def test_current_task_inside_a_node_is_its_own():
    @cs.task
    async def times_out():
        try:
            async with asyncio.timeout(0.001):
                await asyncio.Event().wait()
        except TimeoutError:
            return "timed out"

    assert await cs.run_async([times_out(), nap(0.01), times_out()]) == [
        "timed out",
        0.01,
        "timed out",
    ]


async def test_many_runs_share_an_engine_and_keep_apart():
    engine = cs.Engine()

    @cs.task
    async def name(own=cs.inject("params")):
        await asyncio.sleep(0)
        return own["n"]

    got = await asyncio.gather(*[engine.run(name(), {"n": n}) for n in range(200)])
    assert got == list(range(200))


async def test_a_task_that_somebody_keeps_is_that_of_one_call_alone():
    kept = []

    @cs.task
    async def keep(number):
        if number % 3 == 0:
            kept.append(asyncio.current_task())
        return number

    assert await cs.run_async([keep(number) for number in range(30)]) == list(range(30))
    assert len(set(map(id, kept))) == len(kept) == 10
    assert [task.result() for task in kept] == list(range(0, 30, 3))


async def test_what_a_call_sets_in_its_context_stays_there_though_it_ends_at_once():
    color = contextvars.ContextVar("color", default="none")

    @cs.task
    async def paint(name):
        before = color.get()
        color.set(name)
        return before

    assert await cs.run_async([paint(name) for name in "abc"]) == ["none"] * 3


async def test_a_call_that_cancels_itself_at_once_ends_its_siblings_and_its_run():
    @cs.task
    async def cancels_itself():
        asyncio.current_task().cancel()

    @cs.task
    async def waits():
        await asyncio.Event().wait()

    with pytest.raises(asyncio.CancelledError):
        await cs.run_async([waits(), cancels_itself(), waits()])


async def test_what_a_call_leaves_running_stands_nowhere_once_it_has_returned():
    left = []

    @cs.task
    async def leaves(number):
        async def later():
            await asyncio.sleep(0)
            return cs.current().call_id

        left.append(asyncio.create_task(later()))
        return number

    await cs.run_async([leaves(number) for number in range(3)])
    for task in left:
        with pytest.raises(RuntimeError, match="until it returns"):
            await task
