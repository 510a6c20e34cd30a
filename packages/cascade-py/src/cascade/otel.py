"""OpenTelemetry: a run is a trace, each task a span in it, and tasks are counted and timed.

Over a connector that carries properties (MQTT 5) the span of a task that received a signal has a link
to the span of the task that sent it: W3C trace context, in ``traceparent`` and ``tracestate``.

Needs the extra ``cascade-py[otel]``. What is exported where is OpenTelemetry's own configuration.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from traceback import format_exception

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Span, Status, StatusCode, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from cascade.common.messaging.secrets import masked
from cascade.interfaces.properties import Properties, received, to_send
from cascade.runtime.engine import Engine
from cascade.runtime.events import (
    Event,
    RunFinished,
    RunStarted,
    TaskFinished,
    TaskRetrying,
    TaskStarted,
)

__all__ = ["instrument"]

_SCOPE = "cascade"
_NANOSECONDS = 1_000_000_000
_W3C = TraceContextTextMapPropagator()


def instrument(
    engine: Engine,
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
) -> Callable[[], None]:
    """Trace and measure an engine's runs from now on.

    Spans are named ``run`` and by their task, with the attributes ``cascade.engine``, ``cascade.run``
    and ``cascade.task``; a signal links the span that received it to the one that sent it. Metrics:
    ``cascade.tasks`` (how many ended, by task and outcome) and ``cascade.task.duration`` (seconds).

    Args:
        engine: whose runs.
        tracer_provider: where spans go; the process's own if left out.
        meter_provider: where metrics go; the process's own if left out.

    Returns:
        A function that ends this.

    Examples:
        >>> import cascade as cs
        >>> engine = cs.Engine()
        >>> stop = instrument(engine)
        >>> stop()
    """
    instruments = _Instruments(engine.name, tracer_provider, meter_provider)
    return engine.events.listen(instruments.take)


@dataclass(frozen=True, slots=True)
class _Open:
    """A task that runs in this context, and what to go back to when it ends."""

    started: TaskStarted
    span: Span
    outer: _Open | None
    sent_before: Properties


class _Instruments:
    """Turn events into spans and numbers."""

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
        # One for each engine and not for the module, so that several do not take each other's spans.
        self._open: ContextVar[_Open | None] = ContextVar("cascade_otel_open", default=None)

    def take(self, event: Event) -> None:
        """Take in an event; called by the engine, on its event loop."""
        if isinstance(event, RunStarted):
            attributes = {"cascade.engine": self._engine, "cascade.run": event.run_id}
            self._runs[event.run_id] = self._tracer.start_span(
                "run", attributes=attributes, start_time=_unix(event.time)
            )
        elif isinstance(event, TaskStarted):
            self._begin_task(event)
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

    def _begin_task(self, event: TaskStarted) -> None:
        """Open a span, and have what the task publishes tell of it.

        The engine tells of a task's start and end in the task's own context, one inside the other.
        """
        run = self._runs.get(event.run_id)
        if run is None:  # it began before anybody looked
            return
        span = self._tracer.start_span(
            event.task,
            context=trace.set_span_in_context(run),
            attributes={"cascade.task": event.task, "cascade.run": event.run_id},
            start_time=_unix(event.time),
        )
        before = to_send.get()
        self._open.set(_Open(event, span, self._open.get(), before))
        to_send.set((*(each for each in before if each[0] not in _W3C.fields), *_told_of(span)))
        received.set(())

    def _end_task(self, event: TaskFinished) -> None:
        about = {"cascade.task": event.task, "cascade.outcome": event.outcome}
        self._tasks.add(1, about)
        self._durations.record(event.duration, about)
        ended = self._open.get()
        if ended is None or (ended.started.run_id, ended.started.task) != (
            event.run_id,
            event.task,
        ):  # it began before anybody looked
            return
        self._open.set(ended.outer)
        to_send.set(ended.sent_before)
        for properties in received.get():
            _link(ended.span, properties)
        ended.span.set_attribute("cascade.cached", event.cached)
        _end(ended.span, event)


def _told_of(span: Span) -> Properties:
    """Return what tells others of a span; nothing where nobody records it."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier, trace.set_span_in_context(span))
    return tuple(carrier.items())


def _link(span: Span, properties: Properties) -> None:
    """Link a span to the one that properties tell of, if they do."""
    sender = trace.get_current_span(_W3C.extract(dict(properties), Context())).get_span_context()
    if sender.is_valid:
        span.add_link(sender)


def _end(span: Span, event: TaskFinished | RunFinished) -> None:
    if event.outcome == "failed" and event.error is not None:
        text = masked(str(event.error))
        trace_back = masked("".join(format_exception(event.error)))
        shown = {"exception.message": text, "exception.stacktrace": trace_back}
        span.record_exception(event.error, shown)
        span.set_status(Status(StatusCode.ERROR, text))
    span.set_attribute("cascade.outcome", event.outcome)
    span.end(_unix(event.time))


def _unix(loop_time: float) -> int:
    """Return an event's time as Unix time in nanoseconds."""
    offset = time.time() - asyncio.get_running_loop().time()
    return int((loop_time + offset) * _NANOSECONDS)
