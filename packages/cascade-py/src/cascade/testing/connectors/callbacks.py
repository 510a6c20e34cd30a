"""Callbacks for tests: they keep what they hear, and a test waits for it, not for time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cascade.common.messaging import bus

__all__ = ["Gated", "Heard", "patience", "reports"]

_LONG = 30.0  # seconds after which something that should have happened never will


def patience() -> asyncio.Timeout:
    """Bound a wait: what comes, comes long before; what does not come fails instead of hanging.

    Examples:
        >>> import asyncio
        >>> async def main():
        ...     async with patience():
        ...         await asyncio.sleep(0)
        >>> asyncio.run(main())
    """
    return asyncio.timeout(_LONG)


class Heard:
    """Keeps every message; ``messages`` holds those whose callback has ended.

    Examples:
        >>> import asyncio
        >>> import cascade as cs
        >>> async def main():
        ...     heard = Heard()
        ...     async with cs.LocalBusConnector(cs.LocalBroker()) as connector:
        ...         await connector.subscribe("door", heard)
        ...         await connector.publish("door", "open")
        ...         return await heard.until(1)
        >>> asyncio.run(main())
        [('door', 'open')]
    """

    def __init__(self) -> None:
        self.messages: list[tuple[Any, Any]] = []
        self._grown = asyncio.Event()

    async def __call__(self, topic: str, payload: Any) -> None:
        self.keep(topic, payload)

    def keep(self, topic: Any, payload: Any) -> None:
        self.messages.append((topic, payload))
        self._grown.set()

    async def until(self, count: int) -> list[tuple[Any, Any]]:
        """Wait until there are so many messages, and return all."""
        async with patience():
            while len(self.messages) < count:
                self._grown.clear()
                await self._grown.wait()
        return self.messages

    @property
    def payloads(self) -> list[Any]:
        return [payload for _, payload in self.messages]

    @property
    def topics(self) -> list[Any]:
        return [topic for topic, _ in self.messages]


class Gated(Heard):
    """Begins with a message, and ends with it only when the gate is open.

    Examples:
        >>> import asyncio
        >>> import cascade as cs
        >>> async def main():
        ...     gated = Gated()
        ...     async with cs.LocalBusConnector(cs.LocalBroker()) as connector:
        ...         await connector.subscribe("door", gated)
        ...         await connector.publish("door", "open")
        ...         begun = gated.begun.payloads.copy(), gated.payloads.copy()
        ...         gated.gate.set()
        ...         await gated.until(1)
        ...         return begun, gated.payloads
        >>> asyncio.run(main())
        ((['open'], []), ['open'])
    """

    def __init__(self) -> None:
        super().__init__()
        self.begun = Heard()
        self.gate = asyncio.Event()
        self.cancelled: list[tuple[str, Any]] = []

    async def __call__(self, topic: str, payload: Any) -> None:
        self.begun.keep(topic, payload)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled.append((topic, payload))
            raise
        self.keep(topic, payload)


@contextmanager
def reports() -> Iterator[Heard]:
    """Hear what people are told of this loop's callbacks, as pairs of id and facts.

    Examples:
        >>> import asyncio
        >>> import cascade as cs
        >>> async def main():
        ...     async def fail(topic, payload):
        ...         raise ValueError
        ...     async with cs.LocalBusConnector(cs.LocalBroker()) as connector:
        ...         with reports() as told:
        ...             await connector.subscribe("door", fail)
        ...             await connector.publish("door", "open")
        ...         return told.topics
        >>> asyncio.run(main())
        ['localbus.callback_error']
    """
    heard = Heard()
    with bus.divert(lambda message: heard.keep(message.id, message.facts)):
        yield heard
