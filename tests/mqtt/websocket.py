"""A WebSocket before a broker's port, since not every Mosquitto has one: of RFC 6455 what MQTT needs."""

import asyncio
import base64
import hashlib
from contextlib import asynccontextmanager

from mqtt.broker import HOST

__all__ = ["websocket_to"]

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3
_BINARY = 0x82


async def _shake_hands(reader, writer, asked):
    head = await reader.readuntil(b"\r\n\r\n")
    asked.append(head.split(b" ")[1].decode())
    fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
    key = {name.lower(): value for name, value in fields.items()}[b"sec-websocket-key"]
    answer = base64.b64encode(hashlib.sha1(key + _GUID).digest())
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Accept: " + answer + b"\r\n\r\n"
    )


async def _frames(reader):
    """Yield what a client sends, unmasked (RFC 6455 §5.2)."""
    while True:
        try:
            _, size = await reader.readexactly(2)
            size &= 0x7F
            if size >= 126:
                size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
            mask = await reader.readexactly(4)
            data = await reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        yield bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))


def _frame(data):
    size = len(data)
    if size < 126:
        return bytes([_BINARY, size]) + data
    if size < 65_536:
        return bytes([_BINARY, 126]) + size.to_bytes(2, "big") + data
    return bytes([_BINARY, 127]) + size.to_bytes(8, "big") + data


@asynccontextmanager
async def websocket_to(broker):
    """Yield the port of a WebSocket, and the paths that it was asked for."""
    asked, tasks = [], []

    async def serve(reader, writer):
        tasks.append(asyncio.current_task())
        await _shake_hands(reader, writer, asked)
        far_reader, far_writer = await asyncio.open_connection(HOST, broker.port)

        async def back():
            while data := await far_reader.read(65_536):
                writer.write(_frame(data))
            writer.close()

        tasks.append(asyncio.create_task(back()))
        try:
            async for data in _frames(reader):
                far_writer.write(data)
        finally:
            far_writer.transport.abort()
            writer.transport.abort()

    server = await asyncio.start_server(serve, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1], asked
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
