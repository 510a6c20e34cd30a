"""What an engine tells of the durable agents that it drives: an event for each change."""

from __future__ import annotations

import asyncio

from cascade.runtime.observation.events import AgentChange, AgentChanged
from cascade.runtime.state.services import EngineServices

__all__ = ["tell"]


def tell(services: EngineServices, name: str, change: AgentChange, reason: str = "") -> None:
    """Tell whoever listens to the events of an engine; without a listener no event is made."""
    if services.events.listeners:
        now = asyncio.get_running_loop().time()
        services.events.emit(AgentChanged(name, now, change, reason))
