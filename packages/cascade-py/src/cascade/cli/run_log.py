"""What happens in a run, as it happens: a line each for people, or an object of JSON each for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from reprlib import Repr
from typing import Any

from cascade.cli.spans import span_of
from cascade.common.messaging.printable import printable, printable_json
from cascade.common.messaging.secrets import masked
from cascade.runtime.concurrency.clock import unix_time
from cascade.runtime.events import (
    AgentChanged,
    Event,
    Listener,
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
from cascade.runtime.observation.telemetry import event_name, plain_event
from cascade.spec.lazy_types import LazyResult

__all__ = ["LogForm", "run_log"]

_LONGEST = 100  # characters of a call, or of a reason


_values = Repr()  # which looks at no more of a value than it shows
_values.maxstring = _values.maxother = 40
_values.maxlist = _values.maxtuple = _values.maxdict = 4


class LogForm(StrEnum):
    """How the log is written."""

    text = "text"
    json = "json"
    quiet = "quiet"


def run_log(form: LogForm, write: Callable[[str], object]) -> Listener:
    """Return a listener that writes a line for each event; parts of the language, as `param`, are left out."""

    def take(event: Event) -> None:
        call = getattr(event, "call", None)
        if call is not None and call.task.role != "function":
            return
        if form is LogForm.json:
            write(_json_line(event))
        elif (line := _line(event)) is not None:
            time = datetime.now().astimezone().strftime("%H:%M:%S")
            write(printable(masked(f"{time} {line}")))

    return take


def _json_line(event: Event) -> str:
    # An event's own time is the loop's, which begins anywhere.
    plain = {**plain_event(event, 0.0), "time": unix_time()}
    call = getattr(event, "call", None)
    told = {} if call is None else {"call": masked(_shown(call)), "task_id": call.task.id}
    line = {"event": event_name(event), "run": event.run_id, **plain, **told}
    return printable_json(json.dumps(line, ensure_ascii=False))


def _line(event: Event) -> str | None:
    """Return what people read; None where there is nothing to say."""
    match event:
        case RunStarted():
            return f"run       {event.run_id}: {_shortened(event.target)}"
        case RunFinished():
            return f"{event.outcome:<9} {event.run_id}{_reason(event.error)}"
        case TaskStarted() | TaskFinished() | TaskCached() | TaskSkipped():
            return _line_of_task(event)
        case TaskThrottled():
            return f"held      {event.task}: {_shortened(event.reason)}"
        case TaskRetrying():
            wait = f"attempt {event.attempt} failed, again in {_seconds(event.wait)}"
            return f"retry     {event.task}: {wait}{_reason(event.error)}"
        case ResourceOpened() | ResourceClosed() | AgentChanged():
            return _line_of_change(event)


def _line_of_change(event: ResourceOpened | ResourceClosed | AgentChanged) -> str:
    match event:
        case ResourceOpened():
            return f"opened    {event.resource}"
        case ResourceClosed():
            return f"closed    {event.resource}{_reason(event.error)}"
    reason = f": {_shortened(event.reason)}" if event.reason else ""
    return f"{event.change:<9} {event.run_id}{reason}"


def _line_of_task(event: TaskStarted | TaskFinished | TaskCached | TaskSkipped) -> str | None:
    if event.call is None:  # what is cached or skipped has a line of its own
        return None
    shown = _shown(event.call)
    match event:
        case TaskStarted():
            return f"started   {shown}"
        case TaskCached():
            return f"cached    {shown}"
        case TaskSkipped():
            return f"skipped   {shown}: {event.reason}"
    time = _seconds(event.duration)
    return f"{_ENDED[event.outcome]:<9} {shown} in {time}{_reason(event.error)}"


_ENDED = {"succeeded": "done", "failed": "failed", "cancelled": "cancelled"}


def _shown(call: LazyResult[Any]) -> str:
    """Return a call with its arguments, as much of these as a line has room for."""
    given = [_values.repr(each) for each in call.args]
    given += [f"{name}={_values.repr(each)}" for name, each in call.kwargs.items()]
    return _shortened(f"{call.task.name}({', '.join(given)})")


def _reason(error: BaseException | None) -> str:
    if error is None:
        return ""
    text = str(error)
    return _shortened(f": {type(error).__name__}" + (f": {text}" if text else ""))


def _seconds(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 120 else span_of(seconds)  # noqa: PLR2004 - two minutes


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
