"""The tries give the same answer as asking one by one, and keep nothing that was taken away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade.interfaces.topics import FilterTrie, TopicTrie
from interfaces.slow_topics import filters, slow_matches, topics
from rows import each_row

many_filters = st.lists(filters, max_size=12)
many_topics = st.lists(topics, max_size=12)


def filled(trie, paths):
    for number, path in enumerate(paths):
        trie.add(path, number)
    return trie


@given(many_filters, topics)
def test_a_topic_finds_every_filter_that_matches_it_once(paths, topic):
    found = filled(FilterTrie(), paths).match(topic)
    expected = [number for number, path in enumerate(paths) if slow_matches(path, topic)]
    assert sorted(found) == expected


@given(many_topics, filters)
def test_a_filter_finds_every_topic_that_it_matches_once(paths, topic_filter):
    found = filled(TopicTrie(), paths).match(topic_filter)
    expected = [number for number, path in enumerate(paths) if slow_matches(topic_filter, path)]
    assert sorted(found) == expected


@given(many_filters, st.data())
def test_what_was_removed_is_not_found_and_the_rest_still_is(paths, data):
    trie = filled(FilterTrie(), paths)
    gone = data.draw(st.sets(st.sampled_from(range(len(paths))))) if paths else set()
    for number in gone:
        trie.remove(paths[number], number)
    topic = data.draw(topics)
    expected = {n for n, path in enumerate(paths) if n not in gone and slow_matches(path, topic)}
    assert set(trie.match(topic)) == expected
    assert set(trie.values()) == set(range(len(paths))) - gone


@pytest.mark.parametrize("kind", [FilterTrie, TopicTrie])
@given(paths=many_filters, data=st.data())
def test_removing_everything_in_any_order_leaves_no_node(kind, paths, data):
    trie = filled(kind(), paths)
    for number in data.draw(st.permutations(range(len(paths)))):
        trie.remove(paths[number], number)
    assert trie.values() == []
    assert trie._root.children == {}
    assert trie._root.values == {}


@each_row("kind", [FilterTrie, TopicTrie])
def test_the_same_value_twice_under_one_path_is_kept_once(kind):
    trie = kind()
    trie.add("a/b", 1)
    trie.add("a/b", 1)
    assert trie.match("a/b") == [1]
    trie.remove("a/b", 1)
    assert trie._root.children == {}


@each_row("kind", [FilterTrie, TopicTrie])
@each_row(("path", "value"), [("a", 1), ("a/b", 2), ("a/b/c", 1), ("x", 1)])
def test_removing_what_is_not_there_is_an_error_and_changes_nothing(kind, path, value):
    trie = kind()
    trie.add("a/b", 1)
    with pytest.raises(KeyError):
        trie.remove(path, value)
    assert trie.match("a/b") == [1]


def test_depth_costs_no_recursion():
    deep = "/".join(["a"] * 30_000)
    filter_trie, topic_trie = filled(FilterTrie(), [deep, "#"]), filled(TopicTrie(), [deep])
    assert sorted(filter_trie.match(deep)) == [0, 1]
    assert topic_trie.match("#") == [0]
    assert topic_trie.match(deep) == [0]
    filter_trie.remove(deep, 0)
    assert filter_trie.values() == [1]
