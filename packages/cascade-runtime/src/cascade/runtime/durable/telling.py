"""What an engine tells of the durable agents that it drives: each change, and what goes wrong with them."""

from __future__ import annotations

import asyncio
from types import TracebackType

from cascade.common.messaging import bus
from cascade.runtime.observation.events import AgentChange, AgentChanged
from cascade.runtime.state.services import EngineServices

__all__ = ["reported", "tell"]


def tell(services: EngineServices, name: str, change: AgentChange, reason: str = "") -> None:
    """Tell whoever listens to the events of an engine; without a listener no event is made."""
    if services.events.listeners:
        now = asyncio.get_running_loop().time()
        services.events.emit(AgentChanged(name, now, change, reason))


class reported:  # noqa: N801 - used as `contextlib.suppress` is
    """Tell of what goes wrong in the background, and go on: the next round tries again."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> bool:
        """Report an exception."""
        if not isinstance(error, Exception):
            return False
        bus.error("durable.background_failed", what=self._what, error=error)
        return True
