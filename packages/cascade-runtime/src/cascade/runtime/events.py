"""What an engine says about itself, in process: frozen records, and whoever listens.

Without a listener no event is even made. Times are seconds of the event loop's clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cascade.common.messaging import bus

__all__ = [
    "Event",
    "EventStream",
    "Listener",
    "Outcome",
    "RunFinished",
    "RunStarted",
    "TaskFinished",
    "TaskHeld",
    "TaskRetrying",
    "TaskStarted",
]

Outcome: TypeAlias = Literal["succeeded", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a run."""

    run_id: str
    time: float
    """Seconds on the event loop's clock."""


@dataclass(frozen=True, slots=True)
class RunStarted(Event):
    """A run begins."""

    target: str
    """The target, as it shows itself."""


@dataclass(frozen=True, slots=True)
class RunFinished(Event):
    """A run has ended; its resources are closed."""

    outcome: Outcome
    steps: int
    """How many steps it took: one more than its tail calls."""

    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class TaskStarted(Event):
    """A task's function is about to be called."""

    task: str


@dataclass(frozen=True, slots=True)
class TaskHeld(Event):
    """A task has to wait: a constraint or a capacity holds it."""

    task: str
    reason: str


@dataclass(frozen=True, slots=True)
class TaskRetrying(Event):
    """A task failed and will be tried again."""

    task: str
    attempt: int
    """Number of the attempt that failed, from 1."""

    wait: float
    """Seconds until the next attempt."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class TaskFinished(Event):
    """A task has ended."""

    task: str
    outcome: Outcome
    duration: float
    """Seconds from `TaskStarted`."""

    cached: bool = False
    error: BaseException | None = None


Listener: TypeAlias = Callable[[Event], None]


class EventStream:
    """Hands events to listeners, at once and in order."""

    __slots__ = ("_on_change", "listeners")

    def __init__(self, on_change: Callable[[], None]) -> None:
        """Start without listeners; ``on_change`` is called when there are more or fewer."""
        self.listeners: tuple[Listener, ...] = ()
        self._on_change = on_change

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call the listener with every event from now on; returns a function that ends this."""
        self.listeners = (*self.listeners, listener)
        self._on_change()

        def stop() -> None:
            self.listeners = tuple(each for each in self.listeners if each is not listener)
            self._on_change()

        return stop

    def emit(self, event: Event) -> None:
        """Tell every listener; one that fails is reported and does not harm the run."""
        for listener in self.listeners:
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001 - the edge: listeners are the user's code
                bus.error("engine.listener_error", event=type(event).__name__, error=error)
