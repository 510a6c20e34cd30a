"""Contract: what was put is what is got, until its time is over."""

from __future__ import annotations

import time
from typing import Any

import pytest

from cascade.interfaces.cache import Cache
from cascade.testing.caches.harness import CacheHarness, a_key, value_of

__all__ = ["Values"]

_LATER = 1e12  # Unix time that nobody will see


class Values:
    """Contract: what was put is what is got, until its time is over."""

    async def test_what_was_not_put_is_not_there(self, cache: Cache) -> None:
        assert await cache.get(a_key()) is None

    @pytest.mark.parametrize("value", [None, 0, True, "ä", 1.5, [1, [2]], {"a": {"b": None}}])
    async def test_a_value_comes_back_equal_and_of_its_type(self, cache: Cache, value: Any) -> None:
        await cache.put(a_key(), value)
        found = await cache.get(a_key())
        assert found is not None
        assert found.value == value
        assert type(found.value) is type(value)

    async def test_a_value_of_a_later_put_replaces_the_one_before(self, cache: Cache) -> None:
        for value in (1, 2):
            await cache.put(a_key(), value)
        assert await value_of(cache, a_key()) == 2
        assert len(await cache.entries()) == 1

    async def test_keys_are_told_apart_by_their_digests(self, cache: Cache) -> None:
        await cache.put(a_key("a"), 1)
        await cache.put(a_key("b"), 2)
        assert [await value_of(cache, a_key(name)) for name in "abc"] == [1, 2, None]

    async def test_entries_of_equal_values_do_not_share_their_fate(self, cache: Cache) -> None:
        await cache.put(a_key("a", "shop:load"), "same")
        await cache.put(a_key("b", "shop:save"), "same")
        await cache.put(a_key("c", "shop:save"), "same")
        await cache.put(a_key("c", "shop:save"), "other")
        assert await cache.clear("shop:save") == 2
        assert await value_of(cache, a_key("a", "shop:load")) == "same"

    async def test_outputs_come_back_with_the_value(self, cache: Cache) -> None:
        await cache.put(a_key(), 1, outputs={"a.html": "d1"})
        found = await cache.get(a_key())
        assert found is not None
        assert dict(found.outputs) == {"a.html": "d1"}

    async def test_a_value_is_good_until_its_time(self, cache: Cache) -> None:
        await cache.put(a_key("over"), 1, good_until=time.time() - 1)
        await cache.put(a_key("good"), 2, good_until=_LATER)
        assert await value_of(cache, a_key("over")) is None
        assert await value_of(cache, a_key("good")) == 2

    async def test_it_goes_on_after_it_was_closed(
        self, cache: Cache, harness: CacheHarness
    ) -> None:
        await cache.put(a_key(), 1)
        for _ in range(2):
            await cache.aclose()
        assert await value_of(cache, a_key()) == 1
        another = harness.cache()
        assert await value_of(another, a_key()) == 1
        await another.aclose()
