"""Contract, point 1: topics are MQTT's."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest

from cascade.interfaces.errors import InvalidTopicError
from cascade.testing.connectors.callbacks import Heard
from cascade.testing.connectors.harness import Connect

__all__ = ["INVALID", "MATCHES", "VALID", "Topics"]

_VECTORS = json.loads(
    (files("cascade.testing.connectors") / "topic_vectors.json").read_text(encoding="utf-8")
)
MATCHES: list[dict[str, Any]] = _VECTORS["match"]
"""Filters and topics, and whether they match (MQTT 5.0 §4.7)."""

INVALID: list[dict[str, Any]] = _VECTORS["invalid"]
"""What is no topic, no filter, or neither."""

VALID: list[dict[str, Any]] = _VECTORS["valid"]
"""What is one, though it may look odd."""

# A broker keeps topics that begin with '$' to itself.
_ORDINARY = [case for case in MATCHES if not case["topic"].startswith("$")]

END = "the/very/last/of/all/messages"


class Topics:
    """Contract, point 1: topics are MQTT's."""

    async def test_a_message_reaches_whoever_subscribed_to_a_matching_filter(
        self, connect: Connect
    ) -> None:
        connector, ended = await connect(), Heard()
        await connector.subscribe(END, ended)
        wrong = []
        for number, case in enumerate(_ORDINARY, 1):
            heard = Heard()
            handle = await connector.subscribe(case["filter"], heard)
            await connector.publish(case["topic"], "hello")
            await connector.publish(END, number)
            await ended.until(number)
            if case["match"]:
                await heard.until(1)
            heard.messages = [each for each in heard.messages if each[0] != END]
            if heard.messages != ([(case["topic"], "hello")] if case["match"] else []):
                wrong.append(case)
            await handle.unsubscribe()
        assert wrong == []

    async def test_a_retained_message_reaches_whoever_subscribes_to_a_matching_filter(
        self, connect: Connect
    ) -> None:
        connector = await connect()
        wrong = []
        for case in _ORDINARY:
            heard = Heard()
            await connector.publish(case["topic"], "kept", retain=True)
            handle = await connector.subscribe(case["filter"], heard)
            if heard.messages != ([(case["topic"], "kept")] if case["match"] else []):
                wrong.append(case)
            await handle.unsubscribe()
            await connector.publish(case["topic"], None, retain=True)
        assert wrong == []

    async def test_a_leading_wildcard_hears_nothing_that_begins_with_a_dollar(
        self, connect: Connect
    ) -> None:
        connector, hidden, shown = await connect(), Heard(), Heard()
        await connector.subscribe("#", hidden)
        await connector.subscribe("+/own", hidden)
        await connector.subscribe("$cascade/own", shown)
        await connector.publish("$cascade/own", 1)
        await connector.publish("end/own", 2)
        assert await shown.until(1) == [("$cascade/own", 1)]
        assert await hidden.until(2) == [("end/own", 2), ("end/own", 2)]

    async def test_what_is_no_topic_and_no_filter_is_refused_and_nothing_is_sent(
        self, connect: Connect
    ) -> None:
        connector, heard = await connect(), Heard()
        for case in INVALID:
            if case["kind"] != "topic":
                with pytest.raises(InvalidTopicError):
                    await connector.subscribe(case["value"], Heard())
            else:
                for retain in (False, True):
                    with pytest.raises(InvalidTopicError):
                        await connector.publish(case["value"], "x", retain=retain)
        await connector.subscribe("#", heard)
        await connector.publish("end", 1)
        assert await heard.until(1) == [("end", 1)]

    async def test_control_and_non_characters_and_what_is_no_text_are_refused(
        self, connect: Connect
    ) -> None:
        connector, heard = await connect(), Heard()
        wrong: list[Any] = ["a\tb", "a/b\n", "\x7f", "a\x85", "\ufdd0", "a/\uffff", "\U0010fffe"]
        wrong += [None, 1, b"a", ["a"], {"a": 1}, {"a"}, bytearray(b"a")]
        for each in wrong:
            for retain in (False, True):
                with pytest.raises(InvalidTopicError):
                    await connector.publish(each, 1, retain=retain)
            with pytest.raises(InvalidTopicError):
                await connector.publish(each, 1, qos=1)
            with pytest.raises(InvalidTopicError):
                await connector.subscribe(["a", each], heard)
            if each != ["a"]:
                with pytest.raises(InvalidTopicError):
                    await connector.subscribe(each, heard)
        await connector.subscribe("#", heard)
        await connector.publish("end", 1)
        assert await heard.until(1) == [("end", 1)]

    async def test_a_topic_over_65535_bytes_is_refused(self, connect: Connect) -> None:
        connector = await connect()
        for topic in ("a" * 65_536, "é" * 32_768):
            with pytest.raises(InvalidTopicError):
                await connector.publish(topic, 1)
            with pytest.raises(InvalidTopicError):
                await connector.subscribe(topic, Heard())

    async def test_one_subscription_hears_a_message_once_though_others_overlap(
        self, connect: Connect
    ) -> None:
        connector = await connect()
        heard = [Heard() for _ in range(4)]
        for callback, topic_filter in zip(heard, ["a/b", "a/+", "a/#", "#"], strict=True):
            await connector.subscribe(topic_filter, callback)
        for number in range(3):
            await connector.publish("a/b", number)
        for callback in heard:
            await callback.until(3)
            assert callback.payloads == [0, 1, 2]

    async def test_one_subscription_to_several_filters_hears_a_message_once_and_in_order(
        self, connect: Connect
    ) -> None:
        connector, heard = await connect(), Heard()
        await connector.subscribe(["a/b", "a/+", "c", "a/b", "#"], heard)
        for number, topic in enumerate(["a/b", "c", "a/x", "d", "a/b"]):
            await connector.publish(topic, number)
        await connector.publish("end", "end")
        await heard.until(6)
        assert heard.payloads == [0, 1, 2, 3, 4, "end"]

    async def test_several_filters_hear_nothing_else_and_end_together(
        self, connect: Connect
    ) -> None:
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

    async def test_what_is_retained_for_several_filters_comes_once_before_subscribe_returns(
        self, connect: Connect
    ) -> None:
        connector, heard = await connect(), Heard()
        for topic in ["b", "a/1", "c", "a/2"]:
            await connector.publish(topic, topic, retain=True)
        await connector.subscribe(["a/+", "a/1", "b"], heard)
        assert sorted(heard.payloads) == ["a/1", "a/2", "b"]
        for topic in ["b", "a/1", "c", "a/2"]:
            await connector.publish(topic, None, retain=True)

    async def test_one_invalid_filter_among_several_refuses_them_all(
        self, connect: Connect
    ) -> None:
        connector, heard, end = await connect(), Heard(), Heard()
        with pytest.raises(InvalidTopicError, match="must be the whole of the last level"):
            await connector.subscribe(["a", "b/c#"], heard)
        with pytest.raises(InvalidTopicError, match="at least one topic filter"):
            await connector.subscribe([], heard)
        await connector.subscribe("end", end)
        await connector.publish("a", 1)
        await connector.publish("end", 1)
        await end.until(1)
        assert heard.messages == []
