"""What ``-p key=value`` becomes: what the task's annotation says."""

import datetime as dt
import enum
import re
from dataclasses import dataclass

import pytest
import typer

import cascade as cs
from cascade.cli.inputs import lines_about_inputs, parameters_from
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
    found = parameters_from(travels, [text])[text.partition("=")[0]]
    assert (type(found), found) == (type(value), value)


@each_row(
    "given",
    [
        ("n=three", "'n' is 'three', which is no int"),
        ('sizes=[1, "a"]', "'sizes'"),
        ("day=tomorrow", "'day' is 'tomorrow'"),
        ("citi=Berlin", "no parameter 'citi'.*'city'"),
        ("city", "key=value"),
        ("=3", "key=value"),
    ],
)
def test_what_does_not_fit_is_said(given):
    text, words = given
    with pytest.raises(typer.BadParameter, match=words):
        parameters_from(travels, [text])


def test_without_annotations_that_can_be_read_a_value_is_json_or_text():
    assert parameters_from(odd, ["n=3", "city=Berlin"]) == {"n": 3, "city": "Berlin"}


@cs.task
async def asks(params=cs.inject("params")):
    return params


PICKY = travels(
    cs.param("city", "Rome", type=str, description="where to"), n=cs.param("count", 2, type=int)
)


def test_a_call_takes_the_parameters_that_stand_in_it_as_they_are_written():
    found = parameters_from(PICKY, ["count=3"], ["--city", "7"])
    assert found == {
        "count": "3",
        "city": "7",
    }  # the run makes of them what they are, as of any others
    with pytest.raises(typer.BadParameter, match="'count' is 'three', which is no int"):
        parameters_from([PICKY], ["count=three"])
    with pytest.raises(typer.BadParameter, match="takes city, count. Did you mean 'count'"):
        parameters_from(PICKY, ["coun=3"])


@each_row(
    "target",
    [
        cs.route(1, {1: travels(cs.param("x"))}),
        travels.run_if(cs.param("x"))("Rome"),
        travels.run_if(cs.param("x")).map(["Rome"]),
        cs.retry(travels(cs.param("x"))),
        [{"a": (travels.map(cs.param("x")),)}],
        asks(),
    ],
)
def test_parameters_are_found_wherever_they_stand(target):
    assert parameters_from(target, ["x=3"]) == {"x": 3}


@each_row(
    ("words", "value"),
    [
        (["--city", "Berlin"], {"city": "Berlin"}),
        (["--city=--odd"], {"city": "--odd"}),
        (["--n", "-3"], {"n": -3}),
        (["--loud"], {"loud": True}),
        (["--loud", "false", "--n=1"], {"loud": False, "n": 1}),
        (["--no-loud"], {"loud": False}),
        (["--sizes", "1", "--sizes", "2"], {"sizes": [1, 2]}),
        (["--sizes", "1"], {"sizes": [1]}),
        (["--sizes", "null"], {"sizes": None}),
        (["--sizes", "[1, 2]"], {"sizes": [1, 2]}),
    ],
)
def test_inputs_stand_behind_the_target(words, value):
    assert parameters_from(travels, words=words) == value


@each_row(
    ("words", "said"),
    [
        (["Berlin"], "'Berlin' is neither an option nor a parameter"),
        (["--city"], "--city VALUE"),
        (["--n", "1", "--n", "2"], "'n' is given 2 times"),
        (["--stroe", "x"], "Did you mean 'store'"),
    ],
)
def test_words_that_are_no_inputs_are_refused(words, said):
    with pytest.raises(typer.BadParameter, match=re.escape(said)):
        parameters_from(travels, words=words, options=["store"])


@cs.task
async def dashed(max_items: int):
    return max_items


def test_a_dash_stands_for_an_underscore():
    assert parameters_from(dashed, words=["--max-items", "3"]) == {"max_items": 3}


@each_row(
    ("name", "text"),
    [
        ("p.json", '{"city": "Oslo", "n": 3, "day": "2026-11-29", "at": {"x": 1, "y": 2}}'),
        ("p.toml", 'city = "Oslo"\nn = 3\nday = 2026-11-29\nat = {x = 1, y = 2}'),
        ("p.yaml", "city: Oslo\nn: 3\nday: 2026-11-29\nat: {x: 1, y: 2}"),
    ],
)
def test_a_file_gives_parameters_and_the_command_line_wins(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    found = parameters_from(travels, ["n=4"], file=tmp_path / name)
    assert found == {"city": "Oslo", "n": 4, "day": dt.date(2026, 11, 29), "at": Point(1, 2)}


@each_row(
    ("name", "text", "said"),
    [
        ("p.ini", "", "none of .json, .toml, .yaml, .yml"),
        ("p.json", "{", "cannot be read"),
        ("p.toml", "=", "cannot be read"),
        ("p.yaml", "a: [", "cannot be read"),
        ("p.yaml", "- 1", "holds no names with values, but list"),
        ("p.json", '{"citi": "Oslo"}', "Did you mean 'city'"),
        ("p.json", '{"n": "x"}', "'n' is 'x', which is no int"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path, name, text, said):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(typer.BadParameter, match=re.escape(said)):
        parameters_from(travels, file=tmp_path / name)
    with pytest.raises(typer.BadParameter, match="cannot be read"):
        parameters_from(travels, file=tmp_path / f"gone-{name}".replace(".ini", ".json"))


@cs.task
async def told(city: str, n: int = 1, size: Size = Size.SMALL, db=cs.inject("params")):
    """Go somewhere.

    Args:
        city: where to go, and
            what to see.
        n (int): how many: two, say.

    Returns:
        city: nothing.
    """


def test_what_a_target_takes_is_told():
    assert list(lines_about_inputs(told)) == [
        "Inputs of told:",
        "  --city  str    where to go, and what to see. [needed]",
        "  --n     int    how many: two, say. [default 1]",
        "  --size  small  [default 'small']",
    ]
    assert list(lines_about_inputs(PICKY)) == [
        "Inputs of this target:",
        "  --city   str  where to [default 'Rome']",
        "  --count  int  [default 2]",
    ]
    assert list(lines_about_inputs([])) == ["Inputs of this target: none"]
