"""What a command says: the end of it, as much as may be kept, and each line as it comes."""

from __future__ import annotations

from asyncio import StreamReader
from collections.abc import Callable
from inspect import isawaitable
from typing import TypeAlias

__all__ = ["OnLine", "Output"]

OnLine: TypeAlias = Callable[[str], object]
"""Called with each line, without its end; what it returns is awaited where it can be."""

_CHUNK = 2**16  # bytes that are read at once, and that a line has at most


class Output:
    """Keeps the last bytes of a stream."""

    def __init__(self, most: int, on_line: OnLine | None) -> None:
        """Begin with nothing.

        Args:
            most: bytes to keep.
            on_line: who hears each line.
        """
        self._most = most
        self._on_line = on_line
        self._kept = bytearray()
        self._said = 0
        self._line = b""  # what has come of a line that is not at its end

    @property
    def dropped(self) -> int:
        """How many bytes came before those that are kept."""
        return max(0, self._said - self._most)

    def text(self) -> str:
        """Return what is kept; bytes that are no UTF-8 are replaced."""
        return self._kept[-self._most :].decode(errors="replace")

    async def take(self, stream: StreamReader | None) -> None:
        """Read a stream to its end."""
        while stream is not None and (chunk := await stream.read(_CHUNK)):
            self._keep(chunk)
            if self._on_line is not None:
                await self._tell(chunk, self._on_line)
        if self._on_line is not None and self._line:
            await self._tell(b"\n", self._on_line)

    def _keep(self, chunk: bytes) -> None:
        self._said += len(chunk)
        self._kept += chunk
        if (
            len(self._kept) > 2 * self._most
        ):  # moving what is kept costs less than a copy of each byte
            del self._kept[: -self._most]

    async def _tell(self, chunk: bytes, on_line: OnLine) -> None:
        *lines, self._line = (self._line + chunk).split(b"\n")
        if len(self._line) >= _CHUNK:
            lines.append(self._line)
            self._line = b""
        for line in lines:
            heard = on_line(line.removesuffix(b"\r").decode(errors="replace"))
            if isawaitable(heard):
                await heard
