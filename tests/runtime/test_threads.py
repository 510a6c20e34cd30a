"""Functions in threads: when their time begins, and what becomes of one that nobody waits for any more."""

import asyncio
import gc
import threading

import pytest

import cascade as cs
from cascade.common.messaging.testing import capture
from cascade.executors.pool import PoolExecutor
from cascade.interfaces.executor import Invocation

PATIENCE = 30  # seconds: a bound for what goes wrong, not a measure of anything


class Door:
    """Holds threads until it is opened, and counts them."""

    def __init__(self):
        self.opened = threading.Event()
        self.inside = 0
        self.most = 0
        self.entered = threading.Event()

    def pass_through(self):
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.entered.set()
        try:
            assert self.opened.wait(PATIENCE)
        finally:
            self.inside -= 1


@pytest.fixture
def door():
    """A door that is open at the latest when the test ends, so that no thread stays behind."""
    door = Door()
    yield door
    door.opened.set()


async def until(condition):
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.001)


@pytest.mark.slow
async def test_waiting_for_a_free_thread_takes_no_time_of_the_function(door):
    @cs.task
    def first():
        door.pass_through()

    @cs.task
    def second():
        return "in time"

    async with cs.Engine(executor=PoolExecutor(max_threads=1)) as engine:
        holding = asyncio.create_task(engine.run(first()))
        await until(door.entered.is_set)
        waiting = asyncio.create_task(engine.run(second.with_timeout(1)()))
        await asyncio.sleep(1.1)
        assert not waiting.done()
        door.opened.set()
        assert await waiting == "in time"
        await holding


async def test_the_caller_hears_of_a_timeout_while_the_thread_still_runs_and_the_function_is_told(
    door,
):
    told = []

    @cs.task
    def slow():
        door.pass_through()
        told.append(cs.current().cancelled)

    async with cs.Engine() as engine:
        with pytest.raises(TimeoutError, match=r"task 'slow' took longer than 0\.01 s"):
            await engine.run(slow.with_timeout(0.01)())
        assert door.inside == 1
        door.opened.set()
    assert told == [True], "the engine waited for it"


async def test_a_call_that_is_wanted_is_not_told_otherwise():
    @cs.task
    def told():
        return cs.current().cancelled

    assert await cs.run_async(told.with_timeout(PATIENCE)()) is False


async def test_a_retry_waits_for_the_thread_of_the_attempt_before(door):
    tries = []

    @cs.task
    def slow_at_first():
        tries.append(1)
        if len(tries) == 1:
            door.pass_through()
        return door.inside

    task = slow_at_first.with_timeout(0.01).with_retry(2, on=(TimeoutError,))
    async with cs.Engine() as engine:
        retrying = []
        engine.events.listen(lambda event: retrying.append(type(event).__name__))
        running = asyncio.create_task(engine.run(task()))
        await until(lambda: "TaskRetrying" in retrying)
        await asyncio.sleep(0.01)
        assert len(tries) == 1
        door.opened.set()
        assert await running == 0


@pytest.mark.parametrize("scope", ["task", "run", "engine"])
@pytest.mark.parametrize("ends_by", ["time-out", "cancellation"])
async def test_what_a_thread_uses_closes_after_its_end(door, scope, ends_by):
    log = []

    @cs.resource(scope=scope)
    def db():
        try:
            yield
        finally:
            log.append(f"closed with {door.inside} inside")

    @cs.resource(scope=scope)
    def other():
        try:
            yield
        finally:
            log.append("other closed")

    @cs.task
    def use(db=cs.inject(db), other=cs.inject(other)):
        door.pass_through()

    async with cs.Engine() as engine:
        task = use.with_timeout(0.05 if ends_by == "time-out" else PATIENCE)
        running = asyncio.create_task(engine.run(task()))
        await until(door.entered.is_set)
        if ends_by == "cancellation":
            running.cancel()
        with pytest.raises((TimeoutError, asyncio.CancelledError)):
            await running
        assert door.inside == 1, "the caller did not wait"
        assert log == []
        door.opened.set()
    assert log == ["other closed", "closed with 0 inside"]


async def test_a_failed_sibling_does_not_close_what_a_thread_uses(door):
    log = []

    @cs.resource
    def db():
        try:
            yield
        except ValueError:
            log.append(door.inside)

    @cs.task
    def use(db=cs.inject(db)):
        door.pass_through()

    @cs.task
    async def fail():
        await until(door.entered.is_set)
        raise ValueError("sibling")

    async with cs.Engine() as engine:
        with pytest.raises(ValueError, match="sibling"):
            await engine.run([use(), fail()])
        assert door.inside == 1
        door.opened.set()
    assert log == [0]


async def test_a_thread_that_does_not_end_is_reported_and_what_it_uses_stays_open(door):
    log = []

    @cs.resource
    def needed():
        try:
            yield
        finally:
            log.append("needed closed")

    @cs.resource
    def db(needed=cs.inject(needed)):
        try:
            yield
        finally:
            log.append("db closed")

    @cs.resource
    async def other():
        try:
            yield
        finally:
            log.append("other closed")

    @cs.task
    def stuck(db=cs.inject(db)):
        door.pass_through()

    @cs.task
    async def neighbour(other=cs.inject(other)):
        return "fine"

    targets = [stuck.with_timeout(0.01)(), neighbour()]
    with capture() as messages, pytest.raises(TimeoutError):
        await cs.run_async(targets, shutdown_timeout=0.01)
    gc.collect()
    assert [message.id for message in messages] == ["engine.thread_left"]
    assert "stuck" in messages[0].text
    assert log == ["other closed"]


async def test_what_waits_for_a_thread_is_not_begun_after_its_cancellation(door):
    called = []

    @cs.task
    def first():
        door.pass_through()

    @cs.task
    def second():
        called.append(1)

    async with cs.Engine(executor=PoolExecutor(max_threads=1)) as engine:
        holding = asyncio.create_task(engine.run(first()))
        await until(door.entered.is_set)
        waiting = asyncio.create_task(engine.run(second()))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        door.opened.set()
        await holding
        await engine.run(first())
    assert called == []


async def test_what_goes_one_after_the_other_stays_in_one_thread():
    @cs.resource
    def opened_in():
        yield threading.get_ident()

    @cs.task
    def idents(before, opened=cs.inject(opened_in)):
        return {*before, opened, threading.get_ident()}

    @cs.task
    def at_once(n):
        return n

    async with cs.Engine() as engine:
        await engine.run(at_once.map(range(20)))
        assert len(await engine.run(idents(idents(idents(set()))))) == 1


async def test_two_engines_share_an_executor_that_outlives_them():
    executor = PoolExecutor(max_threads=2)

    @cs.task
    def double(n):
        return 2 * n

    for _ in range(2):
        assert await cs.run_async(double.map(range(5)), executor=executor) == [0, 2, 4, 6, 8]
        await executor.aclose()


async def test_work_in_line_is_refused_when_the_executor_closes(door):
    executor = PoolExecutor(max_threads=1)
    first = executor.submit(Invocation("thread", door.pass_through))
    second = executor.submit(Invocation("thread", door.pass_through))
    await executor.aclose()
    with pytest.raises(RuntimeError, match="executor was closed before"):
        await second
    door.opened.set()
    await first


@pytest.mark.parametrize("size", [{"max_threads": 0}, {"max_processes": -1}])
def test_a_pool_without_workers_is_refused(size):
    with pytest.raises(ValueError, match=f"{next(iter(size))} is at least 1"):
        PoolExecutor(**size)


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_a_shutdown_timeout_that_makes_no_sense_is_refused(seconds):
    with pytest.raises(ValueError, match="shutdown_timeout is a number of seconds >= 0"):
        cs.Engine(shutdown_timeout=seconds)
