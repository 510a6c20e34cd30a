"""Functions in worker processes: what runs there, and a process that ends takes nothing with it."""

import asyncio
import functools
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

import pytest

import cascade as cs
from cascade.executors.pool import PoolExecutor
from cascade.interfaces.errors import ProcessTransferError, WorkerLostError
from cascade.interfaces.executor import Invocation

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="the tests send signals of POSIX"),
]

FOREVER = 600  # seconds: longer than any test may take


def children():
    return [each for each in multiprocessing.active_children() if each.name == "cascade-worker"]


@pytest.fixture
async def engine():
    """An engine with two processes, none of which is left at its end."""
    executor = PoolExecutor(max_processes=2)
    async with cs.Engine(executor=executor) as engine:
        yield engine
    await executor.aclose()
    assert children() == []


@cs.task(mode="process")
def pid():
    return os.getpid()


@cs.task(mode="process")
def write_and_spin(path):
    Path(path).write_text(f"{os.getpid()}\n")
    time.sleep(FOREVER)


@cs.task(mode="process")
def double(x):
    return 2 * x


@cs.task(mode="process")
def take(seconds):
    time.sleep(seconds)


@cs.task(mode="process")
def spin():
    time.sleep(FOREVER)


@cs.task(mode="process")
def spin_at_first(path):
    if not Path(path).exists():
        Path(path).touch()
        time.sleep(FOREVER)
    return "second attempt"


@cs.task(mode="process")
def die(how):
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(3)


class PickyError(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")


@cs.task(mode="process")
def fail(kind):
    if kind == "picky":
        raise PickyError(404, "no such page")
    if kind == "own":
        raise TypeError("cucumbers cannot be pickled twice")
    raise StopIteration


@cs.task(mode="process")
def unpicklable():
    return lambda: None


class Unreadable:
    def __reduce__(self):
        return int, ("no number",)


@cs.task(mode="process")
def unreadable():
    return Unreadable()


@cs.task(mode="process")
def length(thing):
    return len(thing)


@cs.task(mode="process")
async def wait_and_double(x):
    await asyncio.sleep(0)
    return 2 * x


@cs.task(mode="process")
def where_i_stand():
    return cs.current()


@cs.task(mode="process")
async def evaluate_there(x):
    return await cs.evaluate(double(x))


def add(a, b):
    return a + b


@cs.task
def added(a, b):
    return a + b


class Scale:
    by = 3

    def __call__(self, x):
        return self.by * x

    def method(self, x):
        return self.by * x

    @cs.task(mode="process")
    def task(self, x):
        return self.by * x


async def test_whatever_can_be_pickled_runs_in_a_process(engine):
    part = cs.task(functools.partial(add, 1), mode="process", name="part")
    of_task = cs.task(functools.partial(added.function, 1), mode="process", name="of_task")
    made = cs.task(Scale(), mode="process", name="made")
    method = cs.task(Scale().method, mode="process", name="method")
    calls = [part(2), of_task(2), made(2), method(2), Scale().task(2), length([added.function])]
    assert await engine.run(calls) == [3, 3, 6, 6, 6, 1]


async def test_a_remote_task_takes_a_process_of_the_default_executor(engine):
    assert await engine.run(cs.Task(add, mode="remote")(1, 2)) == 3


async def test_an_async_function_runs_on_a_loop_of_its_process(engine):
    assert await engine.run(wait_and_double.map([1, 2])) == [2, 4]
    with pytest.raises(RuntimeError, match="event loop of the engine alone"):
        await engine.run(evaluate_there(1))


async def test_a_function_in_a_process_knows_where_it_stands(engine):
    here = await engine.run(where_i_stand.with_retry(3)(), name="one")
    assert (here.run_id, here.agent, here.attempt, here.cancelled) == ("one", "one", 1, False)
    assert here.task.endswith("test_processes:where_i_stand")


async def test_the_invocation_says_which_process_runs_it():
    executor, begun = PoolExecutor(max_processes=1), asyncio.Event()
    invocation = Invocation("process", os.getpid, on_start=begun.set)
    try:
        found = await executor.submit(invocation)
        await begun.wait()
        assert invocation.runs_on == f"process {found}"
    finally:
        await executor.aclose()


async def test_what_is_not_found_in_a_module_is_refused_before_it_is_sent(engine):
    here = cs.task(lambda: 1, mode="process", name="here")
    with pytest.raises(
        ProcessTransferError, match="cannot run in a process: .* cannot be found again"
    ):
        await engine.run(here())
    inner = cs.task(functools.partial(lambda: 1), mode="process", name="inner")
    with pytest.raises(ProcessTransferError, match="cannot run in a process"):
        await engine.run(inner())
    with pytest.raises(ProcessTransferError, match="an argument of 'length' cannot be sent"):
        await engine.run(length([lambda: 1]))


async def test_a_process_that_is_out_of_time_is_ended_before_the_caller_hears_of_it(engine):
    (before,) = {await engine.run(pid())}
    with pytest.raises(TimeoutError, match=r"task 'spin' took longer than 0\.05 s"):
        await engine.run(spin.with_timeout(0.05)())
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)
    assert await engine.run(double(2)) == 4


async def test_waiting_for_a_free_process_takes_no_time_of_the_function(engine):
    calls = [take(1.1), take(1.1), double.with_timeout(1)(2)]
    assert await engine.run(calls) == [None, None, 4]


async def test_a_retry_runs_after_the_attempt_that_was_ended(engine, tmp_path):
    task = spin_at_first.with_timeout(0.5).with_retry(9, on=(TimeoutError,))
    assert await engine.run(task(str(tmp_path / "begun"))) == "second attempt"


async def test_a_cancelled_call_ends_its_process_and_no_other(engine, tmp_path):
    path = tmp_path / "pid"
    running = asyncio.create_task(engine.run(write_and_spin(str(path))))
    async with asyncio.timeout(60):
        while not path.exists() or not path.read_text().endswith("\n"):
            await asyncio.sleep(0.01)
    other = await engine.run(pid())
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    with pytest.raises(ProcessLookupError):
        os.kill(int(path.read_text()), 0)
    os.kill(other, 0)


@pytest.mark.parametrize(
    ("how", "told"), [("killed", "ended by SIGKILL"), ("exits", "ended with status 3")]
)
async def test_a_process_that_ends_fails_its_own_call_alone(engine, how, told):
    with pytest.raises(WorkerLostError, match=f"the process that ran 'die' {told}"):
        await engine.run(die(how))
    calls = [asyncio.create_task(engine.run(double(n))) for n in range(20)]
    with pytest.raises(WorkerLostError):
        await engine.run(die(how))
    assert await asyncio.gather(*calls) == [2 * n for n in range(20)]


async def test_an_idle_process_that_was_killed_is_replaced(engine):
    os.kill(await engine.run(pid()), signal.SIGKILL)
    assert await engine.run(double(2)) == 4


async def test_an_exception_comes_back_as_it_is_with_where_it_was_raised(engine):
    with pytest.raises(TypeError, match="cucumbers cannot be pickled twice") as caught:
        await engine.run(fail("own"))
    assert not isinstance(caught.value, ProcessTransferError)
    assert "in fail" in str(caught.value.__cause__)


async def test_what_cannot_come_back_is_told_in_its_place(engine):
    with pytest.raises(ProcessTransferError, match="PickyError: 404: no such page"):
        await engine.run(fail("picky"))
    with pytest.raises(RuntimeError, match="fail raised StopIteration"):
        await engine.run(fail("stop"))
    with pytest.raises(ProcessTransferError, match="result of 'unpicklable' cannot be sent back"):
        await engine.run(unpicklable())
    with pytest.raises(ProcessTransferError, match="result of 'unreadable' cannot be read"):
        await engine.run(unreadable())
    assert await engine.run(double(2)) == 4
