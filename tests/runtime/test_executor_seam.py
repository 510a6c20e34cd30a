"""What an executor is given to know about a call, and how an engine comes to its executor."""

import asyncio

import pytest

import cascade as cs
from cascade.executors.pool import PoolExecutor
from cascade.interfaces.errors import DemandError, UnknownSchemeError
from cascade.interfaces.properties import to_send
from cascade.runtime import plugins
from cascade.runtime.plugins import Plugin
from cascade.runtime.state import execution


class Here:
    """Calls functions at once, on the event loop, and keeps what it was given."""

    takes_demands_of = frozenset({"remote"})

    def __init__(self, url=""):
        self.url = url
        self.given = []
        self.closed = 0

    def submit(self, invocation):
        self.given.append(invocation)
        invocation.begins("here")
        done = asyncio.get_running_loop().create_future()
        done.set_result(invocation.function(*invocation.args, **invocation.kwargs))
        return done

    async def aclose(self):
        self.closed += 1


@cs.task(mode="remote")
def double(n: int) -> int:
    return 2 * n


async def test_an_executor_is_told_about_the_call():
    executor = Here()
    token = to_send.set((("traceparent", "00-aa-bb-01"),))
    patient = double.with_retry(4).with_timeout(60)
    assert await cs.run_async(patient(3), executor=executor, name="one") == 6
    to_send.reset(token)
    (given,) = executor.given
    assert (given.mode, given.name, given.args, given.attempts) == ("remote", "double", (3,), 4)
    assert (given.timeout, given.runs_on) == (60, "here")
    assert (given.current.run_id, given.current.task) == ("one", double.id)
    assert given.trace == (("traceparent", "00-aa-bb-01"),)


async def test_what_the_engine_has_no_capacity_of_is_left_to_the_executor():
    executor = Here()
    task = double.with_demands(gpu=1, slot=1)
    engine = cs.Engine(executor=executor, capacities={"slot": 1})
    assert await engine.run(task.map([1, 2])) == [2, 4]
    assert [each.demands for each in executor.given] == [{"gpu": 1}] * 2
    with pytest.raises(DemandError, match="demands 2 of 'slot'"):
        await engine.run(double.with_demands(slot=2)(1))


@pytest.mark.parametrize("executor", [PoolExecutor(), Here()])
async def test_what_neither_has_is_refused(executor):
    here = cs.task(len, mode="thread").with_demands(gpu=1)
    task = double.with_demands(gpu=1) if isinstance(executor, PoolExecutor) else here
    with pytest.raises(DemandError, match="a capacity that this engine does not have"):
        await cs.run_async(task("a"), executor=executor)


async def test_an_executor_of_a_url_is_the_engines_own(monkeypatch):
    made = []
    offer = Plugin("here", "somebody", lambda: lambda url: made.append(Here(url)) or made[-1])
    monkeypatch.setattr(plugins, "plugins", lambda _group: {"here": offer})
    assert await cs.run_async(double(2), executor="here://somewhere") == 4
    assert [(each.url, each.closed) for each in made] == [("here://somewhere", 1)]


def test_a_url_that_nobody_knows_is_refused():
    with pytest.raises(UnknownSchemeError, match=r"cascade-py\[dask\]"):
        execution.executor_in("ray://somewhere")
