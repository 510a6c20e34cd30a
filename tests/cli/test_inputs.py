"""What ``-p key=value`` becomes: what the task's annotation says."""

import datetime as dt
import enum
from dataclasses import dataclass

import pytest
import typer

import cascade as cs
from cascade.cli.inputs import parameters_from
from rows import each_row


class Size(enum.Enum):
    SMALL = "small"


@dataclass
class Point:
    x: int
    y: int


@cs.task
async def odd(
    *,
    city: str = "",
    n: int = 0,
    gone: "NoSuchName | None" = None,  # noqa: F821 - an annotation that nobody can read
):
    return None


@cs.task
async def travels(
    city: str,
    *,
    n: int = 0,
    share: float = 0.0,
    loud: bool = False,
    day: dt.date | None = None,
    size: Size | None = None,
    sizes: list[int] | None = None,
    at: Point | None = None,
    plain=None,
):
    return None


@each_row(
    "given",
    [
        ("city=3", "3"),
        ("city=Berlin", "Berlin"),
        ("n=3", 3),
        ("share=0.5", 0.5),
        ("share=2", 2.0),
        ("loud=true", True),
        ("loud=0", False),
        ("day=2026-11-29", dt.date(2026, 11, 29)),
        ("day=null", None),
        ("size=small", Size.SMALL),
        ("sizes=[1, 2]", [1, 2]),
        ('at={"x": 1, "y": 2}', Point(1, 2)),
        ("plain=3", 3),
        ("plain=text", "text"),
    ],
)
def test_a_value_is_what_the_annotation_says(given):
    text, value = given
    found = parameters_from([text], travels)[text.partition("=")[0]]
    assert (type(found), found) == (type(value), value)


@each_row(
    "given",
    [
        ("n=three", "n='three' of travels"),
        ('sizes=[1, "a"]', "sizes="),
        ("day=tomorrow", "day='tomorrow'"),
        ("citi=Berlin", "no parameter 'citi'.*'city'"),
        ("city", "key=value"),
        ("=3", "key=value"),
    ],
)
def test_what_does_not_fit_is_said(given):
    text, words = given
    with pytest.raises(typer.BadParameter, match=words):
        parameters_from([text], travels)


def test_without_annotations_that_can_be_read_a_value_is_json_or_text():
    assert parameters_from(["n=3", "city=Berlin"], odd) == {"n": 3, "city": "Berlin"}
    assert parameters_from(["n=3", "city=Berlin"], travels("Rome")) == {"n": 3, "city": "Berlin"}
