"""`MqttConnector` beside clients of MQTT without Cascade, against Mosquitto on loopback.

What is compared is a client's own work: who sends, sends to a topic that nobody hears, and who
receives, receives what a thread writes that does nothing but write. The bare client is paho, which the
connector stands on, driven by the event loop as its documentation says. It sends and receives bytes;
Cascade JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from time import perf_counter
from typing import Any

import msgspec
import paho.mqtt.client as paho

from benchmarks.harness import Settings, absent, compare, peer, report, timed
from benchmarks.mosquitto import HOST, PATIENCE, broker, program
from cascade.connectors.mqtt import MqttConnector
from cascade.connectors.mqtt.codec import Codec

HEARD, UNHEARD = "bench/heard", "bench/unheard"
PAYLOAD = {"n": 12_345, "text": "hello"}
DATA = msgspec.json.encode(PAYLOAD)
IN_FLIGHT = 100
"""Messages of QoS 1 that are on their way at once."""

GMQTT_IN_FLIGHT = 15
"""The same for gmqtt, which leaves it to its user not to go over what Mosquitto allows: 20."""

BREATH = 100
"""Messages of QoS 0 after which a publisher that never waits lets the loop read."""

Publish = Callable[[int, int], Awaitable[None]]
"""Send so many messages with a quality of service, and return when the broker has them."""


class Count:
    """Counts what arrives, and tells when it is all there."""

    def __init__(self, wanted: int) -> None:
        self._missing = wanted
        self.full = asyncio.Event()

    def hear(self, *_message: object) -> int:
        """Take a message; gmqtt asks for a nought."""
        self._missing -= 1
        if self._missing == 0:
            self.full.set()
        return 0


# --- the stream that is received ------------------------------------------------------------------


def _text(words: bytes) -> bytes:
    return len(words).to_bytes(2, "big") + words


def _packet(kind: int, body: bytes) -> bytes:
    assert len(body) < 128  # noqa: PLR2004 - then the length is one byte (MQTT 3.1.1 §2.2.3)
    return bytes([kind, len(body)]) + body


def stream(port: int, count: int, qos: int) -> None:
    """Write so many messages to the broker as fast as it reads them, in MQTT 3.1.1."""
    connect = _packet(0x10, _text(b"MQTT") + b"\x04\x02\x00\x3c" + _text(b"stream"))
    ids = [(number % 60_000 + 1).to_bytes(2, "big") if qos else b"" for number in range(count)]
    kind = 0x30 | qos << 1
    packets = b"".join(_packet(kind, _text(HEARD.encode()) + each + DATA) for each in ids)
    with socket.create_connection((HOST, port), PATIENCE) as connection:
        connection.sendall(connect)
        connection.recv(4)
        sender = memoryview(packets)
        receipts = 4 * count * bool(qos)
        connection.setblocking(False)
        while sender or receipts:
            with contextlib.suppress(BlockingIOError):
                receipts -= len(connection.recv(65_536)) if receipts else 0
            with contextlib.suppress(BlockingIOError):
                sender = sender[connection.send(sender) :]


# --- Cascade --------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def cascade_client(port: int) -> AsyncIterator[MqttConnector]:
    """Connect."""
    connector = MqttConnector(host=HOST, port=port)
    await connector.connect()
    yield connector
    await connector.disconnect()


async def cascade_send(port: int, count: int, qos: int) -> None:
    """Send with `MqttConnector`."""
    async with cascade_client(port) as connector:
        if qos == 0:
            for _ in range(count):
                await connector.publish(UNHEARD, PAYLOAD)
            await connector.publish(UNHEARD, PAYLOAD, 1)
        else:
            await _many_at_once(count, lambda: connector.publish(UNHEARD, PAYLOAD, 1))


async def cascade_receive(port: int, qos: int, count: Count, begin: Callable[[], None]) -> None:
    """Receive with `MqttConnector`."""
    del qos  # it is the publisher's that counts

    async def hear(_topic: str, _payload: Any) -> None:
        count.hear()

    async with cascade_client(port) as connector:
        await connector.subscribe(HEARD, hear)
        begin()
        await count.full.wait()


async def _many_at_once(count: int, publish: Callable[[], Awaitable[object]]) -> None:
    async def some() -> None:
        for _ in range(count // IN_FLIGHT):
            await publish()

    await asyncio.gather(*(some() for _ in range(IN_FLIGHT)))


# --- paho by itself -------------------------------------------------------------------------------


class BarePaho:
    """A paho client on the event loop, and nothing more."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.client = client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5, reconnect_on_failure=False
        )
        client.max_inflight_messages_set(1000)
        client.on_socket_open = lambda _c, _d, sock: self.loop.add_reader(sock, self._read)
        client.on_socket_close = lambda _c, _d, sock: self.loop.remove_reader(sock)
        client.on_socket_register_write = self._want_write
        client.on_socket_unregister_write = lambda _c, _d, sock: self.loop.remove_writer(sock)
        client.on_publish = self._settle
        self._receipts: dict[int, asyncio.Future[None]] = {}

    def _read(self) -> None:
        self.client.loop_read(64)

    def _want_write(self, _client: object, _data: object, sock: Any) -> None:
        self.loop.add_writer(sock, self.client.loop_write)

    def _settle(self, _client: object, _data: object, packet_id: int, *_rest: object) -> None:
        receipt = self._receipts.pop(packet_id, None)
        if receipt is not None:
            receipt.set_result(None)

    async def connect(self, port: int) -> None:
        """Connect, and wait for the answer."""
        connected = asyncio.Event()
        self.client.on_connect = lambda *_: connected.set()
        self.client.connect(HOST, port)
        await connected.wait()

    async def deliver(self, qos: int) -> None:
        """Send a message of QoS 1, and wait for the receipt."""
        info = self.client.publish(UNHEARD, DATA, qos)
        receipt = self._receipts[info.mid] = self.loop.create_future()
        await receipt


async def paho_send(port: int, count: int, qos: int) -> None:
    """Send with paho by itself."""
    bare = BarePaho()
    await bare.connect(port)
    if qos == 0:
        for number in range(count):
            bare.client.publish(UNHEARD, DATA, 0)
            if number % BREATH == 0:
                await asyncio.sleep(0)
        await bare.deliver(1)
    else:
        await _many_at_once(count, lambda: bare.deliver(1))
    bare.client.disconnect()


async def paho_receive(port: int, qos: int, count: Count, begin: Callable[[], None]) -> None:
    """Receive with paho by itself."""
    bare = BarePaho()
    await bare.connect(port)
    subscribed = asyncio.Event()
    bare.client.on_message = count.hear
    bare.client.on_subscribe = lambda *_: subscribed.set()
    bare.client.subscribe(HEARD, qos)
    await subscribed.wait()
    begin()
    await count.full.wait()
    bare.client.disconnect()


# --- aiomqtt and gmqtt ----------------------------------------------------------------------------


async def aiomqtt_send(port: int, count: int, qos: int) -> None:
    """Send with aiomqtt."""
    aiomqtt = peer("aiomqtt")
    assert aiomqtt is not None
    logging.getLogger("mqtt").setLevel(logging.ERROR)  # it warns of what is on its way at once
    async with aiomqtt.Client(
        HOST, port, protocol=aiomqtt.ProtocolVersion.V5, max_inflight_messages=1000
    ) as client:
        if qos == 0:
            for _ in range(count):
                await client.publish(UNHEARD, DATA, 0)
            await client.publish(UNHEARD, DATA, 1)
        else:
            await _many_at_once(count, lambda: client.publish(UNHEARD, DATA, 1))


async def aiomqtt_receive(port: int, qos: int, count: Count, begin: Callable[[], None]) -> None:
    """Receive with aiomqtt."""
    aiomqtt = peer("aiomqtt")
    assert aiomqtt is not None
    async with aiomqtt.Client(HOST, port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        await client.subscribe(HEARD, qos)
        begin()
        async for _ in client.messages:
            count.hear()
            if count.full.is_set():
                return


async def gmqtt_send(port: int, count: int, qos: int) -> None:
    """Send with gmqtt, which raises where more messages lack their receipt than the broker allows."""
    gmqtt = peer("gmqtt")
    assert gmqtt is not None
    client = gmqtt.Client("bench-send")
    await client.connect(HOST, port)
    waiting = client._persistent_storage  # noqa: SLF001 - the one place that knows
    for number in range(count):
        client.publish(UNHEARD, DATA, qos=qos)
        if number % BREATH == 0:
            await asyncio.sleep(0)
        while qos and len(waiting._messages) >= GMQTT_IN_FLIGHT:  # noqa: SLF001 - the same
            await asyncio.sleep(0)
    client.publish(UNHEARD, DATA, qos=1)
    await waiting.wait_empty()
    await client.disconnect()


async def gmqtt_receive(port: int, qos: int, count: Count, begin: Callable[[], None]) -> None:
    """Receive with gmqtt."""
    gmqtt = peer("gmqtt")
    assert gmqtt is not None
    client = gmqtt.Client("bench-receive")
    subscribed = asyncio.Event()
    client.on_message = count.hear
    client.on_subscribe = lambda *_: subscribed.set()
    await client.connect(HOST, port)
    client.subscribe(HEARD, qos=qos)
    await subscribed.wait()
    begin()
    await count.full.wait()
    await client.disconnect()


# --- payloads -------------------------------------------------------------------------------------

SAMPLE = {**PAYLOAD, "more": [1, 2.5, None, True], "who": {"id": "firefly-17", "at": 1.2345}}


async def payloads(settings: Settings) -> None:
    """Write and read one payload as JSON: the standard library, msgspec, and the codec, which checks."""
    codec = Codec(raw=False, limit=1_000_000)
    data = codec.encode("sample", SAMPLE)
    encode, decode = msgspec.json.Encoder().encode, msgspec.json.Decoder().decode
    writers: dict[str, Callable[[], object]] = {
        "json": lambda: json.dumps(SAMPLE).encode(),
        "msgspec": lambda: encode(SAMPLE),
        "the codec": lambda: codec.encode("sample", SAMPLE),
    }
    readers: dict[str, Callable[[], object]] = {
        "json": lambda: json.loads(data),
        "msgspec": lambda: decode(data),
        "the codec": lambda: codec.decode(data),
    }
    count = settings.count(100_000)

    async def times(work: Callable[[], object]) -> float:
        def repeat() -> None:
            for _ in range(count):
                work()

        return timed(count, repeat)

    for what, ways in {"writing": writers, "reading": readers}.items():
        rows = await compare({name: lambda w=way: times(w) for name, way in ways.items()}, settings)
        report(f"MQTT: {what} one payload as JSON", rows)


# --- measuring ------------------------------------------------------------------------------------

CLIENTS = {
    "paho by itself": (paho_send, paho_receive),
    "Cascade": (cascade_send, cascade_receive),
    "gmqtt": (gmqtt_send, gmqtt_receive),
    "aiomqtt": (aiomqtt_send, aiomqtt_receive),
}
OPTIONAL = {"gmqtt", "aiomqtt"}
GOALS = {"Cascade": "≤ 1.25"}
"""At least 80 % of the bare client's rate."""


async def _measure(settings: Settings, port: int) -> None:
    count = max(1, settings.count(20_000) // IN_FLIGHT) * IN_FLIGHT
    clients = {n: each for n, each in CLIENTS.items() if n not in OPTIONAL or peer(n) is not None}

    async def sending(send: Callable[..., Awaitable[None]], qos: int) -> float:
        start = perf_counter()
        async with asyncio.timeout(PATIENCE):
            await send(port, count, qos)
        return (perf_counter() - start) / count * 1e6

    async def receiving(receive: Callable[..., Awaitable[None]], qos: int) -> float:
        loop = asyncio.get_running_loop()
        began: list[float] = []
        streams: list[asyncio.Future[None]] = []

        def begin() -> None:
            began.append(perf_counter())
            streams.append(loop.run_in_executor(None, stream, port, count, qos))

        async with asyncio.timeout(PATIENCE):
            await receive(port, qos, Count(count), begin)
            taken = perf_counter() - began[0]
            await streams[0]
        return taken / count * 1e6

    for qos in (0, 1):
        for what, measure, place in (("sending", sending, 0), ("receiving", receiving, 1)):
            rows = await compare(
                {
                    name: lambda c=c, m=measure, p=place, q=qos: m(c[p], q)
                    for name, c in clients.items()
                },
                settings,
                unit="µs",
                goals=GOALS,
            )
            rows += [absent(name) for name in CLIENTS if name not in clients]
            report(f"MQTT: {what}, QoS {qos}, per message", rows)


def main(settings: Settings) -> None:
    """Measure payloads, then start a broker and measure clients."""
    asyncio.run(payloads(settings))
    if program() is None:
        report("MQTT", [absent("Mosquitto")])
        return
    with broker() as port:
        asyncio.run(_measure(settings, port))
