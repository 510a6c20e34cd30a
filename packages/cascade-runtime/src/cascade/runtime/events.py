"""The events of an engine, for users: what ``engine.events.listen(callback)`` is called with."""

from cascade.runtime.observation.events import (
    AgentChange,
    AgentChanged,
    Event,
    EventStream,
    Listener,
    Outcome,
    ResourceClosed,
    ResourceOpened,
    RunFinished,
    RunStarted,
    TaskCached,
    TaskFinished,
    TaskRetrying,
    TaskSkipped,
    TaskStarted,
    TaskThrottled,
)

__all__ = [
    "AgentChange",
    "AgentChanged",
    "Event",
    "EventStream",
    "Listener",
    "Outcome",
    "ResourceClosed",
    "ResourceOpened",
    "RunFinished",
    "RunStarted",
    "TaskCached",
    "TaskFinished",
    "TaskRetrying",
    "TaskSkipped",
    "TaskStarted",
    "TaskThrottled",
]
