"""Contract, point 1: topics are MQTT's."""

import json
from pathlib import Path

import pytest

from cascade.interfaces.errors import InvalidTopicError
from connectors.hearing import Heard

VECTORS = json.loads(
    (Path(__file__).parents[1] / "interfaces" / "topic-vectors.json").read_text(encoding="utf-8")
)
# A broker keeps topics that begin with '$' to itself; those are tried in tests/interfaces.
MATCHES = [case for case in VECTORS["match"] if not case["topic"].startswith("$")]
REFUSED = VECTORS["invalid"]
END = "the/very/last/of/all/messages"


@pytest.mark.parametrize("case", MATCHES, ids=lambda case: f"{case['filter']}-{case['topic']}")
async def test_a_message_reaches_whoever_subscribed_to_a_matching_filter(connect, case):
    connector, heard, ended = await connect(), Heard(), Heard()
    await connector.subscribe(case["filter"], heard)
    await connector.subscribe(END, ended)
    await connector.publish(case["topic"], "hello")
    await connector.publish(END, "end")
    await ended.until(1)
    if case["match"]:
        await heard.until(1)
    expected = [(case["topic"], "hello")] if case["match"] else []
    assert [message for message in heard.messages if message[0] != END] == expected


@pytest.mark.parametrize("case", MATCHES, ids=lambda case: f"{case['filter']}-{case['topic']}")
async def test_a_retained_message_reaches_whoever_subscribes_to_a_matching_filter(connect, case):
    connector, heard = await connect(), Heard()
    await connector.publish(case["topic"], "kept", retain=True)
    await connector.subscribe(case["filter"], heard)
    assert heard.messages == ([(case["topic"], "kept")] if case["match"] else [])
    await connector.publish(case["topic"], None, retain=True)


async def test_a_leading_wildcard_hears_nothing_that_begins_with_a_dollar(connect):
    connector, hidden, shown = await connect(), Heard(), Heard()
    await connector.subscribe("#", hidden)
    await connector.subscribe("+/own", hidden)
    await connector.subscribe("$cascade/own", shown)
    await connector.publish("$cascade/own", 1)
    await connector.publish("end/own", 2)
    assert await shown.until(1) == [("$cascade/own", 1)]
    assert await hidden.until(2) == [("end/own", 2), ("end/own", 2)]


@pytest.mark.parametrize(
    "case", [c for c in REFUSED if c["kind"] != "topic"], ids=lambda c: ascii(c["value"])
)
async def test_subscribing_to_an_invalid_filter_is_refused(connect, case):
    connector = await connect()
    with pytest.raises(InvalidTopicError):
        await connector.subscribe(case["value"], Heard())


@pytest.mark.parametrize(
    "case", [c for c in REFUSED if c["kind"] == "topic"], ids=lambda c: ascii(c["value"])
)
@pytest.mark.parametrize("retain", [False, True])
async def test_publishing_on_an_invalid_topic_is_refused(connect, case, retain):
    connector, heard = await connect(), Heard()
    with pytest.raises(InvalidTopicError):
        await connector.publish(case["value"], "x", retain=retain)
    await connector.subscribe("#", heard)
    await connector.publish("end", 1)
    assert await heard.until(1) == [("end", 1)]


async def test_the_error_names_the_level(connect):
    connector = await connect()
    with pytest.raises(ValueError, match="at level 2: ") as caught:
        await connector.publish("a/+/b", 1)
    assert (caught.value.topic, caught.value.level) == ("a/+/b", 2)
    with pytest.raises(ValueError, match="at level 3: "):
        await connector.subscribe("a/b/c#", Heard())


@pytest.mark.parametrize("topic", ["a" * 65_536, "é" * 32_768])
async def test_a_topic_over_65535_bytes_is_refused(connect, topic):
    connector = await connect()
    with pytest.raises(InvalidTopicError):
        await connector.publish(topic, 1)
    with pytest.raises(InvalidTopicError):
        await connector.subscribe(topic, Heard())


@pytest.mark.parametrize("topic_filter", ["$share/group/a", "$share/group/#"])
async def test_a_shared_subscription_is_refused(connect, topic_filter):
    connector = await connect()
    with pytest.raises(InvalidTopicError):
        await connector.subscribe(topic_filter, Heard())


async def test_one_subscription_hears_a_message_once_though_others_overlap(connect):
    connector = await connect()
    heard = [Heard() for _ in range(4)]
    for callback, topic_filter in zip(heard, ["a/b", "a/+", "a/#", "#"], strict=True):
        await connector.subscribe(topic_filter, callback)
    for number in range(3):
        await connector.publish("a/b", number)
    for callback in heard:
        await callback.until(3)
        assert callback.payloads == [0, 1, 2]


# --- several filters ------------------------------------------------------------------------------


async def test_one_subscription_to_several_filters_hears_a_message_once_and_in_order(connect):
    connector, heard = await connect(), Heard()
    await connector.subscribe(["a/b", "a/+", "c", "a/b", "#"], heard)
    for number, topic in enumerate(["a/b", "c", "a/x", "d", "a/b"]):
        await connector.publish(topic, number)
    await connector.publish("end", "end")
    await heard.until(6)
    assert heard.payloads == [0, 1, 2, 3, 4, "end"]


async def test_several_filters_hear_nothing_else_and_end_together(connect):
    connector, heard, end = await connect(), Heard(), Heard()
    handle = await connector.subscribe(("a", "b/+"), heard)
    await connector.subscribe("end", end)
    for topic in ["a", "b", "b/1", "c", "a/b"]:
        await connector.publish(topic, topic)
    assert [payload for _, payload in await heard.until(2)] == ["a", "b/1"]
    await handle.unsubscribe()
    for topic in ["a", "b/1", "end"]:
        await connector.publish(topic, topic)
    await end.until(1)
    assert heard.payloads == ["a", "b/1"]


async def test_what_is_retained_for_several_filters_comes_once_before_subscribe_returns(connect):
    connector, heard = await connect(), Heard()
    for topic in ["b", "a/1", "c", "a/2"]:
        await connector.publish(topic, topic, retain=True)
    await connector.subscribe(["a/+", "a/1", "b"], heard)
    assert sorted(heard.payloads) == ["a/1", "a/2", "b"]
    for topic in ["b", "a/1", "c", "a/2"]:
        await connector.publish(topic, None, retain=True)


async def test_one_invalid_filter_among_several_refuses_them_all(connect):
    connector, heard, end = await connect(), Heard(), Heard()
    with pytest.raises(InvalidTopicError, match="at level 2: "):
        await connector.subscribe(["a", "b/c#"], heard)
    with pytest.raises(InvalidTopicError, match="at least one topic filter"):
        await connector.subscribe([], heard)
    await connector.subscribe("end", end)
    await connector.publish("a", 1)
    await connector.publish("end", 1)
    await end.until(1)
    assert heard.messages == []
