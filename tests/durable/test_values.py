"""Results, signals and journaled values as JSON: what comes back, and what is refused."""

from dataclasses import dataclass

import pytest

import cascade as cs
from cascade.interfaces.errors import DecodeError, EncodeError
from cascade.runtime.durable.values import read_payload, read_value, write_payload, write_value


@dataclass
class Point:
    x: int
    y: float


@cs.task
async def locate() -> Point:
    return Point(1, 2.0)


@cs.task
async def anything():
    return None


@cs.task
async def odd() -> "NoSuchName":  # noqa: F821 - an annotation that nobody can read
    return None


@pytest.mark.parametrize("payload", [None, 1, 1.5, "text", [1, {"a": None}], True])
def test_payloads_come_back(payload):
    assert read_payload(write_payload("topic", payload)) == payload


@pytest.mark.parametrize("payload", [object(), (1, 2), {1, 2}, Point(1, 2.0), float("nan")])
def test_what_would_not_come_back_is_refused_and_named(payload):
    with pytest.raises(EncodeError, match="the signal on 'topic'"):
        write_payload("topic", payload)


def test_values_are_read_by_the_annotation_of_who_returned_them():
    data = write_value(locate, Point(1, 2.0))
    assert read_value(locate, data) == Point(1, 2.0)
    with pytest.raises(DecodeError, match=r"the value of locate\(…\)"):
        read_value(locate, b'{"x": "one"}')
    for task in (anything, odd):
        assert read_value(task, write_value(task, [1, "a"])) == [1, "a"]
        with pytest.raises(EncodeError, match="annotate"):
            write_value(task, Point(1, 2.0))
