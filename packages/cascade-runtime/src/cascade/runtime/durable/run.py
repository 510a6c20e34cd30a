"""The run of one durable agent: what comes with a run, as far as the agent gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cascade.runtime.durable.outgoing import StoredClock, StoredConnector
from cascade.runtime.state.run import Run

if TYPE_CHECKING:
    from cascade.runtime.durable.agent import StoredAgent

__all__ = ["StoredRun"]


class StoredRun(Run):
    """The run of one durable agent."""

    __slots__ = ("agent", "connector")

    agent: StoredAgent
    clock: StoredClock
    connector: StoredConnector

    def builtin_resource(self, name: str) -> Any:
        """Return what comes with the run; the connector speaks through the agent."""
        if name == "_internal_connector":
            return self.connector
        if name == "rng":
            return self.agent.random
        return super().builtin_resource(name)
