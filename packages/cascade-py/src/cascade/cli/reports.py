"""What engines report, as anybody may have sent it: read by types, and shown without what steers a terminal."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from cascade.common.messaging.printable import printable
from cascade.runtime.concurrency.clock import unix_time

__all__ = ["EngineReport", "EventReport", "Happened", "Report", "read_report"]

_HEARTBEATS_MISSED = 3  # after so many an engine is called silent


class EngineReport(msgspec.Struct):
    """A status: what an engine says of itself as a whole."""

    engine: str
    state: str
    time: float
    """Unix time in seconds, by the engine's clock."""

    heartbeat: float = 5.0
    """Seconds from one status to the next."""

    runs: dict[str, str] = {}
    """The states of its oldest runs under way."""

    run_count: int = 0

    @property
    def age(self) -> float:
        """Seconds since it was sent, by the engine's clock and the one here; read inside an event loop."""
        return max(0.0, unix_time() - self.time)

    @property
    def since(self) -> str:
        """How long ago that was; what a broker says of a lost engine is as old as its connection."""
        return f"{'connected ' if self.state == 'lost' else ''}{self.age:.0f} s ago"

    @property
    def shown_state(self) -> str:
        """The state; an engine that misses its heartbeats has not said goodbye, and is silent."""
        if self.state == "online" and self.age > _HEARTBEATS_MISSED * self.heartbeat:
            return "silent"
        return printable(self.state)


class Happened(msgspec.Struct):
    """One event, as far as it is shown."""

    task: str = ""
    outcome: str = ""
    change: str = ""
    reason: str = ""
    error: str | None = None


class EventReport(msgspec.Struct):
    """Events of one run and kind."""

    engine: str
    run: str
    event: str
    events: list[Happened]

    def lines(self) -> list[str]:
        """Return a line for each event."""
        return [
            printable(" ".join(filter(None, (self.engine, self.run, self.event, *_parts(each)))))
            for each in self.events
        ]


Report: TypeAlias = EngineReport | EventReport


def _parts(happened: Happened) -> tuple[str | None, ...]:
    return happened.task, happened.change, happened.outcome, happened.reason, happened.error


def read_report(payload: Any) -> Report | None:
    """Return what a payload reports; None where it is no report of an engine."""
    is_status = isinstance(payload, dict) and "state" in payload
    try:
        if is_status:
            return msgspec.convert(payload, EngineReport)
        return msgspec.convert(payload, EventReport)
    except msgspec.ValidationError:
        return None
