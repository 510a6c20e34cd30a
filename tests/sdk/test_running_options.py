"""`cs.run` and `cs.run_async` take every option of the engine, and refuse any other by name."""

import inspect

import pytest

import cascade as cs
from cascade.caches.memory import MemoryCache
from cascade.running import EngineOptions, Options


@cs.task(mode="inline")
def answer(rng=cs.inject("rng")):
    return rng.random()


@cs.task(mode="inline")
def heavy():
    return "done"


@cs.task
async def hear(_given, heard):
    return heard


def test_every_option_of_the_engine_is_taken():
    of_engine = set(inspect.signature(cs.Engine).parameters) - {"name"}
    assert set(EngineOptions.__annotations__) == of_engine


def test_an_option_that_nobody_knows_is_refused_with_the_nearest_name():
    for name, nearest in {
        "conector": "connector",
        "capacity": "capacities",
        "lissen": "listen",
    }.items():
        with pytest.raises(TypeError, match=rf"no option '{name}'.*'{nearest}'"):
            cs.run(answer(), **{name: None})


async def test_an_unknown_option_is_refused_inside_a_loop_too():
    with pytest.raises(TypeError, match="no option 'sed'"):
        await cs.run_async(answer(), sed=1)


def test_what_is_given_reaches_the_engine():
    assert cs.run(answer(), seed=1, name="a") == cs.run(answer(), seed=1, name="a")
    assert cs.run(answer(), seed=1, name="a") != cs.run(answer(), seed=2, name="a")
    assert cs.run(heavy.with_demands(gpu=1)(), capacities={"gpu": 1}) == "done"
    cache = MemoryCache()
    cs.run(heavy.with_cache()(), cache=cache)
    assert len(cache) == 1


def test_the_name_is_that_of_the_run():
    seen = []

    @cs.resource(name="watch")
    def watch():
        yield None

    @cs.task(mode="inline")
    def who(frame=cs.inject("_frame")):
        seen.append(frame.run.id)

    cs.run(who(), name="monday", resources=[watch])
    assert seen == ["monday"]


def test_one_filter_may_be_listened_to_as_plain_text():
    bus = cs.LocalBusConnector(cs.LocalBroker())
    call = hear(cs.send("abc", "whole"), cs.recv("abc"))
    assert cs.run(call, connector=bus, listen="abc") == "whole"
    assert cs.simulate(call, listen="abc").results == ["whole"]


def test_options_are_typed_as_those_of_the_engine():
    assert set(Options.__annotations__) == {
        *EngineOptions.__annotations__,
        *set(inspect.signature(cs.Engine.run).parameters) - {"self", "target", "params", "dry_run"},
        "resources",
    }
