"""Which filters the broker is asked for, and which of several copies counts."""

from hypothesis import given
from hypothesis import strategies as st

from cascade.connectors.mqtt.subscription_table import SubscriptionTable, overlap
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


@given(st.lists(FILTERS, min_size=1, max_size=6, unique=True), TOPICS)
def test_of_all_copies_exactly_one_counts(filters, topic):
    table = SubscriptionTable()
    table.may_number = True
    for topic_filter in filters:
        table.acquire(topic_filter)
    copies = [each for each in filters if matches(each, topic)]
    counted = [each for each in copies if not table.is_extra(topic, [table.numbers.get(each)])]
    assert counted == copies[:1]
    if copies:  # one copy may speak for all
        assert not table.is_extra(topic, [table.numbers.get(each) for each in copies])


@given(st.lists(FILTERS, min_size=1, max_size=6))
def test_what_is_let_go_leaves_nothing_behind(filters):
    table = SubscriptionTable()
    table.may_number = True
    for topic_filter in filters:
        table.acquire(topic_filter)
    ended = [each for each in filters if table.release(each)]
    assert sorted(ended) == sorted(set(filters))
    assert table.filters() == []
    assert table.numbers == {}


def test_only_filters_that_overlap_are_numbered_and_the_older_one_is_told_again():
    table = SubscriptionTable()
    table.may_number = True
    assert table.acquire("a/b") == []
    assert table.acquire("c") == []
    assert table.numbers == {}
    assert table.acquire("a/+") == ["a/b"]
    assert set(table.numbers) == {"a/b", "a/+"}
    assert table.acquire("a/#") == []  # both have a number already
    assert table.acquire("a/b") == []  # wanted twice, asked for once
    assert not table.release("a/b")
    assert table.release("a/b")


def test_without_numbers_nothing_is_extra():
    table = SubscriptionTable()
    table.acquire("a/b")
    table.acquire("a/+")
    assert table.numbers == {}
