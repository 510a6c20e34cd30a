"""Payloads on the wire: JSON or bytes; what is neither is told, and goes no further."""

import math
import pickle
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade.connectors.mqtt.codec import Codec, UnreadablePayloadError
from cascade.interfaces.errors import PayloadError
from cascade.interfaces.payloads import clears
from rows import each_row

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda parts: (
        st.lists(parts) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), parts)
    ),
    max_leaves=20,
)

json_codec = Codec(raw=False, limit=1000)
raw_codec = Codec(raw=True, limit=1000)


@given(JSON)
def test_what_json_can_say_comes_back_as_it_was(payload):
    codec = Codec(raw=False, limit=10_000_000)
    assert codec.decode(codec.encode("a", payload)) == payload


def test_a_tuple_comes_back_as_a_list():
    assert json_codec.decode(json_codec.encode("a", (1, (2,)))) == [1, [2]]


@dataclass
class Point:
    x: int


@each_row(
    "payload",
    [
        b"bytes",
        {1, 2},
        object(),
        {1: 2},
        "\ud800",
        Point(1),
        datetime(2020, 1, 1),  # noqa: DTZ001 - any date
        math.nan,
        [{"deep": (1.5, math.inf)}],
        {"none": None, "infinite": -math.inf},
    ],
)
def test_what_json_cannot_say_is_refused_and_names_the_topic(payload):
    with pytest.raises(PayloadError, match="'a/b'"):
        json_codec.encode("a/b", payload)


def test_null_beside_a_text_that_says_null_is_no_strange_number():
    assert json_codec.decode(json_codec.encode("a", {"null": [None, 1.5, "null"]})) == {
        "null": [None, 1.5, "null"]
    }


def test_a_payload_that_holds_itself_is_refused():
    cycle = []
    cycle.append(cycle)
    with pytest.raises(PayloadError):
        json_codec.encode("a", cycle)


@each_row("codec", [json_codec, raw_codec])
def test_a_payload_over_the_limit_is_refused_both_ways(codec):
    payload = b"x" * 1001 if codec is raw_codec else "x" * 1001
    with pytest.raises(PayloadError, match="max_payload"):
        codec.encode("a", payload)
    with pytest.raises(UnreadablePayloadError, match="max_payload"):
        codec.decode(b"1" * 1001)


def test_bytes_pass_as_they_are_where_that_was_asked_for():
    for payload in [b"\x00\xff", bytearray(b"x"), memoryview(b"y")]:
        assert raw_codec.decode(raw_codec.encode("a", payload)) == bytes(payload)
    with pytest.raises(PayloadError, match="bytes, not dict"):
        raw_codec.encode("a", {})


@each_row("data", [b"\xff", b"{", b"NaN", b"'a'", b"1 2", pickle.dumps([1])])
def test_what_is_not_json_is_unreadable(data):
    with pytest.raises(UnreadablePayloadError, match="not JSON"):
        json_codec.decode(data)


@given(st.binary(max_size=50))
def test_no_bytes_at_all_break_the_reader(data):
    with suppress(UnreadablePayloadError):
        payload = json_codec.decode(data)
        assert json_codec.decode(json_codec.encode("a", payload)) == payload


def test_clearing_payloads():
    assert all(clears(payload) for payload in (None, b"", "", {}))
    assert not any(clears(payload) for payload in (0, False, [], (), "0", {"a": 1}))
    assert json_codec.decode(b"") == raw_codec.decode(b"") == {}
