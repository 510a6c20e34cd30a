"""Secrets and caches: none is a key, not even as a digest, and none is written to files."""

import numpy as np
import pandas as pd
import pytest

import cascade as cs
from cascade.caches.files import FileCache
from cascade.caches.memory import MemoryCache
from cascade.common.messaging.secrets import Secret
from cascade.common.messaging.testing import capture
from cascade.interfaces.errors import EncodeError
from cascade.testing.caches import a_key

TEXT = 'swordfish "of ten'
ASKED = []


class Token(Secret):
    """A secret of a kind."""


@cs.task(mode="inline")
def ask(page: str, token: object = None) -> str:
    ASKED.append(page)
    return page.upper()


@cs.task(mode="inline")
def asks(params=cs.inject("params")):
    ASKED.append(params)


@cs.task(mode="inline")
def sign(page: str):
    return f"{page} {Secret(TEXT)}"


@pytest.fixture(params=["folder", "url", "memory"])
def cache(request, tmp_path):
    ASKED.clear()
    place = tmp_path / "cache"
    return {"folder": place, "url": f"file://{place}", "memory": MemoryCache()}[request.param]


def written_in(folder):
    return b"".join(each.read_bytes() for each in folder.rglob("*") if each.is_file())


def run_twice(call, cache):
    """Run a call twice, and return what is said."""
    with capture() as messages:
        for _ in range(2):
            cs.run(call, cache=cache)
    return [str(message) for message in messages]


@pytest.mark.parametrize("kind", [Secret, Token])
def test_a_secret_among_the_arguments_is_no_key(cache, kind):
    for token in (kind(TEXT), [kind(TEXT)], {"token": kind(TEXT)}):
        ASKED.clear()
        said = run_twice(ask.with_cache()("a", token), cache)
        assert ASKED == ["a", "a"]
        assert all("argument token" in each and "it holds a secret" in each for each in said)


def test_what_identifies_the_call_may_be_said_instead(cache, tmp_path):
    kept = ask.with_cache(key=lambda page, token: page)
    assert run_twice(kept("a", Secret(TEXT)), cache) == []
    assert ASKED == ["a"]
    ASKED.clear()
    run_twice(ask.with_cache(key=lambda page, token: token)("a", Secret(TEXT)), cache)
    assert ASKED == ["a", "a"]
    assert b"swordfish" not in written_in(tmp_path)


def test_a_secret_that_is_a_parameter_of_the_run_is_no_key(cache):
    for _ in range(2):
        cs.run(asks.with_cache()(), {"token": Secret(TEXT)}, cache=cache)
    assert len(ASKED) == 2


def test_a_value_that_is_made_of_a_secret_is_not_written(tmp_path):
    said = run_twice(sign.with_cache()("a"), tmp_path / "cache")
    assert "it holds a secret" in said[0]
    assert "swordfish" not in "".join(said)
    assert b"swordfish" not in written_in(tmp_path)


@pytest.mark.parametrize(
    "made_of",
    [
        lambda secret: secret,
        lambda secret: [1, {"a": f"Bearer {secret}"}],
        lambda secret: f"Bearer {secret}".encode(),
        lambda secret: (secret, object),
        lambda secret: np.array([str(secret)]),
        lambda secret: np.array([secret], dtype=object),
        lambda secret: pd.DataFrame({"a": [secret, None]}),
    ],
)
@pytest.mark.parametrize("pickle", [False, True])
async def test_no_form_writes_a_secret(tmp_path, made_of, pickle):
    cache = FileCache(tmp_path / "cache", pickle=pickle)
    with pytest.raises(EncodeError):
        await cache.put(a_key(), made_of(Secret(TEXT)))
    await cache.put(a_key("b"), np.zeros(1000))
    assert await cache.get(a_key()) is None
    await cache.aclose()
    assert b"swordfish" not in written_in(tmp_path)
    assert "swordfish".encode("utf-32-le") not in written_in(tmp_path)
