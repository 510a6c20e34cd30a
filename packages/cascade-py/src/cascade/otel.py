"""OpenTelemetry: a run is a trace, each task a span in it, and tasks are counted and timed.

Needs the extra ``cascade-py[otel]``. What is exported where is OpenTelemetry's own configuration.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from opentelemetry import metrics, trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Span, Status, StatusCode, TracerProvider

from cascade.runtime.engine import Engine
from cascade.runtime.events import Event, RunFinished, RunStarted, TaskFinished, TaskRetrying

__all__ = ["instrument"]

_SCOPE = "cascade"
_NANOSECONDS = 1_000_000_000


def instrument(
    engine: Engine,
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
) -> Callable[[], None]:
    """Have an engine's runs traced and measured from now on.

    Spans are named ``run`` and by their task, with the attributes ``cascade.engine``, ``cascade.run``
    and ``cascade.task``. Metrics: ``cascade.tasks`` (how many ended, by task and outcome) and
    ``cascade.task.duration`` (seconds).

    Args:
        engine: whose runs.
        tracer_provider: where spans go; the process's own if left out.
        meter_provider: where metrics go; the process's own if left out.

    Returns:
        A function that ends this.
    """
    instruments = _Instruments(engine.name, tracer_provider, meter_provider)
    return engine.events.listen(instruments.take)


class _Instruments:
    """Turns events into spans and numbers."""

    def __init__(
        self,
        engine: str,
        tracer_provider: TracerProvider | None,
        meter_provider: MeterProvider | None,
    ) -> None:
        self._engine = engine
        self._tracer = trace.get_tracer(_SCOPE, tracer_provider=tracer_provider)
        meter = metrics.get_meter(_SCOPE, meter_provider=meter_provider)
        self._tasks = meter.create_counter("cascade.tasks", "{task}", "Tasks that ended")
        self._durations = meter.create_histogram(
            "cascade.task.duration", "s", "How long tasks took"
        )
        self._runs: dict[str, Span] = {}

    def take(self, event: Event) -> None:
        """Take in an event; called by the engine, on its event loop."""
        if isinstance(event, RunStarted):
            attributes = {"cascade.engine": self._engine, "cascade.run": event.run_id}
            self._runs[event.run_id] = self._tracer.start_span(
                "run", attributes=attributes, start_time=_unix(event.time)
            )
        elif isinstance(event, TaskFinished):
            self._end_task(event)
        elif isinstance(event, TaskRetrying) and event.run_id in self._runs:
            retry: dict[str, str | int] = {
                "cascade.task": event.task,
                "cascade.attempt": event.attempt,
            }
            self._runs[event.run_id].add_event("retry", retry, _unix(event.time))
        elif isinstance(event, RunFinished):
            span = self._runs.pop(event.run_id, None)
            if span is not None:
                _end(span, event)

    def _end_task(self, event: TaskFinished) -> None:
        about = {"cascade.task": event.task, "cascade.outcome": event.outcome}
        self._tasks.add(1, about)
        self._durations.record(event.duration, about)
        run = self._runs.get(event.run_id)
        if run is None:  # it began before anybody looked
            return
        span = self._tracer.start_span(
            event.task,
            context=trace.set_span_in_context(run),
            attributes={**about, "cascade.run": event.run_id, "cascade.cached": event.cached},
            start_time=_unix(event.time - event.duration),
        )
        _end(span, event)


def _end(span: Span, event: TaskFinished | RunFinished) -> None:
    if event.outcome == "failed" and event.error is not None:
        span.record_exception(event.error)
        span.set_status(Status(StatusCode.ERROR, str(event.error)))
    span.set_attribute("cascade.outcome", event.outcome)
    span.end(_unix(event.time))


def _unix(loop_time: float) -> int:
    """Return an event's time as Unix time in nanoseconds."""
    offset = time.time() - asyncio.get_running_loop().time()
    return int((loop_time + offset) * _NANOSECONDS)
