"""Contract: a cache says what it has, by task, and forgets what it is told to."""

from __future__ import annotations

from cascade.interfaces.cache import Cache
from cascade.testing.caches.harness import a_key, value_of

__all__ = ["Entries"]


class Entries:
    """Contract: a cache says what it has, and forgets what it is told to."""

    async def test_an_entry_says_what_its_key_was_made_of(self, cache: Cache) -> None:
        key = a_key(version="2", resources={"db": "d0"})
        await cache.put(key, 1, good_until=4e9, outputs={"a": "b"})
        (entry,) = await cache.entries()
        assert (entry.digest, entry.task, entry.version) == (key.digest, "shop:load", "2")
        assert entry.code == dict(key.code)
        assert entry.arguments == dict(key.arguments)
        assert (entry.resources, entry.outputs) == ({"db": "d0"}, {"a": "b"})
        assert entry.good_until == 4e9
        assert entry.created_at <= entry.used_at

    async def test_entries_are_listed_by_task_the_newest_first(self, cache: Cache) -> None:
        for name in "abc":
            await cache.put(a_key(name), name)
        await cache.put(a_key("x", "shop:save"), "x")
        wanted = [a_key(name).digest for name in "cba"]
        assert [entry.digest for entry in await cache.entries("shop:load")] == wanted
        assert [entry.digest for entry in await cache.entries()][1:] == wanted
        assert await cache.entries("shop:other") == []

    async def test_what_is_cleared_is_forgotten_by_task_or_whole(self, cache: Cache) -> None:
        for name in "ab":
            await cache.put(a_key(name), name)
        await cache.put(a_key("x", "shop:save"), "x")
        assert await cache.clear("shop:load") == 2
        assert [await value_of(cache, a_key(name)) for name in "ab"] == [None, None]
        assert await value_of(cache, a_key("x", "shop:save")) == "x"
        assert await cache.clear() == 1
        assert await cache.clear() == 0
        assert await cache.entries() == []
