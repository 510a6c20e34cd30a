"""Engine contract, "Policies": retries, time-outs, cache, resource demands."""

import asyncio

import pytest

import cascade as cs
from cascade.caches.memory import MemoryCache
from cascade.interfaces.errors import InvalidTaskError
from cascade.runtime.events import TaskFinished, TaskRetrying, TaskThrottled
from rows import each_row


def flaky(failures, error=OSError):
    tries = []

    @cs.task
    async def flaky_task():
        tries.append(1)
        if len(tries) <= failures:
            raise error("not yet")
        return len(tries)

    return flaky_task


async def test_a_retried_task_is_called_until_it_succeeds():
    assert await cs.run_async(flaky(2).with_retry(3)()) == 3


async def test_the_last_failure_is_raised_when_the_attempts_are_used_up():
    with pytest.raises(OSError, match="not yet") as caught:
        await cs.run_async(flaky(5).with_retry(2)())
    assert "after 2 attempts" in caught.value.__notes__


async def test_only_the_named_exceptions_are_retried():
    with pytest.raises(KeyError):
        await cs.run_async(flaky(1, KeyError).with_retry(3, on=(OSError,))())


async def test_waits_between_attempts_grow_by_the_back_off_up_to_a_limit():
    engine = cs.Engine()
    waits = []
    engine.events.listen(
        lambda event: waits.append(event.wait) if isinstance(event, TaskRetrying) else None
    )
    await engine.run(flaky(4).with_retry(5, delay=0.001, backoff=2, max_delay=0.003)())
    assert waits == pytest.approx([0.001, 0.002, 0.003, 0.003])


async def test_jitter_spreads_the_waits():
    engine = cs.Engine()
    waits = []
    engine.events.listen(
        lambda event: waits.append(event.wait) if isinstance(event, TaskRetrying) else None
    )
    await engine.run(flaky(5).with_retry(6, delay=0.001, backoff=1, jitter=0.5)())
    assert len(set(waits)) > 1
    assert all(0.0005 <= wait <= 0.0015 for wait in waits)


async def test_a_task_that_takes_too_long_times_out_by_name():
    @cs.task
    async def slow():
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError, match=r"task 'slow' took longer than 0\.001 s"):
        await cs.run_async(slow.with_timeout(0.001)())


async def test_a_timeout_holds_for_each_attempt():
    tries = []

    @cs.task
    async def slow_at_first():
        tries.append(1)
        if len(tries) == 1:
            await asyncio.Event().wait()
        return "quick"

    task = slow_at_first.with_timeout(0.001).with_retry(2, on=(TimeoutError,))
    assert await cs.run_async(task()) == "quick"


async def test_a_timeout_that_the_function_raises_itself_stays_its_own():
    @cs.task
    async def own():
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        await cs.run_async(own.with_timeout(5)())


@each_row("value", [7, None, [1]])
async def test_a_cached_value_is_remembered_even_none(value):
    calls = []

    @cs.task
    async def costly(key):
        calls.append(key)
        return value

    engine = cs.Engine()
    cached = costly.with_cache()
    assert await engine.run([cached("a")]) == [value]
    assert await engine.run([cached("a"), cached("b")]) == [value, value]
    assert calls == ["a", "b"]


def test_a_cached_value_is_forgotten_after_its_time(simulated_time):
    calls = []

    @cs.task
    async def costly():
        calls.append(1)

    async def main():
        engine = cs.Engine()
        cached = costly.with_cache(ttl=10)
        counts = []
        for seconds in (0, 9, 2):
            await asyncio.sleep(seconds)
            await engine.run(cached())
            counts.append(len(calls))
        return counts

    assert simulated_time(main()) == [1, 1, 2]


async def test_a_cached_task_tells_that_its_value_was_remembered():
    engine = cs.Engine()
    cached = []
    engine.events.listen(
        lambda event: cached.append(event.cached) if isinstance(event, TaskFinished) else None
    )
    task = cs.Task(lambda: 1, name="one", mode="inline").with_cache()
    await engine.run(task())
    await engine.run(task())
    assert cached == [False, True]


async def test_engines_may_share_a_cache_of_the_users_own():
    store = MemoryCache()
    task = cs.Task(lambda: 1, name="one", mode="inline").with_cache()
    for _ in range(2):
        await cs.Engine(cache=store).run(task())
    assert len(store) == 1


async def test_demands_never_exceed_the_engines_capacity():
    running = []
    most = []

    @cs.task
    async def render(n):
        running.append(n)
        most.append(len(running))
        await asyncio.sleep(0)
        running.remove(n)

    engine = cs.Engine(capacities={"gpu": 2})
    await engine.run([render.with_demands(gpu=1)(n) for n in range(6)])
    assert max(most) == 2
    assert len(most) == 6


async def test_tasks_held_by_a_capacity_start_in_order_and_tell():
    order = []
    held = []

    @cs.task
    async def work(n):
        order.append(n)
        await asyncio.sleep(0)

    engine = cs.Engine(capacities={"slot": 1})
    engine.events.listen(
        lambda event: held.append(event) if isinstance(event, TaskThrottled) else None
    )
    await engine.run([work.with_demands(slot=1)(n) for n in range(5)])
    assert order == [0, 1, 2, 3, 4]
    assert len(held) == 4


async def test_a_failed_task_gives_its_capacity_back():
    @cs.task
    async def fails():
        raise OSError("no")

    engine = cs.Engine(capacities={"slot": 1})
    for _ in range(3):
        with pytest.raises(OSError, match="no"):
            await engine.run(fails.with_demands(slot=1)())


@each_row(
    ("demands", "says"), [({"gp": 1}, "Did you mean 'gpu'"), ({"gpu": 3}, "the engine has 2")]
)
async def test_a_demand_that_can_never_be_met_is_an_error_at_once(demands, says):
    task = cs.Task(lambda: 1, name="one", mode="inline").with_demands(**demands)
    with pytest.raises(InvalidTaskError, match=says):
        await cs.Engine(capacities={"gpu": 2}).run(task())


async def test_policies_add_up():
    task = flaky(1).with_retry(2).with_timeout(5).with_cache()
    engine = cs.Engine()
    assert await engine.run(task()) == 2
    assert await engine.run(task()) == 2
