"""Contract: a cache keeps within its bounds, and forgets first what was not used for longest."""

from __future__ import annotations

from cascade.interfaces.cache import Cache
from cascade.testing.caches.harness import BYTES, a_key, a_value, value_of

__all__ = ["Eviction"]


class Eviction:
    """Contract: a cache keeps within its bounds."""

    async def test_what_is_too_much_is_forgotten_and_the_newest_stays(
        self, bounded_cache: Cache
    ) -> None:
        for letter in "abcdef":
            await bounded_cache.put(a_key(letter), a_value(letter))
            entries = await bounded_cache.entries()
            assert sum(entry.size for entry in entries) < 4 * BYTES
            assert await value_of(bounded_cache, a_key(letter)) == a_value(letter)
        assert len(entries) == 3

    async def test_what_was_written_first_is_forgotten_first(self, bounded_cache: Cache) -> None:
        for letter in "abcde":
            await bounded_cache.put(a_key(letter), a_value(letter))
        assert [await value_of(bounded_cache, a_key(each)) is None for each in "abcde"] == [
            *(True, True),
            *(False, False, False),
        ]

    async def test_a_value_beyond_the_bound_alone_is_not_kept_and_takes_no_others_place(
        self, bounded_cache: Cache
    ) -> None:
        await bounded_cache.put(a_key("small"), a_value("s"))
        await bounded_cache.put(a_key("big"), a_value("b"))
        await bounded_cache.put(a_key("big"), a_value("b") * 5)
        assert await bounded_cache.get(a_key("big")) is None
        assert await value_of(bounded_cache, a_key("small")) == a_value("s")
