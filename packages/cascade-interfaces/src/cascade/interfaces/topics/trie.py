"""Two tries over topic levels: many filters asked with a topic, many topics asked with a filter.

Both walk level by level with a frontier of nodes, so depth costs no recursion.
"""

from __future__ import annotations

from itertools import chain
from typing import Generic, TypeVar

__all__ = ["FilterTrie", "TopicTrie"]

T = TypeVar("T")


class _Node(Generic[T]):
    """One level: its children by the text of the next level, and what is stored right here."""

    __slots__ = ("children", "values")

    def __init__(self) -> None:
        self.children: dict[str, _Node[T]] = {}
        self.values: dict[T, None] = {}  # an ordered set


class _Trie(Generic[T]):
    """What both tries share: adding and removing a value under a path of levels."""

    __slots__ = ("_root",)

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()

    def add(self, path: str, value: T) -> None:
        """Store a value under a topic or filter."""
        node = self._root
        for level in path.split("/"):
            child = node.children.get(level)
            if child is None:
                child = node.children[level] = _Node()
            node = child
        node.values[value] = None

    def remove(self, path: str, value: T) -> None:
        """Take one value away again, and the branches that it alone kept alive.

        Raises:
            KeyError: that value is not stored under that path.
        """
        node = self._root
        trail: list[tuple[_Node[T], str]] = []
        for level in path.split("/"):
            trail.append((node, level))
            node = node.children[level]
        del node.values[value]
        while trail and not node.values and not node.children:
            node, level = trail.pop()
            del node.children[level]

    def values(self) -> list[T]:
        """Return every value, in no particular order."""
        found: list[T] = []
        frontier = [self._root]
        while frontier:
            found += _values_of(frontier)
            frontier = [child for node in frontier for child in node.children.values()]
        return found


class FilterTrie(_Trie[T]):
    """Filters, each with values; asked which values belong to a topic.

    Examples:
        >>> trie = FilterTrie()
        >>> trie.add("home/+/light", 1); trie.add("home/#", 2); trie.add("garden/#", 3)
        >>> sorted(trie.match("home/kitchen/light"))
        [1, 2]
    """

    __slots__ = ()

    def match(self, topic: str) -> list[T]:
        """Return the values of every filter that matches the topic, in no particular order."""
        found: list[T] = []
        frontier = [self._root]
        hidden = topic[0] == "$"
        for level in topic.split("/"):
            reached: list[_Node[T]] = []
            for node in frontier:
                children = node.children
                if level in children:
                    reached.append(children[level])
                if hidden:  # MQTT 5.0 §4.7.2: a leading wildcard does not match '$…'
                    continue
                if "+" in children:
                    reached.append(children["+"])
                if "#" in children:
                    found += children["#"].values
            if not reached:
                return found
            frontier = reached
            hidden = False
        for node in frontier:
            found += node.values
            if "#" in node.children:  # '#' also stands for its parent
                found += node.children["#"].values
        return found


class TopicTrie(_Trie[T]):
    """Topics, each with values; asked which values belong to a filter.

    Examples:
        >>> trie = TopicTrie()
        >>> trie.add("home/kitchen", 1); trie.add("home/hall", 2); trie.add("home", 3)
        >>> sorted(trie.match("home/#"))
        [1, 2, 3]
    """

    __slots__ = ()

    def match(self, topic_filter: str) -> list[T]:
        """Return the values of every topic that the filter matches, in no particular order."""
        frontier = [self._root]
        for depth, level in enumerate(topic_filter.split("/")):
            if level == "#":
                return self._below(frontier, with_roots=depth > 0)
            if level == "+":
                frontier = [child for node in frontier for child in self._children(node)]
            else:
                frontier = [node.children[level] for node in frontier if level in node.children]
        return _values_of(frontier)

    def _children(self, node: _Node[T]) -> list[_Node[T]]:
        """Return the children that a wildcard reaches: at the root, those without '$'."""
        if node is not self._root:
            return list(node.children.values())
        return [child for level, child in node.children.items() if not level.startswith("$")]

    def _below(self, frontier: list[_Node[T]], *, with_roots: bool) -> list[T]:
        found = _values_of(frontier) if with_roots else []
        while frontier:
            frontier = [child for node in frontier for child in self._children(node)]
            found += _values_of(frontier)
        return found


def _values_of(nodes: list[_Node[T]]) -> list[T]:
    return list(chain.from_iterable([node.values for node in nodes]))
