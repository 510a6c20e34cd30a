"""Which filters the broker is asked for, and which of several copies counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade.connectors.mqtt.subscription_table import FilterOptions, SubscriptionTable, overlap
from cascade.interfaces.topics import matches

LEVELS = st.sampled_from(["a", "b", "$s", ""])
TOPICS = st.lists(LEVELS, min_size=1, max_size=4).map("/".join).filter(bool)
FILTERS = (
    st.tuples(
        st.lists(st.sampled_from(["a", "b", "$s", "", "+"]), max_size=3),
        st.sampled_from(["a", "+", "#"]),
    )
    .map(lambda parts: "/".join([*parts[0], parts[1]]))
    .filter(bool)
)


@given(FILTERS, FILTERS, TOPICS)
def test_filters_that_match_one_topic_overlap(one, other, topic):
    if matches(one, topic) and matches(other, topic):
        assert overlap(one, other)
    assert overlap(one, other) == overlap(other, one)


@given(FILTERS, FILTERS)
def test_filters_that_overlap_have_a_topic_in_common(one, other):
    if overlap(one, other):
        assert any(
            matches(one, topic) and matches(other, topic) for topic in common_topics(one, other)
        )


def common_topics(one, other):
    """Return topics of which at least one matches both filters, if any does."""
    ours, theirs = one.split("/"), other.split("/")
    levels = [
        level if level not in ("+", "#") else against
        for level, against in zip(ours, theirs, strict=False)
    ]
    rest = (ours if len(ours) > len(theirs) else theirs)[len(levels) :]
    whole = [("x" if level in ("+", "#") else level) for level in levels + rest]
    yield "/".join(whole)
    for end in range(1, len(whole)):
        yield "/".join(whole[:end])


PLAIN = FilterOptions(1)
APART = FilterOptions(1, stands_apart=True)


def table_of(*filters, may_number=True):
    table = SubscriptionTable()
    table.may_number = may_number
    for topic_filter in filters:
        table.acquire(topic_filter, PLAIN)
    return table


def counted(table, topic, filters, payload=b"1"):
    """The filters of those copies that count, of one message that comes once for each filter."""
    copies = [(each, table.number(each)) for each in filters if matches(each, topic)]
    return [
        each for each, number in copies if number and not table.is_extra(topic, payload, [number])
    ]


@given(st.lists(FILTERS, min_size=1, max_size=6, unique=True), TOPICS)
def test_of_all_copies_exactly_one_counts(filters, topic):
    table = table_of(*filters)
    copies = [each for each in filters if matches(each, topic)]
    numbers = [table.number(each) for each in copies]
    if len(copies) > 1:
        assert counted(table, topic, filters) == copies[:1]
        assert not table.is_extra(topic, b"2", numbers)  # one copy may speak for all


@given(st.lists(FILTERS, min_size=1, max_size=6))
def test_what_is_let_go_leaves_nothing_behind(filters):
    table = table_of(*filters)
    ended = [each for each in filters if table.release(each)]
    for each in ended:
        table.left(each)
    assert sorted(ended) == sorted(set(filters))
    assert table.filters() == []
    assert not table._by_number
    assert table._matching("a") == []


def test_only_filters_that_overlap_are_numbered_and_the_older_one_is_told_again():
    table = table_of("a/b", "c")
    assert not table.has_numbers
    assert table.acquire("a/+", PLAIN) == ["a/b"]
    assert None not in {table.number("a/b"), table.number("a/+")}
    assert table.acquire("a/#", PLAIN) == []  # both have a number already
    assert table.acquire("a/b", PLAIN) == []  # wanted twice, asked for once
    assert table.number("c") is None
    assert not table.release("a/b")
    assert table.release("a/b")


def test_without_numbers_nothing_is_extra():
    table = table_of("a/b", "a/+", may_number=False)
    assert not table.has_numbers


def test_the_number_of_a_filter_is_the_same_for_the_next_process():
    one, other = table_of("a/#", "a/b"), table_of("x", "a/b", "a/#")
    assert one.number("a/#") == other.number("a/#")


def test_what_is_on_its_way_for_a_filter_that_ended_still_counts_once():
    table = table_of("a/+", "a/#")
    old, new = table.number("a/+"), table.number("a/#")
    table.release("a/+")
    assert not table.is_extra("a/x", b"1", [old])
    assert table.is_extra("a/x", b"1", [new])
    table.left("a/+")
    assert table.is_extra("a/x", b"2", [old])
    assert not table.is_extra("a/x", b"2", [new])


@given(st.permutations(["old", "new"]), st.integers(0, 4))
def test_a_message_whose_copies_come_before_and_after_the_end_of_a_filter_counts_once(order, end):
    table = table_of("a/+", "a/#")
    numbers = {"old": table.number("a/+"), "new": table.number("a/#")}
    table.release("a/+")
    copies = [(payload, which) for payload in (b"1", b"2") for which in order]
    heard = []
    for place, (payload, which) in enumerate(copies):
        if place == end:
            table.left("a/+")
        if not table.is_extra("a/x", payload, [numbers[which]]):
            heard.append(payload)
    assert heard == [b"1", b"2"]


def test_a_filter_that_is_wanted_again_at_once_makes_nobody_deaf():
    table = table_of("a/+", "a/#")
    table.release("a/+")
    table.acquire("a/+", PLAIN)
    assert counted(table, "a/x", ["a/+", "a/#"]) == ["a/#"]


def test_a_filter_that_the_broker_refuses_does_not_count():
    table = table_of("a/+", "a/#")
    table.refuse("a/+", refused=True)
    assert not table.is_extra("a/x", b"1", [table.number("a/#")])


def test_a_filter_that_stands_apart_has_its_copies_to_itself():
    table = table_of("jobs/#")
    table.acquire("$share/g/jobs/+", APART)
    number = table.number("$share/g/jobs/+")
    table.join("$share/g/jobs/+", "somebody")
    assert table.apart([number, 5]) == {number: ("$share/g/jobs/+", ["somebody"])}
    assert table.number("jobs/#") is None


def test_one_filter_has_one_set_of_options():
    table = table_of("a")
    with pytest.raises(ValueError, match="'a' is subscribed to with other options"):
        table.check(["b", "a"], APART)
    table.check(["a"], PLAIN)
