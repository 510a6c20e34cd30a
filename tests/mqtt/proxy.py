"""A line between client and broker that a test can cut, or leave in place and let nothing through."""

import asyncio
from contextlib import asynccontextmanager

from cascade.testing.connectors import Heard, patience
from mqtt.broker import HOST

__all__ = ["Line", "line_to", "until_offline"]

_PIECE = 65_536  # bytes forwarded at once


class Line:
    """Forwards bytes both ways, to one port.

    Attributes:
        closes_at: a word; a client whose bytes hold it is cut off, as some brokers do.
        closes_after_answer: whether a client is cut off as soon as the broker has said a first word.
        delay: seconds that bytes are on their way, in each direction.
        closings: how many clients were cut off by these.
    """

    def __init__(self, target):
        self._target = target
        self._open = asyncio.Event()
        self._open.set()
        self._writers = []
        self._pumps = []
        self.closes_at = None
        self.closes_after_answer = False
        self.delay = 0
        self.closings = Heard()

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
            asyncio.create_task(self._pump(reader, far_writer, self._is_forbidden)),
            asyncio.create_task(self._pump(far_reader, writer, self._is_answer)),
        ]

    def _is_forbidden(self, piece):
        return self.closes_at is not None and self.closes_at in piece

    def _is_answer(self, _piece):
        return self.closes_after_answer

    async def _pump(self, reader, writer, is_last):
        try:
            while piece := await reader.read(_PIECE):
                await self._open.wait()
                await asyncio.sleep(self.delay)
                last = is_last(piece)
                if not last or self.closes_after_answer:
                    writer.write(piece)
                    await writer.drain()
                if last:
                    self.closings.keep(self.port, piece)
                    break
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


async def until_offline(connector):
    """Wait until a connector has noticed that its connection is gone; it may make it anew at once."""
    async with patience():
        while connector.online:
            await asyncio.sleep(0)
