"""Somebody at a broker's port who is no broker."""

import asyncio
from contextlib import asynccontextmanager

from cascade.testing.connectors import Heard
from mqtt.broker import HOST


@asynccontextmanager
async def hanging_up(port):
    """Hang up on everybody who comes, and keep count of them."""
    came = Heard()

    async def hang_up(_reader, writer):
        writer.close()
        came.keep(port, "came")

    async with await asyncio.start_server(hang_up, HOST, port):
        yield came
