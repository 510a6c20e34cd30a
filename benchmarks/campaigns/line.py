"""A line between client and broker that can be cut, and frozen as a network that says nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from benchmarks.mosquitto import HOST

__all__ = ["Line", "line_to"]


class Line:
    """Forwards bytes both ways, to one port.

    Attributes:
        port: where clients find it.
    """

    port: int

    def __init__(self, target: int) -> None:
        """Lead to that port."""
        self._target = target
        self._flows = asyncio.Event()
        self._flows.set()
        self._writers: list[asyncio.StreamWriter] = []
        self._pumps: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """Break every connection; new ones may be made."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def freeze(self) -> None:
        """Let nothing through, and say nothing."""
        self._flows.clear()

    def thaw(self) -> None:
        """Let everything through again."""
        self._flows.set()

    async def join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a client in, unless the broker is away."""
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers += [writer, far_writer]
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            pump = asyncio.create_task(self._pump(source, sink))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):  # one end was cut; so the other is, too
            while piece := await reader.read(65_536):
                await self._flows.wait()
                writer.write(piece)
                await writer.drain()
        writer.transport.abort()

    async def close(self) -> None:
        """End all of it."""
        self.cut()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)


@asynccontextmanager
async def line_to(port: int) -> AsyncIterator[Line]:
    """Yield a line to a port."""
    line = Line(port)
    server = await asyncio.start_server(line.join, HOST, 0)
    line.port = server.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        server.close()
        await line.close()
