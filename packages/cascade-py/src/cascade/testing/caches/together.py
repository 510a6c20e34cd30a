"""Contract: caches on the same data see each other's values, and many callers at once harm nothing."""

from __future__ import annotations

import asyncio

import pytest

from cascade.interfaces.cache import Cache
from cascade.testing.caches.harness import CacheHarness, a_key, value_of

__all__ = ["Together"]


class Together:
    """Contract: caches on the same data see each other's values."""

    async def test_what_one_puts_another_gets(self, cache: Cache, harness: CacheHarness) -> None:
        another = harness.cache()
        await cache.put(a_key(), 1)
        assert await value_of(another, a_key()) == 1
        await another.clear()
        assert await value_of(cache, a_key()) is None
        await another.aclose()

    async def test_many_at_once_each_get_what_they_put(
        self, cache: Cache, harness: CacheHarness
    ) -> None:
        caches = [cache, harness.cache()]

        async def use(number: int) -> None:
            mine = caches[number % 2]
            await mine.put(a_key(f"{number % 7}"), number % 7)
            assert await value_of(mine, a_key(f"{number % 7}")) == number % 7

        await asyncio.gather(*[use(number) for number in range(50)])
        assert len(await cache.entries()) == 7
        await caches[1].aclose()

    async def test_a_lock_is_let_go_when_its_block_ends(self, cache: Cache) -> None:
        for _ in range(2):
            async with asyncio.timeout(60), cache.lock(a_key()):
                pass
        with pytest.raises(ZeroDivisionError):
            async with cache.lock(a_key()):
                1 / 0  # noqa: B018 - for what it raises
        async with asyncio.timeout(60), cache.lock(a_key()):
            pass

    async def test_locks_of_other_keys_are_others(self, cache: Cache) -> None:
        async with asyncio.timeout(60), cache.lock(a_key("a")), cache.lock(a_key("b")):
            pass
