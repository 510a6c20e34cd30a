"""What an engine says about itself over its connector, for whoever watches from elsewhere.

The events of `cascade.runtime.observation.events` go out in batches, on

    cascade/telemetry/<engine>/<run>/<event>     {"version", "engine", "run", "event", "dropped", "events"}
    cascade/telemetry/<engine>/status            {"version", "engine", "state", "time", "runs", …}, retained

A task never waits for this: events are put into a bounded queue, and a task of its own publishes what
is there. What finds no room is dropped and counted; the count is in every message.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any, Literal, get_args

from cascade.common.messaging import bus
from cascade.common.messaging.secrets import masked_data
from cascade.interfaces.errors import PayloadError
from cascade.interfaces.protocols import Connector, LeavesWill
from cascade.runtime.concurrency.clock import is_simulated, unix_time
from cascade.runtime.observation.events import (
    AgentChanged,
    Event,
    EventStream,
    RunFinished,
    RunStarted,
    TaskThrottled,
)

__all__ = [
    "TELEMETRY_TOPIC",
    "VERSION",
    "Telemetry",
    "TelemetrySettings",
    "event_name",
    "level_of",
    "plain_event",
]

TELEMETRY_TOPIC = "cascade/telemetry"
"""What engines report is published below it."""

VERSION = 1
"""Of the messages' schema; a field that is added leaves it, any other change raises it."""

_STATUS_GAP = 1.0  # seconds that two statuses lie apart, where runs begin and end all the time
_RUNS_TOLD = 100  # runs that a status names, the oldest; an engine may have ten thousand

State = Literal["online", "offline", "lost"]


def _dashed(name: str) -> str:
    """Return a class's name as a topic has it: ``task-started`` for ``TaskStarted``."""
    return "".join(f"-{each.lower()}" if each.isupper() else each for each in name).lstrip("-")


_NAMES = {kind: _dashed(kind.__name__) for kind in get_args(Event)}


def event_name(event: Event) -> str:
    """Return what an event is called in a topic: ``task-started``.

    Examples:
        >>> from cascade.runtime.events import RunStarted
        >>> event_name(RunStarted("run-1", 0.0, "lamp()"))
        'run-started'
    """
    return _NAMES[type(event)]


def plain_event(event: Event, offset: float) -> dict[str, Any]:
    """Return an event as plain data without its call: errors are text, and secrets are masked.

    Args:
        event: the event.
        offset: seconds from the loop's clock to Unix time.

    Examples:
        >>> from cascade.runtime.events import RunStarted
        >>> plain_event(RunStarted("run-1", 1.0, "lamp()"), offset=0.5)
        {'time': 1.5, 'target': 'lamp()'}
    """
    left_out = ("run_id", "call")
    plain = {name: value for name, value in event._asdict().items() if name not in left_out}
    plain["time"] = event.time + offset
    error = plain.get("error")
    if isinstance(error, BaseException):
        plain["error"] = f"{type(error).__name__}: {error}"
    return {name: masked_data(value) for name, value in plain.items()}


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """How an engine reports."""

    every: float = 0.1
    """Seconds from batch to batch at most."""

    limit: int = 10_000
    """Events that wait to be published; what comes beyond is dropped and counted."""

    heartbeat: float = 5.0
    """Seconds from status to status at most; where runs begin or end one comes sooner."""

    events: bool = True
    """Whether events are reported, or the status alone, with each heartbeat."""

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: one of them is not above 0.
        """
        if self.every <= 0 or self.heartbeat <= 0 or self.limit < 1:
            raise ValueError("every and heartbeat are seconds above 0, and limit is 1 or more")


def level_of(name: str) -> str:
    """Return a name as one level of a topic: what MQTT gives a meaning becomes an underscore.

    Examples:
        >>> level_of("a/b+c")
        'a_b_c'
    """
    return "".join("_" if each in "/+#\0" else each for each in name) or "_"


class Telemetry:
    """Reports on one engine for as long as it is open.

    Attributes:
        dropped: events that found no room.
        status_topic: where its status is retained.

    Examples:
        >>> import cascade as cs
        >>> engine = cs.Engine(connector=cs.LocalBusConnector(), telemetry=True)  # which makes one
    """

    def __init__(
        self, engine: str, events: EventStream, connector: Connector, settings: TelemetrySettings
    ) -> None:
        """Get ready; `start` begins."""
        self._engine = engine
        self._topic = f"{TELEMETRY_TOPIC}/{level_of(engine)}"
        self.status_topic = f"{self._topic}/status"
        self._events = events
        self._connector = connector
        self._settings = settings
        self._waiting: deque[Event] = deque()
        self._stop_listening: Callable[[], None] | None = None
        self._reporting: asyncio.Task[None] | None = None
        self._some = asyncio.Event()
        self._offset = 0.0
        self._told = 0
        self._runs: dict[str, str] = {}  # those under way, and their states
        self._runs_changed = False  # since the last status
        self.dropped = 0

    def offer_will(self) -> None:
        """Have the broker say that the engine is lost, if the connection that is made next dies."""
        if isinstance(self._connector, LeavesWill) and not self._connector.connected:
            self._connector.offer_will(self.status_topic, self._status("lost"))

    async def start(self) -> None:
        """Say that the engine is there, and report from now on."""
        loop = asyncio.get_running_loop()
        self._offset = unix_time() - loop.time()
        await self._publish_status("online")
        self._stop_listening = self._events.listen(self._take)
        self._reporting = loop.create_task(self._report(), name=f"telemetry of {self._engine}")

    def _take(self, event: Event) -> None:
        if isinstance(event, RunFinished):
            self._runs.pop(event.run_id, None)
        elif isinstance(event, AgentChanged):
            self._take_change(event)
        elif isinstance(event, RunStarted) or event.run_id in self._runs:  # one that ended stays so
            self._runs[event.run_id] = (
                f"throttled: {event.reason}" if isinstance(event, TaskThrottled) else "running"
            )
        self._runs_changed |= isinstance(event, (RunStarted, RunFinished, AgentChanged))
        if not self._settings.events:
            return
        if len(self._waiting) >= self._settings.limit:
            self.dropped += 1
            return
        self._waiting.append(event)
        self._some.set()

    def _take_change(self, event: AgentChanged) -> None:
        """Keep a durable agent among the runs for as long as this engine drives it."""
        if event.change in {"taken-up", "parked"}:
            self._runs[event.run_id] = "running" if event.change == "taken-up" else "parked"
        elif event.change not in {"started", "retried"}:
            self._runs.pop(event.run_id, None)

    async def stop(self) -> None:
        """Publish what is left, and say that the engine is gone."""
        if self._stop_listening is None or self._reporting is None:
            return  # it never began
        self._stop_listening()
        self._reporting.cancel()
        with suppress(asyncio.CancelledError):
            await self._reporting
        try:
            await self._flush()
            await self._publish_status("offline")
        except Exception as error:  # noqa: BLE001 - the edge: work that is done stays done, whoever hears of it
            left = len(self._waiting)
            bus.error("engine.telemetry_lost", engine=self._engine, count=left, error=error)

    # --- messages -----------------------------------------------------------------------------

    async def _report(self) -> None:
        loop = asyncio.get_running_loop()
        status_at, soonest = self._next_status(loop), loop.time()
        fails = False
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(status_at):
                    await self._some.wait()
                    await asyncio.sleep(self._settings.every)
            self._some.clear()
            try:
                await self._flush()
                if status_at is not None and self._runs_changed:
                    status_at = min(status_at, soonest)
                if status_at is not None and loop.time() >= status_at:
                    status_at, soonest = self._next_status(loop), loop.time() + _STATUS_GAP
                    await self._publish_status("online")
                fails = False
            except Exception as error:  # noqa: BLE001 - the edge: a connector that fails must not end the reports
                if not fails:  # once for each outage
                    bus.error("engine.telemetry_error", engine=self._engine, error=error)
                fails = True
                self._some.set()  # there is something left to try again

    def _next_status(self, loop: asyncio.AbstractEventLoop) -> float | None:
        """Return when the next heartbeat is due; none on simulated time, which it would keep going."""
        return None if is_simulated(loop) else loop.time() + self._settings.heartbeat

    async def _flush(self) -> None:
        """Publish what waits, a message for each stretch of the same run and event.

        What could not be published goes on waiting; a message that the connector cannot carry at all
        is dropped and counted.
        """
        waiting = self._waiting
        while waiting:
            _, same = next(groupby(waiting, key=lambda each: (each.run_id, type(each))))
            events = list(same)
            try:
                await self._publish_events(events)
            except PayloadError:
                self.dropped += len(events)
                self._forget(len(events))
                raise
            self._told += len(events)
            self._forget(len(events))

    def _forget(self, count: int) -> None:
        for _ in range(count):
            self._waiting.popleft()

    async def _publish_events(self, events: list[Event]) -> None:
        run, name = events[0].run_id, event_name(events[0])
        message = {
            "version": VERSION,
            "engine": self._engine,
            "run": run,
            "event": name,
            "dropped": self.dropped,
            "events": [plain_event(event, self._offset) for event in events],
        }
        await self._connector.publish(f"{self._topic}/{level_of(run)}/{name}", message)

    async def _publish_status(self, state: State) -> None:
        self._runs_changed = False
        await self._connector.publish(self.status_topic, self._status(state), retain=True)

    def _status(self, state: State) -> dict[str, Any]:
        return {
            "version": VERSION,
            "engine": self._engine,
            "state": state,
            "time": unix_time(),
            "heartbeat": self._settings.heartbeat,
            "events": self._told,
            "dropped": self.dropped,
            "run_count": len(self._runs),
            "runs": dict(islice(self._runs.items(), _RUNS_TOLD)),
        }
