"""The content of values: told apart by type and content, and the same wherever it is looked at."""

import asyncio
import copy
import functools
import re
from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, Flag
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cascade as cs
from cascade.spec.codec import register
from cascade.spec.content import NoContentError, digest_of
from cascade.spec.registry import REGISTERED


class Colour(Enum):
    RED = 1
    BLUE = 2


class Access(Flag):
    READ = 1
    WRITE = 2


@dataclass
class Point:
    x: object
    y: object = 0


@dataclass
class Place:
    x: object
    y: object = 0


class Struct(msgspec.Struct):
    x: int


class Name(str):
    __slots__ = ()


class Pair(NamedTuple):
    a: int
    b: int


@cs.task
def double(x):
    return 2 * x


@cs.task(version="2")
def triple(x):
    return 3 * x


def by(factor):
    return lambda x: x * factor


DIFFERENT = [
    *(None, True, False, 0, 1, -1, 2**70, 1.0, -0.0, 0.0, float("inf"), 1j, "", "1", "a", b"a"),
    *(bytearray(b"a"), Name("a"), ..., range(3), slice(1, 2), Decimal("1.0"), Decimal("1.00")),
    *([], (), {}, set(), frozenset(), [1], (1,), [True], [1.0], [[1], 2], [[1, 2]], [1, [2]]),
    *({"a": 1}, {"a": 1.0}, {"b": 1}, {"a": 1, "b": 2}, {"b": 2, "a": 1}, {1: "a"}, {1}, {True, 2}),
    *(OrderedDict(a=1), MappingProxyType({"a": 1}), deque([1]), Pair(1, 2), (1, 2)),
    *(
        Colour.RED,
        Colour.BLUE,
        Access.READ,
        Access.READ | Access.WRITE,
        Point(1),
        Point(2),
        Place(1),
    ),
    *(
        Struct(1),
        date(2024, 1, 1),
        datetime.fromisoformat("2024-01-01"),
        datetime(2024, 1, 1, tzinfo=UTC),
    ),
    *(datetime(2024, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")), timedelta(1), UUID(int=1)),
    *(Path("a"), Path("b"), re.compile("a"), re.compile("a", re.IGNORECASE), len, max, int, Point),
    *(double, triple, double.function, by(1), by(2), functools.partial(max, 1), asyncio),
    *(cs.quote([1]), cs.quote(double(1)), double(2), Point(1).__eq__, "ab" * 3, ["a", "b"], ["ab"]),
    *(np.arange(3), np.arange(3.0), np.arange(4), np.arange(6).reshape(2, 3), np.zeros((0, 3))),
    *(np.arange(6).reshape(3, 2), np.zeros((3, 0)), np.array(1), np.int64(1), np.int32(1)),
    *(np.array(["a", "b"]), np.array(["a", 1], dtype=object), np.array([1, 2], dtype="M8[s]")),
    *(
        np.ma.array([1, 2], mask=[True, False]),
        np.ma.array([1, 2]),
        np.dtype("i4"),
        np.array([1, 2]),
    ),
    *(pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"b": [1, 2]}), pd.DataFrame({"a": [1.0, 2.0]})),
    *(pd.DataFrame({"a": [1, 2]}, index=[1, 2]), pd.DataFrame({"a": ["x", "y"]}), pd.NaT, pd.NA),
    *(pd.DataFrame({"a": ["xy", ""]}), pd.DataFrame({"a": pd.Categorical(["x", "y"])})),
    *(pd.DataFrame({"a": [1, 2], "b": [3, 4]}), pd.DataFrame({"b": [3, 4], "a": [1, 2]})),
    *(pd.Series([1, 2]), pd.Series([1, 2], name="a"), pd.Series([1, None], dtype="Int64")),
    *(pd.Index([1, 2]), pd.Timestamp(1), pd.date_range("2024-01-01", periods=2, tz="UTC")),
    *(pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([(1, "x")], names=["i", "j"])),),
    *(pl.DataFrame({"a": [1, 2]}), pl.DataFrame({"b": [1, 2]}), pl.DataFrame({"a": [1.0, 2.0]})),
    *(pl.DataFrame({"a": ["x", "y"]}), pl.DataFrame({"a": [1, None]}), pl.Series("a", [1, 2])),
    *(pl.DataFrame({"a": [[1], [2, 3]]}), pl.DataFrame({"a": [Decimal("1.0"), Decimal("2.5")]})),
]


def test_values_are_told_apart_by_type_and_content():
    digests = [digest_of(each) for each in DIFFERENT]
    again = [digest_of(each) for each in DIFFERENT]
    assert digests == again
    twins = [
        (DIFFERENT[i], DIFFERENT[j])
        for i in range(len(digests))
        for j in range(i)
        if digests[i] == digests[j]
    ]
    assert twins == []


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        | st.frozensets(st.integers() | st.text(max_size=3), max_size=4)
        | st.builds(Point, inner, inner)
    ),
    max_leaves=10,
)


@given(PLAIN)
def test_a_copy_has_the_same_content(value):
    assert digest_of(value) == digest_of(copy.deepcopy(value))


@given(st.lists(PLAIN, max_size=4), st.lists(PLAIN, max_size=4))
def test_values_that_run_together_are_told_apart(one, other):
    assert (digest_of([one, other]) == digest_of([[*one, *other], []])) == (other == [])


@given(st.lists(st.integers(), max_size=6), st.randoms())
def test_a_set_has_no_order(items, random):
    shuffled = random.sample(items, len(items))
    assert digest_of(set(items)) == digest_of(set(shuffled))


@pytest.mark.parametrize(
    "other",
    [
        np.arange(12).reshape(3, 4),
        np.asfortranarray(np.arange(12).reshape(3, 4)),
        np.arange(24).reshape(3, 8)[:, ::2] // 2,
        np.array([[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]),
    ],
)
def test_how_an_array_lies_in_memory_is_not_its_content(other):
    assert digest_of(other) == digest_of(np.arange(12).reshape(3, 4))


def test_how_a_table_was_put_together_is_not_its_content():
    whole = pl.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]})
    parts = pl.concat([whole[:1], whole[1:]])
    assert digest_of(parts) == digest_of(whole)
    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]})
    split = pd.concat([frame[["a"]], frame[["b"]]], axis=1)
    assert digest_of(split) == digest_of(frame)


class Thing:
    pass


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (Thing(), "Thing have no content"),
        ([1, {"a": object()}], "object have no content"),
        (iter([]), "list_iterator"),
        (asyncio.Lock(), "Lock"),
        (np.random.default_rng(), "Generator"),
        (pl.LazyFrame({"a": [1]}), "LazyFrame"),
        (cs.File("is-not-there"), "cannot be read"),
    ],
)
def test_what_has_no_content_says_so(value, why):
    with pytest.raises(NoContentError, match=why):
        digest_of(value)


def test_what_holds_itself_has_no_content():
    endless = {}
    endless["x"] = [endless]
    with pytest.raises(NoContentError, match="holds itself"):
        digest_of(endless)


def test_a_registered_type_has_the_content_of_what_it_is_written_as():
    register(Thing, lambda _thing: [1], lambda _data: Thing())
    try:
        assert digest_of(Thing()) == digest_of(Thing())
    finally:
        del REGISTERED[Thing]


# --- files ----------------------------------------------------------------------------------------


def test_a_file_has_the_content_of_what_is_in_it(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"1")
    other.write_bytes(b"1")
    assert digest_of(cs.File(one)) == digest_of(cs.File(str(other))) != digest_of(one)
    other.write_bytes(b"2")
    assert digest_of(cs.File(one)) != digest_of(cs.File(other))


def test_a_folder_has_that_of_all_that_is_in_it(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name / "in").mkdir(parents=True)
        (tmp_path / name / "in" / "x").write_text("1")
    assert digest_of(cs.File(tmp_path / "a")) == digest_of(cs.File(tmp_path / "b"))
    (tmp_path / "b" / "in" / "x").rename(tmp_path / "b" / "in" / "y")
    assert digest_of(cs.File(tmp_path / "a")) != digest_of(cs.File(tmp_path / "b"))


def test_a_file_is_used_as_a_path(tmp_path):
    (tmp_path / "x").write_text("in it")
    file = cs.File(tmp_path / "x")
    assert Path(file).read_text() == file.path.read_text() == "in it"
    assert (file, hash(file)) == (cs.File(str(tmp_path / "x")), hash(cs.File(tmp_path / "x")))
    assert file != tmp_path / "x"
    assert str(file) == str(tmp_path / "x")
    assert repr(cs.File("x")) == "File('x')"
    assert copy.deepcopy(file) == file
