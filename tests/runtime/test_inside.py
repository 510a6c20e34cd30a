"""What a task's function may ask of the evaluation that called it."""

from __future__ import annotations

import asyncio

import pytest

import cascade as cs
from cascade.interfaces.errors import InvalidTaskError


@cs.task(mode="inline")
def double(x):
    return 2 * x


@cs.task(mode="inline")
def call_id():
    return cs.current().call_id


def test_a_loop_and_a_chain_of_tail_calls_are_the_same_agent():
    heard = {"loop": [], "tail": []}

    @cs.task
    async def loop(count):
        while len(heard["loop"]) < count:
            heard["loop"].append(await cs.evaluate(cs.recv("tick", buffered=True)))
            await cs.evaluate(cs.send("tock", len(heard["loop"])))

    @cs.task(mode="inline")
    def tail_tock(count):
        return after_tick(count, cs.recv("tick", buffered=True))

    @cs.task(mode="inline")
    def after_tick(count, tick):
        heard["tail"].append(tick)
        return after_tock(count, cs.send("tock", len(heard["tail"])))

    @cs.task(mode="inline")
    def after_tock(count, _sent):
        return None if len(heard["tail"]) == count else tail_tock(count)

    @cs.task(mode="inline")
    def ticks(left, _=None, _sent=None):
        return ticks(left - 1, cs.wait(1), cs.send("tick", left)) if left else None

    one = cs.simulate([loop(5), ticks(5)], listen=["tick"])
    other = cs.simulate([tail_tock(5), ticks(5)], listen=["tick"])
    assert heard["loop"] == heard["tail"] == [5, 4, 3, 2, 1]
    assert (one.duration, one.trace_hash) == (other.duration, other.trace_hash)


def test_evaluate_takes_calls_and_containers_of_calls():
    @cs.task
    async def outer():
        one = await cs.evaluate(double(double(3)))
        return one, await cs.evaluate([double(1), {"x": double(2)}, 7])

    assert cs.run(outer()) == (12, [2, {"x": 4}, 7])


def test_each_evaluation_is_a_graph_of_its_own():
    ran = []

    @cs.task(mode="inline")
    def count():
        ran.append(1)
        return len(ran)

    @cs.task
    async def outer():
        call = count()
        return [await cs.evaluate(call), await cs.evaluate(double(call))]

    assert cs.run(outer()) == [1, 4]


async def test_it_works_in_tasks_that_the_function_starts():
    @cs.task
    async def outer():
        async with asyncio.TaskGroup() as group:
            parts = [group.create_task(cs.evaluate(double(n))) for n in range(3)]
        return [part.result() for part in parts]

    assert await cs.run_async([outer(), outer()]) == [[0, 2, 4], [0, 2, 4]]


async def test_it_works_no_longer_once_the_run_has_ended():
    left = []

    async def late():
        await asyncio.sleep(0.01)
        await cs.evaluate(double(1))

    @cs.task
    async def outer():
        left.append(asyncio.create_task(late()))

    await cs.run_async(outer())
    with pytest.raises(RuntimeError, match="until it returns"):
        await left[0]


async def test_outside_of_a_task_there_is_nothing_to_ask():
    with pytest.raises(RuntimeError, match="no task is under way"):
        cs.current()
    with pytest.raises(RuntimeError, match="no task is under way"):
        await cs.evaluate(double(1))


def test_what_is_no_call_is_refused():
    @cs.task
    async def outer():
        await cs.evaluate(5)

    with pytest.raises(InvalidTaskError, match=r"cs\.evaluate takes a call of a task, not 5"):
        cs.run(outer())


@pytest.mark.parametrize("mode", ["inline", "thread"])
def test_current_tells_where_a_function_is_called_from(mode):
    @cs.task(mode=mode)
    def ask():
        return cs.current()

    here = cs.run(ask(), name="monday")
    assert (here.run_id, here.agent, here.task) == ("monday", "monday", ask.id)
    assert (here.step, here.attempt, here.cancelled) == (1, 1, False)
    assert cs.run([ask(), double(1)], name="pair")[0].agent == "pair/0"


def test_every_call_has_an_id_of_its_own():
    @cs.task(mode="inline")
    def gather(*ids):
        return list(ids)

    @cs.task(mode="inline")
    def loops(count, ids=()):
        ids = (*ids, cs.current().call_id)
        return loops(count - 1, ids) if count else ids

    @cs.task
    async def evaluates():
        return [await cs.evaluate(call_id()), await cs.evaluate(call_id()), cs.current().call_id]

    one, other, chain, inner, route = cs.run(
        gather(call_id(), call_id(), loops(3), evaluates(), cs.route(1, {1: call_id()}))
    )
    ids = [one, other, *chain, *inner, route]
    assert len(set(ids)) == len(ids) == 10


def test_it_is_the_same_for_every_attempt_and_run_of_the_program():
    seen = []

    @cs.task
    async def fails():
        seen.append((cs.current().call_id, await cs.evaluate(call_id()), cs.current().attempt))
        if len(seen) < 3:
            raise ValueError
        return seen

    (first, inner, _), *_others = cs.run(cs.retry(fails()), name="r")
    assert seen == [(first, inner, 1), (first, inner, 2), (first, inner, 3)]
    seen.clear()
    cs.run(fails.with_retry(3)(), name="r")
    assert len({each[:2] for each in seen}) == 1
    assert [each[2] for each in seen] == [1, 2, 3]
