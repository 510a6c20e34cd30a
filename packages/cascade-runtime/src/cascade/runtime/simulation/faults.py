"""A bus that loses, delays and repeats messages, as a network does, by the seed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from cascade.interfaces.protocols import Connector, Payload
from cascade.interfaces.topics import matches, validate_filters, validate_topic

__all__ = ["Faults", "FaultyConnector"]


@dataclass(frozen=True, slots=True)
class Faults:
    """What happens to the messages on some topics on their way to the bus.

    Examples:
        >>> Faults(topics="lamp/#", loss=0.1, delay=2.0)
        Faults(topics='lamp/#', loss=0.1, delay=2.0, duplicate=0.0, partitions=())
    """

    topics: str = "#"
    """A filter; the first of several faults whose filter matches holds."""

    loss: float = 0.0
    """How probable it is that a message is lost, from 0 to 1."""

    delay: float = 0.0
    """Simulated seconds that a message takes at most; it takes any part of them, so that messages overtake."""

    duplicate: float = 0.0
    """How probable it is that a message comes twice, from 0 to 1."""

    partitions: tuple[tuple[float, float], ...] = ()
    """From when to when nothing comes through, in simulated seconds."""

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: a number makes no sense.
            InvalidTopicError: the filter is not valid.
        """
        validate_filters((self.topics,))
        for name in ("loss", "duplicate"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a probability from 0 to 1, not {getattr(self, name)}")
        if not 0 <= self.delay < float("inf"):
            raise ValueError(f"delay is a number of seconds, not {self.delay}")
        if not all(begin < end for begin, end in self.partitions):
            raise ValueError("a partition is a time and a later one: (10.0, 20.0)")


class FaultyConnector:
    """A connector whose messages meet faults when they are published; all else is as with the one inside.

    Examples:
        >>> from cascade.connectors.local import LocalBroker, LocalBusConnector
        >>> FaultyConnector(LocalBusConnector(LocalBroker()), [], Random(0)).connected
        False
    """

    def __init__(self, connector: Connector, faults: Sequence[Faults], rng: Random) -> None:
        """Draw what happens from ``rng``."""
        self._connector = connector
        self._faults = faults
        self._rng = rng
        self._under_way: dict[asyncio.Task[None], None] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connector, name)

    async def publish(
        self, topic: str, payload: Payload, qos: int = 0, retain: bool = False
    ) -> None:
        """Publish a message once, twice, later or never."""
        validate_topic(topic)  # a mistake is none of the faults
        faults = next((each for each in self._faults if matches(each.topics, topic)), None)
        if faults is None:
            await self._connector.publish(topic, payload, qos, retain)
            return
        for delay in self._delays(faults):
            if delay == 0:
                await self._connector.publish(topic, payload, qos, retain)
                continue
            late = asyncio.create_task(self._publish_late(delay, topic, payload, qos, retain))
            self._under_way[late] = None
            late.add_done_callback(self._under_way.pop)

    def _delays(self, faults: Faults) -> list[float]:
        """Draw how long each copy of a message takes; always as many numbers, whatever they are."""
        draw = self._rng.random
        lost, twice, *parts = (draw() for _ in range(4))
        now = asyncio.get_running_loop().time()
        if lost < faults.loss or any(begin <= now < end for begin, end in faults.partitions):
            return []
        copies = 2 if twice < faults.duplicate else 1
        return [faults.delay * part for part in parts[:copies]]

    async def _publish_late(
        self, delay: float, topic: str, payload: Payload, qos: int, retain: bool
    ) -> None:
        await asyncio.sleep(delay)
        await self._connector.publish(topic, payload, qos, retain)

    async def disconnect(self) -> None:
        """Disconnect; what is under way is lost."""
        under_way = list(self._under_way)
        for late in under_way:
            late.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await self._connector.disconnect()
