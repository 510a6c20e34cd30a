"""A span that received a signal is linked to the one that sent it: two engines and a real broker."""

import asyncio

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import get_tracer

import cascade as cs
from cascade.connectors.mqtt import MqttConnector
from cascade.interfaces.properties import received, to_send
from cascade.otel import instrument
from mqtt.broker import NEEDS_BROKER, Broker

pytestmark = NEEDS_BROKER

TRACE = (("traceparent", f"00-{'a' * 32}-{'b' * 16}-01"), ("tracestate", "vendor=value"))


@pytest.fixture
def broker(tmp_path):
    with Broker(tmp_path) as broker:
        yield broker


class Traced:
    """An engine on a broker, with an exporter of its own."""

    def __init__(self, broker, name, **options):
        self.exporter = InMemorySpanExporter()
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.connector = MqttConnector(broker.url, **options)
        self.engine = cs.Engine(name=name, connector=self.connector)
        instrument(self.engine, tracer_provider=tracers)

    def spans(self, name):
        found = [span for span in self.exporter.get_finished_spans() if span.name == name]
        return sorted(found, key=lambda span: span.start_time)

    def span(self, name):
        (span,) = self.spans(name)
        return span


@pytest.fixture
async def pair(broker):
    speaker, hearer = Traced(broker, "speaker"), Traced(broker, "hearer")
    async with speaker.engine, hearer.engine:
        yield speaker, hearer


def senders(span):
    return [(link.context.trace_id, link.context.span_id) for link in span.links]


def identity(span):
    return span.context.trace_id, span.context.span_id


@pytest.mark.parametrize("buffered", [False, True])
async def test_the_span_that_received_links_to_the_one_that_sent(pair, buffered):
    speaker, hearer = pair
    hearing = hearer.engine.run(cs.recv("door", timeout=10, buffered=buffered))
    hearing = asyncio.create_task(hearing)
    while not hearing.done():
        await asyncio.wait([hearing], timeout=0.05)
        await speaker.engine.run(cs.send("door", "open", qos=1), name="speech")
    assert await hearing == "open"
    sent = {identity(span) for span in speaker.spans("send")}
    (sender,) = senders(hearer.span("recv"))
    assert sender in sent
    assert hearer.span("recv").context.trace_id != sender[0]
    assert hearer.span("run").links == ()


async def test_each_signal_links_to_its_own_sender_and_to_no_other(pair):
    speaker, hearer = pair

    listening = asyncio.Event()

    @cs.task
    async def hear(so_far, value, left):
        listening.set()
        so_far = [*so_far, value]
        return hear(so_far, cs.recv("n", buffered=True), left - 1) if left else so_far

    @cs.task
    async def speak(n, _sent=None):
        return speak(n + 1, cs.send("n", n, qos=1)) if n < 3 else n

    hearing = hearer.engine.run(hear([], None, 3), listen=["n"])
    hearing = asyncio.create_task(hearing)
    await listening.wait()
    await speaker.engine.run(speak(0))
    assert await hearing == [None, 0, 1, 2]
    sent = [[identity(span)] for span in speaker.spans("send")]
    assert [senders(span) for span in hearer.spans("recv")] == sent
    assert {len(span.links) for span in hearer.spans("hear")} == {0}


async def test_many_signals_at_once_are_many_links(pair):
    speaker, hearer = pair

    came = asyncio.Semaphore(0)
    listening = asyncio.Event()

    async def count(_topic, _payload):
        came.release()

    @cs.task
    async def later():
        await hearer.connector.subscribe("n", count)  # behind the mailbox
        listening.set()
        for _ in range(3):
            await came.acquire()
        return cs.recv("n", many=True, with_topic=True)

    hearing = asyncio.create_task(hearer.engine.run(later(), listen=["n"]))
    await listening.wait()
    await speaker.engine.run([cs.send("n", n, qos=1) for n in range(3)])
    assert await hearing == [("n", 0), ("n", 1), ("n", 2)]
    assert sorted(senders(hearer.span("recv"))) == sorted(map(identity, speaker.spans("send")))


async def test_a_retained_signal_still_tells_who_sent_it(pair):
    speaker, hearer = pair
    await speaker.engine.run(cs.send("state", 1, retain=True))
    assert await hearer.engine.run(cs.recv("state")) == 1
    assert senders(hearer.span("recv")) == [identity(speaker.span("send"))]


async def test_a_signal_without_a_trace_or_with_a_broken_one_has_no_link(pair):
    _, hearer = pair
    with get_tracer("test", tracer_provider=TracerProvider()).start_as_current_span("around"):
        for properties in [(), (("traceparent", "nonsense"),), (("colour", "green"),)]:
            to_send.set(properties)
            await hearer.connector.publish("state", 1, retain=True)
            to_send.set(())
            assert await hearer.engine.run(cs.recv("state")) == 1
    assert [span.links for span in hearer.spans("recv")] == [(), (), ()]


async def test_over_mqtt_3_there_is_no_link_and_the_signal_comes_all_the_same(broker):
    speaker = Traced(broker, "speaker", protocol="3.1.1")
    hearer = Traced(broker, "hearer", protocol="3.1.1")
    async with speaker.engine, hearer.engine:
        await speaker.engine.run(cs.send("state", 1, retain=True))
        assert await hearer.engine.run(cs.recv("state")) == 1
    assert hearer.span("recv").links == ()


async def test_a_task_leaves_nothing_to_send_behind(pair):
    speaker, _ = pair
    to_send.set((("colour", "green"), *TRACE))

    @cs.task
    async def look():
        return to_send.get()

    inside = dict(await speaker.engine.run(look()))
    assert inside["colour"] == "green"
    assert f"{speaker.span('look').context.span_id:016x}" in inside["traceparent"]
    assert "tracestate" not in inside
    assert to_send.get() == (("colour", "green"), *TRACE)


async def test_a_run_inside_a_task_has_spans_of_its_own(pair):
    speaker, _ = pair

    @cs.task
    async def inner():
        return to_send.get()

    @cs.task
    async def outer():
        before = to_send.get()
        told = await speaker.engine.run(inner(), name="inner")
        assert to_send.get() == before
        return told

    (told,) = await speaker.engine.run(outer(), name="outer")
    assert f"{speaker.span('inner').context.span_id:016x}" in told[1]
    assert {span.attributes["cascade.run"] for span in speaker.spans("outer")} == {"outer"}


# --- the properties themselves --------------------------------------------------------------------


async def test_properties_reach_the_callback_of_their_message_and_no_other(pair):
    speaker, hearer = pair
    heard = []
    all_here = asyncio.Event()

    async def hear(_topic, payload):
        await asyncio.sleep(0)  # so that the next one has to wait in a queue
        heard.append((payload, received.get()))
        if len(heard) == 3:
            all_here.set()

    await hearer.connector.subscribe("p", hear)
    for number, properties in enumerate([TRACE, (), (("a", "1"), ("a", "2"))]):
        to_send.set(properties)
        await speaker.connector.publish("p", number, qos=number % 3)
    to_send.set(())
    async with asyncio.timeout(10):
        await all_here.wait()
    assert heard == [(0, (TRACE,)), (1, ()), (2, ((("a", "1"), ("a", "2")),))]
    assert received.get() == ()
