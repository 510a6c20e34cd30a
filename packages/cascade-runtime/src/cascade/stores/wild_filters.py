"""The filters with wildcards of a store, known by heart: a table finds exact ones, and a trie these."""

from __future__ import annotations

from collections.abc import Iterable

from cascade.interfaces.topics import FilterTrie

__all__ = ["WildFilters"]

_MANY_REMOVED = 1_000


class WildFilters:
    """The distinct filters with wildcards, for as long as nobody adds one elsewhere.

    The store counts how often one was added that its writer did not know: that is their version. One that
    nobody listens to any more does no harm, until there are many.
    """

    def __init__(self) -> None:
        """Begin without knowing any."""
        self.forget()

    def forget(self) -> None:
        """Know nothing for sure any more."""
        self.replace(-1, ())

    def replace(self, version: int, names: Iterable[str]) -> None:
        """Know these, which are all there are in a version."""
        self.version = version
        self.removed = 0
        self.known = set(names)
        self._trie: FilterTrie[str] = FilterTrie()
        for name in self.known:
            self._trie.add(name, name)

    def is_current(self, version: int) -> bool:
        """Whether they are those of a version, and not mostly gone."""
        mostly_gone = self.removed > max(_MANY_REMOVED, len(self.known) // 2)
        return self.version == version and not mostly_gone

    def add(self, name: str) -> None:
        """Know one more; if it is new, this is another version, which all others have to read."""
        if name not in self.known:
            self.known.add(name)
            self._trie.add(name, name)
            self.version += 1

    def match(self, topic: str) -> list[str]:
        """Return those that match a topic."""
        return self._trie.match(topic)
