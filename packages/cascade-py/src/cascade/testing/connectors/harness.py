"""What a connector's author gives to the conformance suite: connectors that share one broker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from cascade.interfaces.protocols import (
    Connector,
    MessageCallback,
    Payload,
    SubscriptionHandle,
)

__all__ = ["Connect", "ConnectorHarness", "Prefixed", "connecting"]


class ConnectorHarness(Protocol):
    """Makes connectors that share one broker, without subscriptions and retained messages of others.

    Each flag says where a network makes a point of the contract weaker.
    """

    @property
    def one_order(self) -> bool:
        """Whether subscriptions of different connectors are served in one order, that of subscribing."""

    @property
    def retained_in_order(self) -> bool:
        """Whether retained messages of several topics come oldest first."""

    @property
    def keeps_overflow(self) -> bool:
        """Whether the policy ``wait`` keeps what finds a queue full; a network may have to drop it."""

    @property
    def many(self) -> int:
        """How many messages are a long chain here."""

    def connector(self, **options: Any) -> Connector:
        """Return a new connector, not connected yet; options are ``max_queued`` and ``overflow``."""


class Connect(Protocol):
    """What the fixture ``connect`` is: makes a connector, and connects it."""

    async def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Return a connector that is connected, and is disconnected at the end of the test."""


@asynccontextmanager
async def connecting(make: Callable[..., Connector]) -> AsyncIterator[Connect]:
    """Yield a `Connect`; its connectors are disconnected at the end, in the order they were made.

    Examples:
        >>> import asyncio
        >>> import cascade as cs
        >>> async def main():
        ...     broker = cs.LocalBroker()
        ...     async with connecting(lambda **options: cs.LocalBusConnector(broker, **options)) as connect:
        ...         return (await connect()).connected
        >>> asyncio.run(main())
        True
    """
    made: list[Connector] = []

    async def connect(*arguments: Any, **options: Any) -> Any:
        connector = make(*arguments, **options)
        await connector.connect()
        made.append(connector)
        return connector

    yield connect
    for connector in made:
        await connector.disconnect()


class Prefixed:
    """A connector to a part of a broker, so that tests share a broker and see nothing of each other.

    Topics and filters go out with a prefix and come back without it; those that begin with ``$`` are
    left as they are, and so is what is no topic at all.

    Examples:
        >>> import asyncio
        >>> import cascade as cs
        >>> from cascade.testing.connectors import Heard
        >>> async def main():
        ...     broker, heard = cs.LocalBroker(), Heard()
        ...     apart = Prefixed(cs.LocalBusConnector(broker), "test-1")
        ...     async with cs.LocalBusConnector(broker) as whole:
        ...         await whole.subscribe("#", heard)
        ...         await apart.connect()
        ...         await apart.publish("door", "open")
        ...         return heard.topics
        >>> asyncio.run(main())
        ['test-1/door']
    """

    def __init__(self, connector: Connector, prefix: str) -> None:
        """Put ``<prefix>/`` before every topic and filter."""
        self._connector = connector
        self._prefix = f"{prefix}/"

    @property
    def connected(self) -> bool:
        """Whether the connector is connected."""
        return self._connector.connected

    async def connect(self) -> None:
        """Connect."""
        await self._connector.connect()

    async def disconnect(self) -> None:
        """Disconnect."""
        await self._connector.disconnect()

    async def publish(
        self, topic: str, payload: Payload, qos: int = 0, retain: bool = False
    ) -> None:
        """Publish below the prefix."""
        await self._connector.publish(self._longer(topic), payload, qos, retain)

    async def subscribe(
        self, topic: str | Sequence[str], callback: MessageCallback | Any
    ) -> SubscriptionHandle:
        """Subscribe below the prefix; the callback may be a wrong one, for the connector to refuse."""
        if isinstance(topic, (list, tuple)):
            filters: Any = [self._longer(each) for each in topic]
        else:
            filters = self._longer(topic)
        if not callable(callback):
            return await self._connector.subscribe(filters, callback)

        def hear(topic: str, payload: Payload) -> Any:
            return callback(topic.removeprefix(self._prefix), payload)

        return await self._connector.subscribe(filters, hear)

    def _longer(self, topic: Any) -> Any:
        if isinstance(topic, str) and topic.startswith("$share/") and topic.count("/") > 1:
            share, group, shared = topic.split("/", 2)
            return f"{share}/{group}/{self._longer(shared)}"
        plain = isinstance(topic, str) and topic and not topic.startswith("$")
        return f"{self._prefix}{topic}" if plain else topic
