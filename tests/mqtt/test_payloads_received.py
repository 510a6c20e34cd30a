"""Payloads over a broker: what cannot be read is told and skipped, and holds nothing up."""

import pickle

import pytest

from cascade.interfaces.errors import PayloadError
from cascade.interfaces.properties import to_send
from cascade.testing.connectors import Heard, reports
from mqtt.broker import NEEDS_BROKER

pytestmark = NEEDS_BROKER


async def test_junk_is_told_and_skipped(broker, connect):
    stranger = await connect(broker, payloads="bytes")
    connector, heard = await connect(broker, max_payload=100), Heard()
    await connector.subscribe("a", heard)
    with reports() as told:
        await stranger.publish("a", b"\xff not JSON", 1)
        await stranger.publish("a", pickle.dumps(print), 1)
        await stranger.publish("a", b'"' + b"x" * 200 + b'"', 1)
        await stranger.publish("a", b'{"fine": true}', 1)
        await heard.until(1)
    assert heard.payloads == [{"fine": True}]
    assert [name for name, _ in told.messages] == ["mqtt.message_unreadable"] * 3
    reasons = [str(facts["reason"]) for _, facts in told.messages]
    assert "not JSON" in reasons[0]
    assert "over max_payload=100" in reasons[2]
    assert {facts["topic"] for _, facts in told.messages} == {"a"}


async def test_retained_junk_does_not_keep_subscribe_from_returning(broker, connect):
    stranger = await connect(broker, payloads="bytes")
    await stranger.publish("a/1", b"{", retain=True)
    await stranger.publish("a/2", b"2", retain=True)
    connector, heard = await connect(broker), Heard()
    with reports() as told:
        await connector.subscribe("a/+", heard)
    assert heard.messages == [("a/2", 2)]
    assert [name for name, _ in told.messages] == ["mqtt.message_unreadable"]


async def test_bytes_go_through(broker, connect):
    connector, heard = await connect(broker, payloads="bytes"), Heard()
    await connector.subscribe("a", heard)
    await connector.publish("a", bytes(range(256)))
    await heard.until(1)
    assert heard.payloads == [bytes(range(256))]


async def test_a_packet_that_the_broker_would_not_take_is_refused_here(start_broker, connect):
    broker = start_broker("max_packet_size 2000")
    connector = await connect(broker)
    with pytest.raises(PayloadError, match="2000 bytes at most"):
        await connector.publish("a", "x" * 3000)
    to_send.set((("note", "x" * 3000),))  # counts as well
    with pytest.raises(PayloadError, match="2000 bytes at most"):
        await connector.publish("a", "x" * 100)
    to_send.set(())
    await connector.publish("a", "x" * 100, 1)
    assert connector.online
