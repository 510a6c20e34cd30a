"""A cached task is known by its id, its arguments by content; a value is computed once at a time."""

import asyncio
from dataclasses import dataclass

import pytest

import cascade as cs
from cascade.caches.memory import MemoryCache
from cascade.common.messaging.testing import capture
from cascade.interfaces.errors import CyclicGraphError, InvalidTaskError
from cascade.runtime.events import TaskFinished, TaskThrottled


@pytest.fixture
def ran():
    return []


# --- keys -----------------------------------------------------------------------------------------


def scaled(factor):
    @cs.task(mode="inline")
    def scale(x):
        return x * factor

    return scale.with_cache()


class Answer:
    def __init__(self, text):
        self.text = text

    def __call__(self, x):
        return self.text


async def test_tasks_of_one_name_never_share_an_entry(engine):
    pairs = [
        (scaled(2), scaled(10)),
        tuple(cs.task(f, mode="inline").with_cache() for f in (lambda x: x + 1, lambda x: x * x)),
        tuple(cs.task(Answer(text), mode="inline").with_cache() for text in "ab"),
    ]
    values = [(await engine.run(one(7)), await engine.run(other(7))) for one, other in pairs]
    assert values == [(14, 70), (8, 49), ("a", "b")]


ran_here = []


@cs.task(mode="inline")
def load_here(x):
    ran_here.append(x)
    return x


async def test_a_task_that_is_found_again_is_known_by_id_and_version(engine, monkeypatch):
    function = load_here.function
    for version in (None, None, "2", 2):  # the module is read anew, the version goes up
        made = cs.task(mode="inline", version=version)(function)
        monkeypatch.setitem(globals(), "load_here", made)
        await engine.run(made.with_cache()(1))
    assert ran_here.count(1) == 2


async def test_a_task_whose_code_has_changed_shares_no_entry_with_what_it_was(engine, monkeypatch):
    changed = compile("def load_here(x):\n    return -x", __file__, "exec")
    assert await engine.run(load_here.with_cache()(5)) == 5
    space = {"__name__": __name__}
    exec(changed, space)
    monkeypatch.setitem(globals(), "load_here", cs.task(mode="inline")(space["load_here"]))
    assert await engine.run(load_here.with_cache()(5)) == -5


@dataclass
class Point:
    x: object


async def test_arguments_are_told_apart_by_type_and_content(engine, ran):
    @cs.task(mode="inline")
    def load(x, scale=1):
        ran.append(x)
        return type(x).__name__

    cached = load.with_cache()
    for x in (1, True, 1.0, "1", [1], (1,), [True], {"a": 1}, {"a": 1.0}, {1}, Point(1), Point(2)):
        for _ in range(2):
            assert await engine.run(cached(x)) == type(x).__name__
    assert len(ran) == 12


async def test_an_argument_is_the_same_by_position_by_name_and_by_default(engine, ran):
    @cs.task(mode="inline")
    def load(x, scale=1):
        ran.append(x)

    cached = load.with_cache()
    for call in (cached(1), cached(x=1), cached(1, 1), cached(1, scale=1), cached(scale=1, x=1)):
        await engine.run(call)
    assert len(ran) == 1
    await engine.run(cached(1, 2))
    assert len(ran) == 2


async def test_a_mutable_argument_counts_as_it_was_at_the_call(engine, ran):
    @cs.task(mode="inline")
    def total(numbers):
        ran.append(list(numbers))
        return sum(numbers)

    numbers = [1, 2]
    assert await engine.run(total.with_cache()(numbers)) == 3
    numbers.append(3)
    assert await engine.run(total.with_cache()(numbers)) == 6


async def test_params_are_part_of_the_key_where_the_task_asks_for_them(engine):
    @cs.task(mode="inline")
    def speed(params=cs.inject("params")):
        return params["speed"]

    cached = speed.with_cache()
    assert [await engine.run(cached(), {"speed": n}) for n in (1, 2, 1)] == [1, 2, 1]


# --- resources ------------------------------------------------------------------------------------


async def test_a_task_with_a_resource_is_computed_each_time_and_says_so_once(engine, ran):
    @cs.resource
    def db():
        yield "db"

    @cs.task(mode="inline")
    def query(conn=cs.inject(db)):
        ran.append(conn)
        return len(ran)

    with capture() as messages:
        assert [await engine.run(query.with_cache()()) for _ in range(3)] == [1, 2, 3]
    assert [message.id for message in messages] == ["engine.not_cached"]
    assert messages[0].facts == {"task": "query", "resource": "db"}


async def test_a_resource_may_be_ignored_or_have_a_key(engine, ran):
    def opened(address):
        @cs.resource(name="db", cache_key=address)
        def db():
            yield address

        return db

    @cs.task(mode="inline")
    def query(conn=cs.inject("db")):
        ran.append(conn)
        return conn

    for address in ("a", "b", "a"):
        engine.register(opened(address))
        assert await engine.run(query.with_cache()()) == address
    assert ran == ["a", "b"]
    engine.register(opened(None))
    ignoring = query.with_cache(ignore=("db",))
    assert [await engine.run(ignoring()) for _ in range(2)] == [None, None]
    assert ran == ["a", "b", None]


# --- the final value, once at a time --------------------------------------------------------------


async def test_the_final_value_is_remembered_and_not_the_call_that_was_returned(engine, ran):
    @cs.task
    async def inner(x):
        ran.append(x)
        return [x, doubled(x)]

    @cs.task(mode="inline")
    def doubled(x):
        return 2 * x

    @cs.task(mode="inline")
    def outer(x):
        return inner(x)

    cached = outer.with_cache()
    assert [await engine.run(cached(2)) for _ in range(2)] == [[2, 4], [2, 4]]
    assert ran == [2]


async def test_equal_calls_at_the_same_time_compute_once(engine, ran):
    finished = []
    engine.events.listen(lambda e: isinstance(e, TaskFinished) and finished.append(e.cached))

    @cs.task
    async def load(x):
        ran.append(x)
        await asyncio.sleep(0)
        return x

    cached = load.with_cache()
    assert await engine.run([cached(1) for _ in range(20)]) == [1] * 20
    assert await asyncio.gather(*[engine.run(cached(2)) for _ in range(5)]) == [2] * 5
    assert ran == [1, 2]
    assert finished.count(False) == 2 + 1  # the list is a call, too
    assert finished.count(True) == 19 + 4


async def test_where_the_one_that_computes_fails_the_next_one_computes(engine, ran):
    @cs.task
    async def load():
        ran.append(1)
        await asyncio.sleep(0)
        if len(ran) == 1:
            raise OSError("the first one")
        return len(ran)

    cached = load.with_cache()
    ends = await asyncio.gather(*[engine.run(cached()) for _ in range(4)], return_exceptions=True)
    assert isinstance(ends[0], OSError)
    assert ends[1:] == [2, 2, 2]


async def test_where_the_one_that_computes_is_cancelled_the_next_one_computes(engine, ran):
    started = asyncio.Event()

    @cs.task
    async def load():
        ran.append(1)
        started.set()
        if len(ran) == 1:
            await asyncio.get_running_loop().create_future()
        return len(ran)

    cached = load.with_cache()
    first = asyncio.create_task(engine.run(cached()))
    await started.wait()
    second = asyncio.create_task(engine.run(cached()))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 2
    assert first.cancelled() or first.cancelling()


async def test_whoever_waits_for_another_to_compute_holds_no_slot(connector):
    throttled = []

    @cs.task
    async def load(x):
        await asyncio.sleep(0)
        return x

    async with cs.Engine(connector=connector, capacities={"gpu": 1}) as engine:
        engine.events.listen(lambda e: isinstance(e, TaskThrottled) and throttled.append(e))
        cached = load.with_cache().with_demands(gpu=1)
        assert await engine.run([cached(1) for _ in range(10)]) == [1] * 10
    assert throttled == []


async def test_a_cached_value_that_needs_itself_is_an_error(engine):
    @cs.task(mode="inline")
    def endless(x):
        return cached(x)

    cached = endless.with_cache()
    async with asyncio.timeout(30):
        with pytest.raises(CyclicGraphError, match="endless -> endless"):
            await engine.run(cached(1))


async def test_a_cached_recursion_computes_each_value_once(engine, ran):
    @cs.task(mode="inline")
    def fib(n):
        ran.append(n)
        return n if n < 2 else plus(cached(n - 1), cached(n - 2))

    @cs.task(mode="inline")
    def plus(a, b):
        return a + b

    cached = fib.with_cache()
    assert await engine.run(cached(30)) == 832_040
    assert sorted(ran) == list(range(31))


# --- how long -------------------------------------------------------------------------------------


def test_a_time_to_live_counts_in_unix_time(monkeypatch):
    now = [1_000.0]
    monkeypatch.setattr("cascade.runtime.concurrency.clock.time.time", lambda: now[0])
    store = {}
    task = cs.Task(lambda: now[0], mode="inline").with_cache(ttl=10)
    values = []
    for step in (0, 9, 2):  # each in an engine and on a loop of its own
        now[0] += step
        values.append(asyncio.run(cs.Engine(cache=store).run(task())))
    assert values == [1_000.0, 1_000.0, 1_011.0]


def test_the_default_cache_keeps_what_was_used_last_and_drops_what_is_past_its_time(simulated_time):
    cache = MemoryCache(max_entries=3)

    async def main():
        for key in "abc":
            cache[key] = (key, None)
        assert cache["a"] == ("a", None)
        cache["d"] = ("d", None)
        assert list(cache) == ["c", "a", "d"]
        cache["e"] = ("e", 5.0)
        cache["f"] = ("f", 9.0)
        cache["e"] = ("again", 50.0)
        assert list(cache) == ["d", "f", "e"]
        await asyncio.sleep(10)
        cache["g"] = ("g", 60.0)
        assert list(cache) == ["d", "e", "g"], "f is past its time, and e was renewed"
        del cache["d"]
        assert len(cache) == 2

    simulated_time(main())
    with pytest.raises(ValueError, match="at least 1"):
        MemoryCache(0)


async def test_an_argument_without_an_end_cannot_serve_as_a_key_and_says_what_to_do():
    @cs.task(mode="inline")
    def length(value):
        return len(value)

    endless = []
    endless.append(endless)
    deep = []
    for _ in range(5_000):
        deep = [deep]
    for value in (endless, deep):
        with pytest.raises(InvalidTaskError, match=r"cannot serve as a key: .*with_cache\(key="):
            await cs.run_async(length.with_cache()(value))
        assert await cs.run_async(length(value)) == 1
