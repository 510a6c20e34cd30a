"""How the agents of an engine that is to close are left to others: at rest, or at the end of their steps."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from cascade.runtime.durable.agent import StoredAgent
from cascade.runtime.durable.hibernation import is_at_rest

__all__ = ["leave_in_order"]

_GLANCE = 0.02  # seconds between two looks at who has come to rest


async def leave_in_order(
    driven: Mapping[str, asyncio.Task[None]], awake: Mapping[str, StoredAgent], seconds: float
) -> int:
    """Have agents end where no work of their steps is lost; return how many were not there in time.

    Args:
        driven: the task of each, which goes from here when it ends.
        awake: those that have begun.
        seconds: how long that may take.
    """
    stopped = set[str]()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while driven:
                for name in driven.keys() - stopped:
                    agent = awake.get(name)
                    if agent is None or is_at_rest(agent):
                        stopped.add(name)
                        driven[name].cancel()
                    else:
                        agent.leaves = True
                await asyncio.wait(driven.values(), timeout=_GLANCE)
    return len(driven.keys() - stopped)
