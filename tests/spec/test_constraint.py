"""Orders to a running engine: which can be read."""

import math

import pytest

from cascade.interfaces.errors import InvalidConstraintError
from cascade.spec import GlobalConstraint
from cascade.spec.constraint import parse_rate
from rows import each_row


@each_row(
    ("rate", "per_second"),
    [
        ("20/s", 20),
        ("100/m", 100 / 60),
        ("5/h", 5 / 3600),
        ("1/ms", 1000),
        ("0.5/s", 0.5),
        (" 2 / s ", 2),
    ],
)
def test_a_rate_is_events_per_time(rate, per_second):
    assert parse_rate(rate) == pytest.approx(per_second)


@each_row(
    "rate",
    [
        *("", "20", "/s", "20/", "20/d", "-1/s", "0/s", "0.0/m", "1/s/s", "x/s", "1e3/s", "20/S"),
        *(f"{'9' * 400}/s", f"0.{'0' * 400}1/h"),  # no float can hold them
        "٣/s",
    ],
)
def test_a_rate_of_another_form_is_refused_and_shown(rate):
    with pytest.raises(InvalidConstraintError, match="a rate looks like '20/s'") as caught:
        parse_rate(rate)
    assert repr(rate) in str(caught.value)


@each_row(
    "parts",
    [
        {"type": "pause"},
        {"type": "pause", "expires_at": 1.5},
        {"type": "pause", "expires_at": 0},
        {"type": "concurrency", "n": 1},
        {"type": "rate_limit", "rate": "20/s"},
        {"type": "rate_limit", "rate": "20/s", "burst": 5},
    ],
)
def test_an_order_whose_parts_fit_together_is_accepted(parts):
    made = GlobalConstraint(id="x", **parts)
    assert {name: getattr(made, name) for name in parts} == parts


@each_row(
    ("parts", "words"),
    [
        ({"id": "", "type": "pause"}, "needs an id"),
        ({"type": "concurrency"}, "'concurrency' needs 'n'"),
        ({"type": "concurrency", "n": 0}, "n is 1 or more, .* not 0"),
        ({"type": "concurrency", "n": 10**400}, "n is 1 or more, and at most"),
        ({"type": "pause", "n": 0}, "n is 1 or more"),
        ({"type": "rate_limit"}, "'rate_limit' needs 'rate'"),
        ({"type": "rate_limit", "rate": "fast"}, "'fast'"),
        ({"type": "pause", "rate": "fast"}, "'fast'"),
        ({"type": "rate_limit", "rate": "1/s", "burst": 0}, "burst is 1 or more"),
        ({"type": "rate_limit", "rate": "1/s", "burst": 10**400}, "burst is 1 or more"),
        ({"type": "pause", "expires_at": math.nan}, "expires_at is a Unix time"),
        ({"type": "pause", "expires_at": math.inf}, "expires_at is a Unix time"),
    ],
)
def test_an_order_that_cannot_be_read_is_refused(parts, words):
    with pytest.raises(InvalidConstraintError, match=words):
        GlobalConstraint(**{"id": "x", **parts})


@each_row(
    "parts",
    [
        {"type": "concurrency", "n": "3"},
        {"type": "rate_limit", "rate": 20},
        {"type": "rate_limit", "rate": "1/s", "burst": "2"},
        {"type": "rate_limit", "rate": "1/s", "burst": None},
        {"type": "pause", "expires_at": "tomorrow"},
        {"type": []},
    ],
)
def test_a_part_of_a_type_that_cannot_be_checked_is_refused_in_words(parts):
    with pytest.raises(InvalidConstraintError, match="a part is of the wrong type"):
        GlobalConstraint(**{"id": "x", **parts})


def test_an_invalid_order_is_a_value_error():
    with pytest.raises(ValueError, match="rate"):
        parse_rate("fast")
