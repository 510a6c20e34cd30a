"""A cached task is known by its id, its arguments by content; a value is computed once at a time."""

import asyncio
from dataclasses import dataclass

import pytest

import cascade as cs
from cascade.caches.memory import MemoryCache
from cascade.common.messaging.testing import capture
from cascade.interfaces.errors import CyclicGraphError
from cascade.runtime.events import TaskCached, TaskFinished, TaskStarted, TaskThrottled


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
    store = MemoryCache()
    task = cs.Task(lambda: now[0], mode="inline").with_cache(ttl=10)
    values = []
    for step in (0, 9, 2):  # each in an engine and on a loop of its own
        now[0] += step
        values.append(asyncio.run(cs.Engine(cache=store).run(task())))
    assert values == [1_000.0, 1_000.0, 1_011.0]


async def test_what_cannot_serve_as_a_key_is_computed_each_time_and_said_once(engine):
    @cs.task(mode="inline")
    def length(value):
        return len(value)

    endless, deep = [], []
    endless.append(endless)
    for _ in range(5_000):
        deep = [deep]
    for value, reason in (
        (endless, "holds itself"),
        (deep, "nested too deep"),
        ([object()], "object"),
    ):
        with capture() as messages:
            for _ in range(2):
                assert await engine.run(length.with_cache()(value)) == 1
        if value is endless:
            assert [message.id for message in messages] == ["engine.no_content"]
            assert reason in str(messages[0].facts["reason"])
            assert messages[0].facts["argument"] == "value"
        else:
            assert messages == [], "once for the argument of a task"


async def test_a_key_of_ones_own_stands_for_the_arguments(engine, ran):
    @cs.task(mode="inline")
    def length(value):
        ran.append(value)
        return len(value)

    cached = length.with_cache(key=lambda value: [len(value)])
    assert [await engine.run(cached([object()] * n)) for n in (1, 2, 1)] == [1, 2, 1]
    assert len(ran) == 2


# --- what steers it -------------------------------------------------------------------------------


@cs.task(mode="inline")
def load_with(x):
    ran_here.append(x)
    return x


async def test_a_version_of_the_policy_stands_for_the_code(engine, monkeypatch):
    ran_here.clear()
    for version in (1, 2, 1, None):
        await engine.run(load_with.with_cache(version=version)(5))
    assert ran_here == [5, 5, 5]
    space = {"__name__": __name__, "ran_here": ran_here}
    exec(compile("def load_with(x):\n    return -x", __file__, "exec"), space)
    monkeypatch.setitem(globals(), "load_with", cs.task(mode="inline")(space["load_with"]))
    assert await engine.run(load_with.with_cache(version=1)(5)) == 5


async def test_what_a_task_depends_on_beside_is_part_of_the_key(engine, tmp_path, ran):
    table = tmp_path / "table.csv"
    table.write_text("1")

    @cs.task(mode="inline")
    def load():
        ran.append(1)
        return int(table.read_text())

    cached = load.with_cache(depends=[cs.File(table)])
    assert [await engine.run(cached()) for _ in range(2)] == [1, 1]
    table.write_text("2")
    assert [await engine.run(cached()) for _ in range(2)] == [2, 2]
    assert len(ran) == 2
    for depends in ([len], [max], [asyncio], [("a", 1)], [("a", 2)]):
        for _ in range(2):
            await engine.run(load.with_cache(depends=depends)())
    assert len(ran) == 7


async def test_a_file_is_known_by_what_is_in_it(engine, tmp_path, ran):
    @cs.task(mode="inline")
    def total(source):
        ran.append(source)
        return sum(map(int, source.path.read_text().split()))

    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("1 2")
    second.write_text("1 2")
    cached = total.with_cache()
    assert [await engine.run(cached(cs.File(each))) for each in (first, second)] == [3, 3]
    assert len(ran) == 1
    second.write_text("1 2 3")
    assert await engine.run(cached(cs.File(second))) == 6
    with capture() as messages, pytest.raises(FileNotFoundError):
        await engine.run(cached(cs.File(tmp_path / "c")))
    assert [message.id for message in messages] == ["engine.no_content"]


def test_a_cache_is_a_cache_or_where_one_is(tmp_path):
    for given in ({}, 5, [tmp_path]):
        with pytest.raises(TypeError, match="a MemoryCache, a FileCache, the path of a folder"):
            cs.Engine(cache=given)
    with pytest.raises(TypeError, match="ignore is a tuple of names"):
        load_with.with_cache(ignore="db")


# --- what is told ---------------------------------------------------------------------------------


async def test_a_value_that_was_remembered_is_told_with_its_task_call_and_place(engine):
    told = []
    engine.events.listen(told.append)
    for _ in range(2):
        await engine.run([load_with.with_cache()(7), 1], name="seven")
    (cached,) = [event for event in told if isinstance(event, TaskCached)]
    assert cached.task_id == load_with.id
    assert cached.call_id == f"seven/0@{cached.place}"
    assert repr(cached.call) == "load_with(7)"
    assert told[told.index(cached) - 1] == TaskStarted("seven", cached.time, "load_with")
    assert told[told.index(cached) + 1].cached
