"""Stored calls that an earlier version of the code has written."""

import json
import re
import sys
import types

import pytest

import cascade as cs
from cascade.interfaces.errors import DecodeError, InvalidTaskError, UnknownTaskError
from cascade.runtime.durable.starting import is_same_start
from cascade.spec.codec import decode, encode
from durable import steps
from repository.distributions import ROOT


def written(task, *args, version=None, names=None, **kwargs):
    """Write a call as the codec does, with names, and did before it wrote names."""
    form = {"task": task, "args": list(args), "kwargs": kwargs}
    if names is not None:
        form["names"] = names
    if version is not None:
        form["version"] = version
    return json.dumps({"format": 1, "calls": [form]})


@pytest.mark.parametrize(
    "stored",
    [
        written("durable.steps:bill", 250, version="2", names=["cents"]),
        written("durable.steps:charge", 250, "EUR", names=["cents", "currency"]),
        written("durable.steps:charge", cents=250),
        written("old_shop:charge", cents=250, currency="EUR", version="2"),
    ],
)
def test_a_call_of_an_earlier_name_or_version_becomes_one_of_this(stored):
    assert cs.run(decode(stored)) == "2.50 EUR"


def test_positions_have_the_names_of_now_where_none_were_written():
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


def test_a_call_is_written_with_the_names_of_its_arguments_by_position():
    (form,) = json.loads(encode(steps.bill(2.5, currency="EUR")))["calls"]
    assert (form["args"], form["names"]) == ([2.5], ["amount"])
    (form,) = json.loads(encode(steps.bill(amount=2.5, currency="EUR")))["calls"]
    assert "names" not in form


def test_arguments_without_names_are_not_lost():
    stored = written("durable.steps:bill", 250, "EUR", version="2", names=["cents"])
    with pytest.raises(DecodeError, match="2 arguments by position and names for 1"):
        decode(stored)


@pytest.mark.parametrize("spelling", ["charge(250)", "charge(cents=250)"])
def test_the_example_of_the_page_takes_both_spellings(monkeypatch, spelling):
    page = (ROOT / "docs/durable.md").read_text(encoding="utf-8")
    (example,) = (
        each for each in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "upgrade=" in each
    )
    before = "import cascade as cs\n@cs.task\nasync def charge(cents: int) -> str: ..."
    stored = encode(eval(spelling, vars(_module(monkeypatch, before))))
    bill = _module(monkeypatch, example).bill
    call = decode(stored)
    assert call.task is bill
    assert cs.run(call) == "2.50 EUR"
    assert is_same_start(stored, encode(bill(2.5, "EUR")))
    assert is_same_start(stored, encode(bill(2.5, currency="EUR")))
    assert not is_same_start(stored, encode(bill(2.51, "EUR")))


def _module(monkeypatch, source):
    """Return the module of that source, which can be imported as shop."""
    module = types.ModuleType("shop")
    monkeypatch.setitem(sys.modules, "shop", module)
    exec(source, vars(module))
    return module


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
