"""A listener that keeps of a run what its report tells: numbers and short texts, and no value."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from cascade.common.messaging.printable import printable
from cascade.common.messaging.secrets import masked
from cascade.drawing.labels import title_of
from cascade.reports.page import page_of
from cascade.reports.record import Record, Retrial, Row, State, Totals
from cascade.runtime.events import (
    Event,
    RunFinished,
    RunStarted,
    TaskCached,
    TaskFinished,
    TaskRetrying,
    TaskSkipped,
    TaskThrottled,
)
from cascade.spec.lazy_types import LazyResult

__all__ = ["MOST_ROWS", "Report"]

MOST_ROWS = 10_000
"""Calls of which each is remembered; of those beyond only the numbers are, and failures."""

_LONGEST_ARGUMENT = 60  # characters of one argument
_LONGEST = 500  # characters of what an error says


class Report:
    """Listens to an engine, and writes a page about what it heard.

    Args:
        inputs: what the run was given, to be shown; secrets are hidden.

    Examples:
        >>> import asyncio
        >>> import cascade as cs
        >>> from cascade.reports import Report
        >>> @cs.task
        ... async def double(x: int) -> int:
        ...     return 2 * x
        >>> async def main() -> str:
        ...     report = Report()
        ...     async with cs.Engine() as engine:
        ...         engine.events.listen(report)
        ...         await engine.run(double(double(10)))
        ...     return report.html()
        >>> asyncio.run(main())[:15]
        '<!doctype html>'
    """

    def __init__(self, inputs: Mapping[str, Any] | None = None) -> None:
        """Begin with nothing."""
        given = inputs or {}
        self._record = Record({_text(name): _text(repr(value)) for name, value in given.items()})

    def __call__(self, event: Event) -> None:
        """Take one event."""
        record = self._record
        if record.start is None:
            record.start, record.began_at = event.time, time.time()
        record.end = max(record.end, event.time)
        match event:
            case RunStarted():
                record.targets.append((event.run_id, _text(event.target)))
            case RunFinished():
                record.ends.append((event.run_id, event.outcome, _reason(event.error)))
            case TaskFinished() | TaskCached() | TaskSkipped():
                self._take_row(event)
            case TaskRetrying():
                self._take_retrial(event)
            case TaskThrottled():
                key = _text(event.task), _text(event.reason)
                record.held[key] = record.held.get(key, 0) + 1

    def html(self) -> str:
        """Return the page: a whole file, which asks no other address for anything."""
        return page_of(self._record)

    def _take_row(self, event: TaskFinished | TaskCached | TaskSkipped) -> None:
        if event.call is None:  # it was cached, and has an event for that
            return
        row = _row(event, event.call)
        if not _is_told(event.call, row.state):
            return
        record = self._record
        record.totals.setdefault(row.task, Totals()).count(row)
        if len(record.rows) < MOST_ROWS or row.state == "failed":
            record.rows.append(row)
        else:
            record.left_out += 1

    def _take_retrial(self, event: TaskRetrying) -> None:
        record = self._record
        task, said = _text(event.task), _reason(event.error)
        record.totals.setdefault(task, Totals()).retries += 1
        if len(record.retries) < MOST_ROWS:
            record.retries.append(Retrial(task, event.time, event.attempt, event.wait, said))


def _is_told(call: LazyResult[Any], state: State) -> bool:
    """Return whether a call is work, waits, or fails by itself: others are how a graph is put together."""
    task = call.task
    waits_or_fails = task.name in ("recv", "wait") or state == "failed"
    return task.role == "function" or (task.role == "builtin" and waits_or_fails)


def _row(event: TaskFinished | TaskCached | TaskSkipped, call: LazyResult[Any]) -> Row:
    name, title = _text(event.task), _text(title_of(call, _LONGEST_ARGUMENT))
    match event:
        case TaskCached():
            return Row(name, title, "cached", event.time, event.time)
        case TaskSkipped():
            return Row(name, title, "skipped", event.time, event.time, _text(event.reason))
    waits = call.task.role == "builtin" and event.outcome == "succeeded"
    state: State = "waited" if waits else event.outcome
    return Row(name, title, state, event.time - event.duration, event.time, _reason(event.error))


def _reason(error: BaseException | None) -> str:
    if error is None:
        return ""
    text = str(error)
    return _text(f"{type(error).__name__}: {text}" if text else type(error).__name__)


def _text(said: str) -> str:
    text = printable(masked(said))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
