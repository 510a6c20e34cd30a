"""Lines between programs of this machine that can be cut, as those between machines are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeAlias

__all__ = ["Line", "Target"]

Target: TypeAlias = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
"""Connects to where a line leads."""

_PIECE = 65_536  # bytes forwarded at once


class Line:
    """Forwards bytes both ways, from an address of this machine to a server.

    Attributes:
        port: where it listens.
    """

    def __init__(self, host: str, target: Target) -> None:
        """Lead from an address; `open` begins."""
        self._host = host
        self._target = target
        self._is_cut = False
        self._joined: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def open(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._join, self._host, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Let nobody through any more."""
        self.cut()
        if self._server is not None:
            self._server.close()

    def cut(self) -> None:
        """Drop what is connected without a word, and who comes later."""
        self._is_cut = True
        for writer in self._joined:
            writer.transport.abort()

    def mend(self) -> None:
        """Let through who comes from now on."""
        self._is_cut = False

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        far_reader, far_writer = await self._target()
        self._joined |= {writer, far_writer}
        try:
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        finally:
            self._joined -= {writer, far_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):  # cut, or one of both has gone
            while piece := await reader.read(_PIECE):
                writer.write(piece)
                await writer.drain()
        writer.close()
