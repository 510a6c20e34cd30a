"""A run is a trace, a task a span: against the SDK's in-memory exporter."""

import asyncio

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

import cascade as cs
from cascade.otel import instrument


@cs.task
async def double(x):
    await asyncio.sleep(0.001)
    return 2 * x


@cs.task
async def add(a, b):
    return a + b


@cs.task
async def fails():
    raise OSError("no way")


class Traced:
    def __init__(self):
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.engine = cs.Engine(name="mill")
        self.stop = instrument(
            self.engine,
            tracer_provider=tracers,
            meter_provider=MeterProvider(metric_readers=[self.reader]),
        )

    def spans(self):
        return {span.name: span for span in self.exporter.get_finished_spans()}

    def metric(self, name):
        data = self.reader.get_metrics_data()
        (metric,) = [
            metric
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
        ]
        return metric.data.data_points


async def test_a_run_is_a_trace_with_a_span_for_each_task():
    traced = Traced()
    assert await traced.engine.run(add(double(1), double(2)), name="job") == 6
    spans = traced.exporter.get_finished_spans()
    assert sorted(span.name for span in spans) == ["add", "double", "double", "run"]
    run = traced.spans()["run"]
    assert run.parent is None
    assert run.attributes["cascade.run"] == "job"
    assert run.attributes["cascade.engine"] == "mill"
    assert {span.context.trace_id for span in spans} == {run.context.trace_id}
    assert {span.parent.span_id for span in spans if span.name != "run"} == {run.context.span_id}
    double_span = traced.spans()["double"]
    assert double_span.end_time - double_span.start_time >= 900_000
    assert run.start_time <= double_span.start_time <= double_span.end_time <= run.end_time


async def test_a_failure_is_recorded_on_the_task_and_on_the_run():
    traced = Traced()
    with pytest.raises(OSError, match="no way"):
        await traced.engine.run(fails())
    for name in ("fails", "run"):
        span = traced.spans()[name]
        assert span.status.status_code is StatusCode.ERROR
        assert span.attributes["cascade.outcome"] == "failed"
        assert span.events[0].attributes["exception.type"] == "OSError"


async def test_retries_are_events_of_the_run():
    traced = Traced()
    with pytest.raises(OSError, match="no way"):
        await traced.engine.run(fails.with_retry(3)())
    attempts = [
        e.attributes["cascade.attempt"] for e in traced.spans()["run"].events if e.name == "retry"
    ]
    assert attempts == [1, 2]


async def test_tasks_are_counted_and_timed():
    traced = Traced()
    await traced.engine.run([double(n) for n in range(3)])
    points = {p.attributes["cascade.task"]: p.value for p in traced.metric("cascade.tasks")}
    assert points == {"double": 3, "collect": 1}
    (timed,) = [
        p
        for p in traced.metric("cascade.task.duration")
        if p.attributes["cascade.task"] == "double"
    ]
    assert timed.count == 3
    assert timed.sum >= 0.003


async def test_it_ends_when_it_is_told_to():
    traced = Traced()
    traced.stop()
    await traced.engine.run(double(1))
    assert traced.exporter.get_finished_spans() == ()
