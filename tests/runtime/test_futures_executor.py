"""Functions in a pool of somebody else: any that has the interface of `concurrent.futures`."""

import asyncio
import multiprocessing
import os
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

import cascade as cs
from cascade.executors.futures import FuturesExecutor
from cascade.interfaces.errors import ProcessTransferError, WorkerLostError
from cascade.interfaces.executor import Invocation


@cs.task(mode="remote")
def square(n: int) -> int:
    return n * n


@cs.task(mode="remote")
def where() -> int:
    return os.getpid()


@cs.task(mode="process")
def fails(text: str) -> None:
    raise ValueError(text)


@cs.task(mode="remote")
def ends_its_process() -> None:
    os._exit(3)


@cs.task(mode="remote")
def takes(lock) -> None:
    return None


@cs.task(mode="remote")
def slow(seconds: float) -> str:
    time.sleep(seconds)
    return "done"


@cs.task
def here() -> str:
    return threading.current_thread().name


@pytest.fixture
def threads():
    with ThreadPoolExecutor(2) as pool:
        yield pool


def test_remote_and_process_tasks_run_in_the_pool_and_thread_tasks_here(threads):
    executor = FuturesExecutor(threads)
    assert cs.run(square.map([1, 2, 3]), executor=executor) == [1, 4, 9]
    assert "cascade" in cs.run(here(), executor=executor)
    assert threads.submit(int, "3").result() == 3  # it is still open


def test_what_a_function_raises_arrives_with_its_notes(threads):
    with pytest.raises(ValueError, match="no tea") as failed:
        cs.run(fails("no tea"), executor=FuturesExecutor(threads))
    assert any("'fails'" in note for note in failed.value.__notes__)


def test_what_cannot_be_sent_is_refused_in_a_sentence(threads):
    with pytest.raises(ProcessTransferError, match="an argument of 'takes'"):
        cs.run(takes(threading.Lock()), executor=FuturesExecutor(threads))


def test_what_is_no_pool_is_refused():
    with pytest.raises(TypeError, match=r"concurrent\.futures"):
        FuturesExecutor(object())


@pytest.mark.slow
def test_processes_of_another_pool_run_tasks_and_their_loss_is_named():
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        assert cs.run(where(), executor=FuturesExecutor(pool)) != os.getpid()
        with pytest.raises(WorkerLostError, match="ends_its_process"):
            cs.run(ends_its_process(), executor=FuturesExecutor(pool))


async def test_a_time_out_gives_up_what_the_pool_goes_on_with(threads):
    async with cs.Engine(executor=FuturesExecutor(threads)) as engine:
        with pytest.raises(TimeoutError, match="slow"):
            await engine.run(slow.with_timeout(0.05)(0.5))
        assert await engine.run(square(3)) == 9


async def test_what_has_not_begun_is_no_longer_begun():
    with ThreadPoolExecutor(1) as pool:
        executor = FuturesExecutor(pool)
        first = executor.submit(Invocation("remote", slow.function, (0.2,)))
        second = executor.submit(Invocation("remote", slow.function, (60.0,)))
        await asyncio.sleep(0.05)
        second.cancel()
        assert await first == "done"
        await executor.aclose()
