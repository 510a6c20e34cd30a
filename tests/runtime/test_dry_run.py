"""``engine.run(…, dry_run=True)``: what would run, is cached, skipped or undecided, and nothing is done."""

from pathlib import Path

import pytest

import cascade as cs
from cascade.interfaces.errors import CyclicGraphError, UnknownParameterError

DONE = []


def everything_in(folder):
    return {str(each): each.is_file() and each.read_bytes() for each in folder.rglob("*")}


@cs.task(mode="inline")
def fetch(x):
    DONE.append(x)
    return x * 10


@cs.task
def add(*values):
    DONE.append(values)
    return sum(values)


cached = fetch.with_cache()


@cs.task(mode="inline")
def build(source, name):
    DONE.append(name)
    Path(f"{name}.html").write_text(source.path.read_text())
    return len(name)


page = build.with_outputs("{name}.html")


async def dry(target, params=None, engine=None):
    DONE.clear()
    found = await (engine or cs.Engine()).run(target, params, dry_run=True)
    assert DONE == []
    return [str(each) for each in found]


async def with_cached(*numbers):
    engine = cs.Engine()
    for number in numbers:
        await engine.run(cached(number))
    return engine


async def test_what_would_run_is_told_in_an_order_in_which_it_could():
    assert await dry(add(fetch(1), add(fetch(2), 3))) == [
        "would run  fetch(1)",
        "would run  fetch(2)",
        "would run  add(…, 3)",
        "would run  add(…, …)",
    ]
    assert await dry(fetch, {"x": 1}) == ["would run  fetch(x=1)"]
    assert await dry([fetch(1), {"a": fetch(2)}]) == ["would run  fetch(1)", "would run  fetch(2)"]


async def test_it_goes_as_far_as_the_cache_reaches():
    engine = await with_cached(1, 10)
    assert await dry(add(cached(cached(1)), cached(2), cached(add(1))), engine=engine) == [
        "cached     fetch(1)",
        "cached     fetch(10)",
        "would run  fetch(2): the cache has no value for it",
        "would run  add(1)",
        "would run  fetch(…): its arguments are not known before",
        "would run  add(100, …, …)",
    ]


async def test_files_that_are_as_they_would_be_written_are_skipped(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = cs.File("a.txt")
    source.path.write_text("a")
    site = [page(source, "x"), add(cached(page(source, "y")))]

    def engine():
        return cs.Engine(cache="cache")

    missing = "its outputs are not there, or not known to be as it would write them"
    told = [
        f"would run  build(File('a.txt'), 'x'): {missing}",
        f"would run  build(File('a.txt'), 'y'): {missing}",
        "would run  fetch(…): its arguments are not known before",
        "would run  add(…)",
    ]
    assert await dry(site, engine=engine()) == told
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]  # no cache was begun
    await engine().run(site)
    values = tmp_path / "cache" / "values"
    before = everything_in(values)
    up_to_date = "its outputs are there, as it would write them"
    assert await dry(site, engine=engine()) == [
        f"skipped    build(File('a.txt'), 'x'): {up_to_date}",
        f"skipped    build(File('a.txt'), 'y'): {up_to_date}",
        "cached     fetch(1)",
        "would run  add(10)",
    ]
    assert everything_in(values) == before
    assert not any("db-" in each.name for each in (tmp_path / "cache").iterdir())  # it is closed
    source.path.write_text("b")
    assert await dry(site, engine=engine()) == told
    source.path.write_text("a")
    (tmp_path / "x.html").unlink()
    (tmp_path / "y.html").write_text("changed")
    assert await dry(site, engine=engine()) == told


async def test_looking_tells_nobody_and_what_has_no_key_would_run():
    engine = await with_cached(1)
    events = []
    engine.events.listen(events.append)
    assert await dry(cached(1), engine=engine) == ["cached     fetch(1)"]
    (shown,) = await dry(cached(n for n in ()), engine=engine)
    assert shown.startswith("would run  fetch(<generator")
    assert events == []


async def test_a_call_that_occurs_twice_is_told_once():
    one = fetch(1)
    assert len(await dry(add(one, one))) == 2


async def test_conditions_and_routes_are_decided_where_that_is_known():
    engine = await with_cached(0)
    kind = cs.param("kind")
    routed = cs.route(kind, {"a": fetch(1), "b": add(2)})
    assert await dry(routed, {"kind": "b"}) == ["would run  add(2)"]
    assert await dry(fetch.run_if(cached(0), or_else=add(9))(fetch(5)), engine=engine) == [
        "cached     fetch(0)",
        "skipped    fetch(fetch(5)): its condition is false",
        "would run  add(9)",
    ]
    assert await dry(fetch.run_if(fetch(1))(2)) == [
        "would run  fetch(1)",
        "undecided  run_if(…, fetch(2)): it depends on what is not known before",
    ]
    assert (await dry(cs.route(fetch(1), {1: add(2)})))[1].startswith(
        "undecided  route(…, {1: add(2)})"
    )


@pytest.mark.parametrize("window", [None, 2])
async def test_mappings_are_gone_through_where_their_items_are_known(window):
    engine = await with_cached(1, 2, 3)
    mapped = cached if window is None else cached.with_window(window)
    assert await dry(add(mapped.map([1, 2, 3, 4])), engine=engine) == [
        "cached     fetch(1)",
        "cached     fetch(2)",
        "cached     fetch(3)",
        "would run  fetch(4): the cache has no value for it",
        "would run  add(…)",
    ]
    assert await dry(add(mapped.map([1, 2])), engine=engine) == [
        "cached     fetch(1)",
        "cached     fetch(2)",
        "would run  add([10, 20])",
    ]
    assert (await dry(mapped.map(fetch(1))))[1].startswith("undecided  map(")


async def test_combinators_and_parts_of_the_language():
    engine = await with_cached(1)
    for combined in (
        cs.retry(cached(1), 3),
        cs.timeout(cached(1), 3),
        cs.catch(cached(1), OSError, use=2),
        cs.after(cached(1), cs.param("x")),
    ):
        assert await dry(add(combined), {"x": 1}, engine) == [
            "cached     fetch(1)",
            "would run  add(10)",
        ]
    assert await dry(add(cs.retry(fetch(1), 3, when=bool))) == [
        "would run  fetch(1)",
        "would run  add(…)",
    ]
    assert await dry(cs.settle([fetch(1), fetch(2)])) == [
        "would run  fetch(1)",
        "would run  fetch(2)",
    ]
    assert await dry(add(cs.catch(fetch(1), OSError, use=2))) == [
        "would run  fetch(1)",
        "would run  add(…)",
    ]
    assert await dry(add(cs.wait(3), cs.env("CASCADE_NONE", 5, type=int))) == [
        "would run  wait(3)",
        "would run  add(…, 5)",
    ]


async def test_what_speaks_or_listens_is_only_told_of(monkeypatch):
    connector = cs.LocalBusConnector(broker=cs.LocalBroker())
    found = await dry(add(cs.send("a", 1), cs.recv("b")), engine=cs.Engine(connector=connector))
    assert [each.split("(")[0] for each in found] == [
        "would run  send",
        "would run  recv",
        "would run  add",
    ]
    assert not connector.connected


async def test_resources_stay_closed():
    @cs.resource
    def opened():
        raise AssertionError("opened")
        yield

    @cs.task
    def uses(x, it=cs.inject(opened)):
        return x

    assert await dry(uses(1)) == ["would run  uses(1)"]


async def test_what_is_wrong_before_anything_runs_is_raised():
    with pytest.raises(UnknownParameterError):
        await dry(fetch(cs.param("x")))
    call = fetch(1)
    call.args = (call,)
    with pytest.raises(CyclicGraphError):
        await dry(call)
    with pytest.raises(ValueError, match="durable"):
        await cs.Engine().run(fetch(1), durable=True, dry_run=True, name="x")


async def test_a_long_chain_is_no_recursion():
    call = fetch(0)
    for _ in range(20_000):
        call = fetch(call)
    assert len(await dry(call)) == 20_001


async def test_it_is_counted():
    engine = await with_cached(1)
    found = await engine.run([cached(1), fetch(2), fetch(3)], dry_run=True)
    assert dict(found.counts) == {"cached": 1, "would run": 2}
    assert str(found).endswith("in all: 1 cached, 2 would run")
    assert str(await engine.run([], dry_run=True)) == "in all: nothing would run"
    assert [each.task for each in found] == ["fetch"] * 3


def test_a_script_may_ask_as_well():
    assert str(cs.run([], dry_run=True)) == "in all: nothing would run"
