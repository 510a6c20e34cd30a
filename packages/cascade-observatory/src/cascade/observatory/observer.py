"""The observer: records every flash, with its agent and its time."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf
from typing import Any

from cascade.interfaces.protocols import Connector
from cascade.observatory.swarm import FLASHES

__all__ = ["FlashLog", "observing"]


class FlashLog:
    """All flashes so far, in the order they were seen.

    Attributes:
        count: how many agents there are.
        seen: when each flash was seen, in seconds on the observer's clock; never falls.
        agents: who flashed, each time.
        instants: the instant that each flash carries, in seconds; on a busy wall clock
            somewhat before ``seen``, on a simulated one the same.
        by_agent: for each agent when its flashes were seen.

    Examples:
        >>> log = FlashLog(2)
        >>> log.add(1, 0.25, 0.25)
        >>> len(log), log.by_agent[1]
        (1, [0.25])
    """

    def __init__(self, count: int) -> None:
        """Make an empty log, for agents 0 to ``count - 1``."""
        self.count = count
        self.seen = array("d")
        self.agents = array("l")
        self.instants = array("d")
        self.by_agent: list[list[float]] = [[] for _ in range(count)]

    def __len__(self) -> int:
        """Return the number of flashes."""
        return len(self.seen)

    def add(self, agent: int, seen: float, instant: float) -> None:
        """Record one flash.

        Raises:
            IndexError: there is no such agent.
        """
        self.by_agent[agent].append(seen)
        self.instants.append(instant)
        self.seen.append(seen)
        self.agents.append(
            agent
        )  # last: so many are complete, for whoever looks from another thread

    def known_from(self) -> float:
        """Return the time by which everybody had flashed once, in seconds; infinity if not yet."""
        return max((times[0] if times else inf for times in self.by_agent), default=inf)

    def known_until(self) -> float:
        """Return the time up to which everybody's phase is known, in seconds: the earliest last flash."""
        return min((times[-1] if times else -inf for times in self.by_agent), default=-inf)


@asynccontextmanager
async def observing(connector: Connector, log: FlashLog) -> AsyncIterator[None]:
    """Record every flash as long as the context is open.

    Args:
        connector: a connected connector; a flash of an unknown agent is reported by it.
        log: where to record.

    Examples:
        >>> import cascade as cs
        >>> from cascade.observatory import FlashLog
        >>> from cascade.simulation import run_simulated
        >>> async def main() -> int:
        ...     log = FlashLog(2)
        ...     async with cs.LocalBusConnector(cs.LocalBroker()) as connector:
        ...         async with observing(connector, log):
        ...             await connector.publish("fireflies/flash/1", 0.0)
        ...     return len(log)
        >>> run_simulated(main())
        1
    """
    clock = asyncio.get_running_loop().time

    async def see(topic: str, instant: Any) -> None:
        log.add(int(topic.rpartition("/")[2]), clock(), instant)

    handle = await connector.subscribe(f"{FLASHES}/+", see)
    try:
        yield
    finally:
        await handle.unsubscribe()
