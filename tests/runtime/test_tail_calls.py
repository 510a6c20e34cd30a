"""Engine contract, "Tail calls": any depth, mutual, from any task, constant memory, a loop that breathes."""

import asyncio
import tracemalloc

import pytest

import cascade as cs
from cascade.testing.connectors import patience


@cs.task
async def countdown(n):
    return n if n == 0 else countdown(n - 1)


@cs.task(mode="inline")
def inline_countdown(n):
    return n if n == 0 else inline_countdown(n - 1)


@cs.task
async def even(n):
    return True if n == 0 else odd(n - 1)


@cs.task(mode="inline")
def odd(n):
    return False if n == 0 else even(n - 1)


@cs.task(mode="inline")
def minus_one(n):
    return n - 1


@cs.task
async def nested_countdown(n):
    return n if n == 0 else nested_countdown(minus_one(n))


@cs.task
async def spin():
    return spin()


@pytest.mark.parametrize(
    ("start", "expected"),
    [(countdown, 0), (inline_countdown, 0), (even, True), (nested_countdown, 0)],
    ids=["async", "inline", "mutual", "nested argument"],
)
async def test_tail_calls_of_any_depth_run_in_constant_memory(start, expected):
    engine = cs.Engine()
    seen = []
    engine.events.listen(lambda event: seen.append(1) if len(seen) < 3 else None)
    await engine.run(start(1000))  # everything that is made once is made
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        assert await engine.run(start(20_000)) == expected
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak - before < 500_000
    assert seen


async def test_tail_call_may_end_any_step_also_one_with_a_graph():
    @cs.task(mode="inline")
    def add(a, b):
        return a + b

    @cs.task
    async def collatz(n, steps):
        if n == 1:
            return steps
        return collatz(add(n // 2, 0) if n % 2 == 0 else add(3 * n, 1), add(steps, 1))

    assert await cs.run_async(collatz(27, 0)) == 111


async def test_recursion_that_is_no_tail_call_needs_no_python_stack():
    @cs.task(mode="inline")
    def add(a, b):
        return a + b

    @cs.task(mode="inline")
    def total(n):
        return 0 if n == 0 else add(n, total(n - 1))

    assert await cs.run_async(total(5000)) == 5000 * 5001 // 2


async def test_an_inner_task_may_tail_call_for_long_in_constant_memory():
    @cs.task(mode="inline")
    def double(x):
        return 2 * x

    engine = cs.Engine()
    await engine.run(double(countdown(100)))
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        assert await engine.run(double(inline_countdown(20_000))) == 0
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak - before < 500_000


async def test_a_chain_that_never_suspends_lets_the_loop_breathe_and_can_be_cancelled():
    running = asyncio.create_task(cs.run_async(spin()))
    for _ in range(20):
        await asyncio.sleep(0)  # comes back only because the chain gives the loop its turns
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_spinning_runs_share_the_loop():
    engine = cs.Engine()
    counts = {"a": 0, "b": 0, "c": 0}

    @cs.task(mode="inline")
    def busy(name):
        counts[name] += 1
        return busy(name)

    running = [asyncio.create_task(engine.run(busy(name))) for name in counts]
    for _ in range(30):
        await asyncio.sleep(0)
    for each in running:
        each.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    assert min(counts.values()) >= 25  # a step in every turn, but for the first few


async def test_a_signal_reaches_a_workflow_beside_one_that_spins():
    connector = cs.LocalBusConnector(cs.LocalBroker())
    async with cs.Engine(connector=connector) as engine:
        spinning = asyncio.create_task(engine.run(spin()))
        hearing = asyncio.create_task(engine.run(cs.recv("news"), listen=["news"]))
        await asyncio.sleep(0)
        await connector.publish("news", "good")
        assert await hearing == "good"
        spinning.cancel()
        await asyncio.gather(spinning, return_exceptions=True)


async def test_a_pause_holds_a_chain_that_never_suspends():
    connector = cs.LocalBusConnector(cs.LocalBroker())
    steps = []

    @cs.task(mode="inline")
    def step(n):
        steps.append(n)
        return step(n + 1)

    async with cs.Engine(connector=connector) as engine:
        running = asyncio.create_task(engine.run(step(0)))
        await asyncio.sleep(0)
        await connector.publish(
            "cascade/constraints/global", {"id": "p", "type": "pause"}, retain=True
        )
        await asyncio.sleep(0)
        held_at = len(steps)
        for _ in range(100):  # in each turn of the loop a chain that runs makes many steps
            await asyncio.sleep(0)
        assert len(steps) == held_at
        await connector.publish("cascade/constraints/global", {}, retain=True)
        async with patience():
            while len(steps) == held_at:
                await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
