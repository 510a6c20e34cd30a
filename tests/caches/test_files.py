"""Values in files: each in the form of its type, whole or not at all, and computed by one process."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import cascade as cs
from cascade.caches.files import FileCache
from cascade.common.messaging.testing import capture
from cascade.interfaces.errors import CacheError, EncodeError
from cascade.spec.content import digest_of
from cascade.testing.caches import a_key

HERE = Path(__file__).parent


@pytest.fixture(params=["folder", "url"])
def place(request, tmp_path):
    return tmp_path / "cache" if request.param == "folder" else f"file://{tmp_path}/cache"


@pytest.fixture
async def folder(tmp_path):
    cache = FileCache(tmp_path / "cache")
    yield cache
    await cache.aclose()


def values(tmp_path, ending="*"):
    return sorted(each for each in (tmp_path / "cache" / "values").rglob(ending) if each.is_file())


# --- forms ----------------------------------------------------------------------------------------


@dataclass
class Point:
    x: int
    on: date


FRAME = pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=pd.Index([3, 4], name="i"))


@pytest.mark.parametrize(
    ("value", "kind", "ending"),
    [
        ([1, "ä", None, {"a": 1.5}], object, ".json"),
        ((1, 2), tuple[int, int], ".json"),
        (Point(1, date(2024, 1, 1)), Point, ".json"),
        ([Point(1, date(2024, 1, 1))], list[Point], ".json"),
        (cs.File(__file__), cs.File, ".json"),
        (float("nan"), float, ".json"),
        (b"\0\xff", bytes, ".bytes"),
        (np.arange(6).reshape(2, 3), object, ".npy"),
        (np.array(["2024-01-01"], dtype="M8[D]"), object, ".npy"),
        (np.float32(1.5), object, ".scalar.npy"),
        (FRAME, object, ".parquet"),
        (pl.DataFrame({"a": [1, None], "b": ["x", "y"]}), object, ".polars.parquet"),
    ],
)
async def test_a_value_is_written_by_its_type_and_comes_back(place, tmp_path, value, kind, ending):
    key = a_key(kind=kind)
    for _ in range(2):
        cache = FileCache(place)
        await cache.put(key, value)
        found = await cache.get(key)
        await cache.aclose()
        assert type(found.value) is type(value)
        assert digest_of(found.value) == digest_of(value)
    (file,) = values(tmp_path)
    assert file.name.endswith(ending)


UNWRITTEN = [
    ((1, 2), object, "tuple"),
    ({1: "a"}, object, "no text"),
    (Point(1, date(2024, 1, 1)), object, "annotate"),
    (np.array([object()]), object, "npy: ValueError"),
    (pd.DataFrame({"a": [1, "x"]}), object, "parquet"),
    (lambda: 1, object, "the value cannot be written"),
    ([cs.wait(1)], object, "a call"),
]


@pytest.mark.parametrize(("value", "kind", "why"), UNWRITTEN)
async def test_what_would_not_come_back_is_refused_and_the_advice_is_a_pickle(
    folder, value, kind, why
):
    with pytest.raises(EncodeError, match=why) as raised:
        await folder.put(a_key(kind=kind), value)
    assert "FileCache(…, pickle=True)" in str(raised.value)
    assert await folder.entries() == []


async def test_a_pickle_is_written_and_read_only_where_that_is_asked_for(place, tmp_path):
    trusting, other = FileCache(place, pickle=True), FileCache(place)
    await trusting.put(a_key("set"), {1, (2, 3)})
    await trusting.put(a_key("plain"), [1])
    assert (await trusting.get(a_key("set"))).value == {1, (2, 3)}
    assert [file.suffix for file in values(tmp_path)].count(".pickle") == 1
    with capture() as messages:
        assert await other.get(a_key("set")) is None
    assert [message.id for message in messages] == ["cache.unreadable"]
    assert "pickle=True" in str(messages[0].facts["reason"])
    assert (await trusting.get(a_key("set"))).value == {1, (2, 3)}, "it is left to who reads it"
    with pytest.raises(EncodeError, match="pickle: "):
        await trusting.put(a_key(), lambda: 1)
    for each in (trusting, other):
        await each.aclose()


# --- what is broken ---------------------------------------------------------------------------------


def cut(file):
    file.write_bytes(file.read_bytes()[:-1])


def flip(file):
    data = file.read_bytes()
    file.write_bytes(data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])


@pytest.mark.parametrize("harm", [cut, flip, os.unlink])
async def test_a_corrupt_value_is_a_miss_and_is_said_and_is_written_anew(place, tmp_path, harm):
    cache = FileCache(place)
    await cache.put(a_key(), ["a value"])
    harm(values(tmp_path)[0])
    with capture() as messages:
        assert await cache.get(a_key()) is None
        assert await cache.get(a_key()) is None, "and is gone"
    assert [message.id for message in messages] == ["cache.unreadable"]
    assert messages[0].facts["task"] == "shop:load"
    await cache.put(a_key(), ["a value"])
    assert (await cache.get(a_key())).value == ["a value"]
    await cache.aclose()


async def test_a_value_of_another_kind_than_the_task_returns_now_is_a_miss(folder):
    await folder.put(a_key(kind=list[int]), [1])
    with capture() as messages:
        assert await folder.get(a_key(kind=Point)) is None
    assert [message.id for message in messages] == ["cache.unreadable"]


async def test_an_index_that_is_none_is_begun_anew_and_said(folder, tmp_path):
    await folder.put(a_key(), 1)
    await folder.aclose()
    (tmp_path / "cache" / "index.db").write_bytes(b"this is no database, " * 100)
    with capture() as messages:
        assert await folder.get(a_key()) is None
    assert [message.id for message in messages] == ["cache.index_lost"]
    await folder.put(a_key(), 2)
    assert (await folder.get(a_key())).value == 2


async def test_an_entry_behind_a_url_that_is_none_is_a_miss(tmp_path):
    cache = FileCache(f"file://{tmp_path}/cache")
    await cache.put(a_key(), 1)
    (file,) = (tmp_path / "cache" / "entries").iterdir()
    file.write_text("{")
    assert await cache.entries() == []
    assert await cache.get(a_key()) is None
    await cache.put(a_key(), 2)
    assert (await cache.get(a_key())).value == 2
    await cache.aclose()


async def test_a_place_that_cannot_be_used_says_so(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CacheError, match="cannot be used"):
        await FileCache(tmp_path / "file").get(a_key())
    with pytest.raises(CacheError, match="URL of the cache cannot be used"):
        await FileCache("nobody://knows").get(a_key())
    with pytest.raises(CacheError, match="cannot be used"):
        async with FileCache(tmp_path / "file").lock(a_key()):
            pass


async def test_an_index_of_a_later_version_is_left_alone(folder, tmp_path):
    await folder.put(a_key(), 1)
    await folder.aclose()
    index = sqlite3.connect(tmp_path / "cache" / "index.db")
    index.execute("PRAGMA user_version = 99")
    index.close()
    with pytest.raises(CacheError, match="later version, 99"):
        await folder.get(a_key())


async def test_without_fsspec_a_url_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(CacheError, match=r"pip install 'cascade-py\[fs\]'"):
        await FileCache("s3://bucket/cache").get(a_key())


@pytest.mark.parametrize("bounds", [{"max_bytes": 0}, {"max_age": 0}, {"max_age": -1.0}])
def test_bounds_are_above_0(bounds):
    with pytest.raises(ValueError, match="above 0"):
        FileCache("here", **bounds)


# --- what is forgotten ------------------------------------------------------------------------------


async def test_what_was_used_last_stays_also_after_it_was_closed(tmp_path):
    for opened_anew in (False, True):
        place = tmp_path / str(opened_anew)
        cache = FileCache(place, max_bytes=250)
        for name in "ab":
            await cache.put(a_key(name), name * 100)
        await cache.get(a_key("a"))
        if opened_anew:
            await cache.aclose()
        await cache.put(a_key("c"), "c" * 100)
        assert [await cache.get(a_key(name)) is None for name in "abc"] == [False, True, False]
        await cache.aclose()


async def test_what_lies_unused_for_too_long_is_forgotten(place, tmp_path, monkeypatch):
    now = [1_000.0]
    monkeypatch.setattr("cascade.runtime.concurrency.clock.time.time", lambda: now[0])
    cache = FileCache(place, max_age=100)
    await cache.put(a_key("a"), "a")
    now[0] += 101
    await cache.put(a_key("b"), "b")
    assert [entry.digest for entry in await cache.entries()] == [a_key("b").digest]
    assert len(values(tmp_path)) == 1
    await cache.aclose()


async def test_equal_values_are_one_file_until_the_last_of_them_goes(place, tmp_path):
    cache = FileCache(place)
    for name in "ab":
        await cache.put(a_key(name, f"shop:{name}"), "same")
    assert len(values(tmp_path)) == 1
    await cache.clear("shop:a")
    assert len(values(tmp_path)) == 1
    await cache.put(a_key("b", "shop:b"), "other")
    await cache.clear()
    assert values(tmp_path) == []
    await cache.aclose()


# --- between processes ------------------------------------------------------------------------------


def start(what, folder):
    return subprocess.Popen(
        [sys.executable, HERE / "counted.py", what, folder], stdout=subprocess.PIPE, text=True
    )


def wait_for(condition):
    for _ in range(3_000):
        if condition():
            return
        time.sleep(0.01)
    raise TimeoutError


def test_a_second_process_has_the_value_of_the_first(tmp_path):
    shown = [start("load", tmp_path).communicate(timeout=60)[0] for _ in range(2)]
    assert shown == ["['a']\n"] * 2
    assert (tmp_path / "ran").read_text() == "a\n"


def test_one_process_computes_what_several_need_at_once(tmp_path):
    with start("slow", tmp_path) as one, start("slow", tmp_path) as other:
        wait_for(lambda: [*tmp_path.glob("started-*")])
        (tmp_path / "go").touch()
        assert [each.communicate(timeout=60)[0] for each in (one, other)] == ["a\n"] * 2
    assert len((tmp_path / "ran").read_text().split()) == 1
    assert not [*(tmp_path / "cache" / "locks").iterdir()]


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_where_the_process_that_computes_is_killed_another_one_computes(tmp_path):
    with start("slow", tmp_path) as one:
        wait_for(lambda: [*tmp_path.glob("started-*")])
        with start("slow", tmp_path) as other:
            one.send_signal(signal.SIGKILL)
            wait_for(lambda: len([*tmp_path.glob("started-*")]) == 2)
            (tmp_path / "go").touch()
            assert other.communicate(timeout=60)[0] == "a\n"


# --- in an engine -----------------------------------------------------------------------------------

ran = []


@cs.task(mode="inline")
def load(x: int) -> list[int]:
    ran.append(x)
    return [x]


@cs.task(mode="inline")
def strange(x):
    ran.append(x)
    return {x}


@pytest.fixture(autouse=True)
def _nothing_ran():
    ran.clear()


def test_an_engine_takes_a_folder_a_url_or_a_cache(tmp_path):
    folder = tmp_path / "cache"
    for cache in (
        folder,
        str(folder),
        FileCache(folder),
        f"file://{folder}",
        "memory://engine/cache",
    ):
        assert cs.run(load.with_cache()(1), cache=cache) == [1]
        assert cs.run(load.with_cache()(1), cache=cache) == [1]
    assert ran == [1, 1, 1]


def test_what_no_other_process_finds_again_is_not_kept_in_files_and_said_once(tmp_path):
    @cs.task(mode="inline")
    def inner(x):
        ran.append(x)
        return x

    with capture() as messages:
        values = cs.run([inner.with_cache()(1), inner.with_cache()(1)], cache=tmp_path / "cache")
    assert values == [1, 1]
    assert ran == [1, 1]
    assert [message.id for message in messages] == ["engine.not_found_again"]


def test_a_value_that_cannot_be_written_is_said_once_and_the_run_goes_on(tmp_path):
    with capture() as messages:
        cached = strange.with_cache()
        assert cs.run([cached(1), cached(2)], cache=tmp_path / "cache") == [{1}, {2}]
    assert [message.id for message in messages] == ["cache.not_kept"]
    assert messages[0].facts["task"] == "strange"


def test_a_cache_that_fails_is_said_once_and_fails_no_run(tmp_path):
    (tmp_path / "file").touch()
    with capture() as messages:
        assert cs.run([load.with_cache()(n) for n in range(3)], cache=tmp_path / "file") == [
            *([0], [1], [2])
        ]
    assert "cache.failed" in {message.id for message in messages}
    assert len(messages) <= 2


async def test_a_value_is_good_for_its_time_across_engines(tmp_path, monkeypatch):
    now = [1_000.0]
    monkeypatch.setattr("cascade.runtime.concurrency.clock.time.time", lambda: now[0])
    for step in (0, 9, 2):
        now[0] += step
        await cs.run_async(load.with_cache(ttl=10)(1), cache=tmp_path / "cache")
    assert ran == [1, 1]


async def test_many_calls_at_once_compute_each_value_once(tmp_path):
    cached = load.with_cache()
    values = await cs.run_async([cached(n % 5) for n in range(50)], cache=tmp_path / "cache")
    assert values == [[n % 5] for n in range(50)]
    assert sorted(ran) == [0, 1, 2, 3, 4]
