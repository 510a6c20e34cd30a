"""Topic names and filters: what is allowed, what matches what (MQTT 5.0 §4.7)."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cascade.interfaces.errors import InvalidTopicError
from cascade.interfaces.topics import (
    as_filters,
    has_wildcard,
    matches,
    validate_filter,
    validate_filters,
    validate_topic,
)
from cascade.testing.connectors.topics import INVALID, MATCHES, VALID
from interfaces.slow_topics import filters, slow_matches, topics
from rows import each_row

VALIDATE = {"filter": validate_filter, "shared-filter": validate_filter, "topic": validate_topic}
MAX_BYTES = 65_535


def test_the_matchers_do_as_the_vectors_say():
    for case in MATCHES:
        assert matches(case["filter"], case["topic"]) is case["match"], case
        assert slow_matches(case["filter"], case["topic"]) is case["match"], case
    assert len(MATCHES) > 60


def test_what_is_invalid_is_refused_with_its_reason():
    for case in INVALID:
        with pytest.raises(InvalidTopicError) as caught:
            VALIDATE[case["kind"]](case["value"])
        assert caught.value.topic == case["value"], case
        assert caught.value.reason in str(caught.value), case
    assert len(INVALID) > 40


def test_what_is_valid_is_accepted():
    for case in VALID:
        VALIDATE[case["kind"]](case["value"])
    assert len(VALID) > 5


def is_allowed(character):
    code = ord(character)
    if unicodedata.category(character) in {"Cc", "Cs"}:
        return False
    return not (0xFDD0 <= code <= 0xFDEF or code & 0xFFFF in {0xFFFE, 0xFFFF})


def test_exactly_control_and_non_characters_and_surrogates_are_refused():
    codes = [*range(0x3000), *range(0xD7F0, 0x10100), *range(0xE000, 0x110000, 0x3FF)]
    codes += [plane + 0xFFF0 + step for plane in range(0, 0x110000, 0x10000) for step in range(16)]
    for code in codes:
        if chr(code) in "+#":
            continue
        for validate in (validate_topic, validate_filter):
            assert is_taken(validate, f"a/{chr(code)}") is is_allowed(chr(code)), hex(code)


@pytest.mark.parametrize("wrong", [None, 1, b"a", [], {}, {"a"}])
def test_what_is_no_text_is_no_topic(wrong):
    for check in (validate_topic, validate_filter, lambda topic: as_filters(["a", topic])):
        with pytest.raises(InvalidTopicError, match=f"not {type(wrong).__name__}"):
            check(wrong)


@given(filters, topics)
@example("a/#", "a")
@example("+/#", "$s/a")
@example("$s/+", "$s/")
def test_matching_agrees_with_the_slow_matcher(topic_filter, topic):
    assert matches(topic_filter, topic) is slow_matches(topic_filter, topic)


def is_taken(validate, text):
    try:
        validate(text)
    except InvalidTopicError:
        return False
    return True


@given(filters)
def test_every_made_up_filter_is_valid(topic_filter):
    assert is_taken(validate_filter, topic_filter)


@given(topics)
def test_every_made_up_topic_is_valid_also_as_a_filter(topic):
    assert is_taken(validate_topic, topic)
    assert is_taken(validate_filter, topic)
    assert not has_wildcard(topic)
    assert matches(topic, topic)


@given(st.text())
def test_a_topic_is_refused_exactly_where_mqtt_refuses_it(text):
    allowed = bool(text) and all(map(is_allowed, text)) and not set(text) & {"+", "#"}
    if allowed:
        validate_topic(text)
    else:
        with pytest.raises(InvalidTopicError):
            validate_topic(text)


@each_row(
    ("topic_filter", "level"),
    [
        ("a/b+/c", 2),
        ("a/+/c+", 3),
        ("#/a", 1),
        ("a/#/b", 2),
        ("a/b/c#", 3),
        ("a/\0", 2),
        ("\ud800/a", 1),
        ("a/b/\udfff", 3),
        ("$share//a", 2),
        ("$share/+/a", 2),
        ("$share/g/", 3),
        ("$share/g", 3),
        ("$share/g/a/#/b", 4),
    ],
)
def test_the_error_says_which_level_of_a_filter_is_wrong(topic_filter, level):
    with pytest.raises(InvalidTopicError, match=f"at level {level}: ") as caught:
        validate_filter(topic_filter)
    assert caught.value.level == level


@each_row(("topic", "level"), [("+", 1), ("a/#", 2), ("a/b/c+d/e", 3), ("a//\0", 3)])
def test_the_error_says_which_level_of_a_topic_is_wrong(topic, level):
    with pytest.raises(InvalidTopicError, match=f"at level {level}: ") as caught:
        validate_topic(topic)
    assert caught.value.level == level


@each_row("validate", [validate_topic, validate_filter])
@each_row("text", ["a" * MAX_BYTES, "é" * (MAX_BYTES // 2) + "a", "/" * MAX_BYTES])
def test_the_longest_text_that_mqtt_carries_is_accepted(validate, text):
    assert is_taken(validate, text)


@each_row("validate", [validate_topic, validate_filter])
@each_row("text", ["a" * (MAX_BYTES + 1), "é" * (MAX_BYTES // 2 + 1)])
def test_one_byte_more_is_refused_and_the_text_stays_readable(validate, text):
    with pytest.raises(InvalidTopicError, match=f"{MAX_BYTES + 1} bytes") as caught:
        validate(text)
    assert caught.value.level is None
    assert caught.value.topic == text
    assert len(str(caught.value)) < 300


@each_row("validate", [validate_topic, validate_filter])
@each_row("value", [None, 7, b"a/b", ["a"]])
def test_what_is_not_a_text_is_refused(validate, value):
    with pytest.raises(InvalidTopicError, match=type(value).__name__):
        validate(value)


@each_row("validate", [validate_topic, validate_filter])
def test_an_invalid_topic_is_a_value_error(validate):
    with pytest.raises(ValueError, match="at least one character"):
        validate("")


def test_filters_come_as_a_tuple_without_repeats():
    assert as_filters("a/b") == ("a/b",)
    assert as_filters(["a", "b", "a"]) == ("a", "b")
    assert as_filters(("a", "a")) == ("a",)
    given = ("a", "b")
    assert as_filters(given) is given  # as agents give it in each of their turns
    with pytest.raises(InvalidTopicError, match="at least one topic filter"):
        as_filters([])


def test_filters_to_subscribe_to_are_all_checked_and_a_shared_one_stands_alone():
    validate_filters(("a", "b/+", "shared/$share/c"))
    validate_filters(("$share/group/a",))
    with pytest.raises(InvalidTopicError, match="at level 2"):
        validate_filters(("a", "b/c#"))
    with pytest.raises(InvalidTopicError, match="subscribe to it alone"):
        validate_filters(("a", "$share/group/a"))
