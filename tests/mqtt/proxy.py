"""A line between client and broker that a test can cut, or leave in place and let nothing through."""

import asyncio
from contextlib import asynccontextmanager

from mqtt.broker import HOST

__all__ = ["Line", "line_to"]

_PIECE = 65_536  # bytes forwarded at once


class Line:
    """Forwards bytes both ways, to one port."""

    def __init__(self, target):
        self._target = target
        self._open = asyncio.Event()
        self._open.set()
        self._writers = []
        self._pumps = []

    async def serve(self):
        self._server = await asyncio.start_server(self._join, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    @property
    def url(self):
        return f"mqtt://{HOST}:{self.port}"

    async def _join(self, reader, writer):
        far_reader, far_writer = await asyncio.open_connection(HOST, self._target)
        self._writers += [writer, far_writer]
        self._pumps += [
            asyncio.create_task(self._pump(reader, far_writer)),
            asyncio.create_task(self._pump(far_reader, writer)),
        ]

    async def _pump(self, reader, writer):
        try:
            while piece := await reader.read(_PIECE):
                await self._open.wait()
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass  # one end was cut; so the other is, too
        writer.close()

    def freeze(self):
        """Let nothing through, and say nothing: a half-open connection."""
        self._open.clear()

    def say(self, data):
        """Say something to every client, as if the broker had."""
        for writer in self._writers[::2]:
            writer.write(data)

    def thaw(self):
        self._open.set()

    def cut(self):
        """Break every connection; new ones may be made."""
        for writer in self._writers:
            writer.transport.abort()

    async def close(self):
        self._server.close()
        self.cut()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)


@asynccontextmanager
async def line_to(broker):
    """A line to a broker."""
    line = await Line(broker.port).serve()
    try:
        yield line
    finally:
        await line.close()
