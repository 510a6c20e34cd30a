"""What was heard of a run, as a page: one file, readable without JavaScript, in a light and a dark scheme."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from platform import python_version

from cascade.reports.critical_path import critical_path
from cascade.reports.parts import cell, seconds, section, table
from cascade.reports.record import Record, Row, State
from cascade.reports.timeline import timeline

__all__ = ["page_of"]

_MOST = 1000  # lines of a table

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def page_of(record: Record) -> str:
    """Return the page."""
    style = files("cascade.reports").joinpath("page.css").read_text(encoding="utf-8").strip()
    shown = record.targets[0][1] if len(record.targets) == 1 else f"{len(record.targets)} runs"
    body = "\n".join(_sections(record, shown))
    return _PAGE.format(title=cell(f"{shown} - report"), style=style, body=body)


def _sections(record: Record, shown: str) -> Iterator[str]:
    start = record.start or 0.0
    critical = critical_path(record.rows)
    yield f"<h1>{cell(shown)}</h1>"
    yield _head(record, start, critical)
    if any(reason for *_, reason in record.ends) or any(r.state == "failed" for r in record.rows):
        yield _failures(record, start)
    if record.inputs:
        yield section("Inputs", table(("name", "value"), record.inputs.items()))
    drawn, left_out = timeline(record.rows, critical, start, record.end)
    left_out += record.left_out
    note = (
        f"{left_out} more calls have no line here; the numbers below count them."
        if left_out
        else ""
    )
    yield section(
        "Timeline", _LEGEND + drawn if record.rows else "<p>No task was called.</p>", note
    )
    if critical:
        yield _critical(critical, start, record.end)
    yield _tasks(record)
    if record.retries:
        rows = (
            (each.task, seconds(each.time - start), each.attempt, seconds(each.wait), each.said)
            for each in record.retries[:_MOST]
        )
        heads = ("task", "#at", "#attempt", "#again in", "what failed")
        yield section("Retries", table(heads, rows), _cut(len(record.retries)))
    remembered = [row for row in record.rows if row.state in ("cached", "skipped")]
    if remembered:
        told = ((row.call, row.state, row.said) for row in remembered[:_MOST])
        yield section("Cached and skipped", table(("call", "", "why"), told), _cut(len(remembered)))
    if record.held:
        held = ((task, reason, count) for (task, reason), count in record.held.items())
        yield section("Held", table(("task", "by", "#times"), held))


_STATES: tuple[State, ...] = ("succeeded", "failed", "cancelled", "cached", "skipped", "waited")
_LEGEND = (
    '<p class="legend" aria-hidden="true">'
    + "".join(f'<span><i class="bar {each}"></i>{each}</span>' for each in _STATES)
    + '<span><i class="bar critical"></i>critical path</span></p>\n'
)


def _head(record: Record, start: float, critical: list[Row]) -> str:
    """Return how it ended and the numbers that matter most."""
    outcomes = sorted({outcome for _, outcome, _ in record.ends}) or ["not ended"]
    totals = record.totals.values()
    counts = {state: sum(each.states.get(state, 0) for each in totals) for state in _STATES}
    began = datetime.fromtimestamp(record.began_at, UTC)
    busy = sum(row.end - row.start for row in critical)
    facts: dict[str, object] = {
        "outcome": ", ".join(outcomes),
        "took": seconds(record.end - start),
        "critical path": seconds(busy),
        **{state: count for state, count in counts.items() if count},
        "retries": sum(each.retries for each in totals),
        "began": f"{began:%Y-%m-%d %H:%M:%S} UTC",
        "run": ", ".join(name for name, _ in record.targets[:3]),
        "with": f"Cascade {version('cascade-py')}, Python {python_version()}",
    }
    items = "".join(f"<div><dt>{cell(k)}</dt><dd>{cell(v)}</dd></div>" for k, v in facts.items())
    return f'<dl class="facts {cell(outcomes[0].replace(" ", "-"))}">{items}</dl>'


def _failures(record: Record, start: float) -> str:
    failed = [row for row in record.rows if row.state == "failed"]
    rows = [(row.call, seconds(row.end - start), row.said) for row in failed[:_MOST]]
    rows += [(f"run {name}", "", reason) for name, _, reason in record.ends if reason]
    return section("Failures", table(("what", "#at", "why"), rows), _cut(len(failed)))


def _critical(critical: list[Row], start: float, end: float) -> str:
    span = max(end - start, 1e-9)
    rows = (
        (
            row.call,
            seconds(row.start - start),
            seconds(row.end - row.start),
            f"{100 * (row.end - row.start) / span:.0f} %",
        )
        for row in critical[-_MOST:]
    )
    note = (
        "Each call here began when the one before it had ended, as far as times tell: "
        "to make the run quicker, make one of these quicker."
    )
    heads = ("call", "#from", "#took", "#of the run")
    return section("Critical path", table(heads, rows), f"{note} {_cut(len(critical))}".strip())


def _tasks(record: Record) -> str:
    by_time = sorted(record.totals.items(), key=lambda each: -each[1].seconds)
    rows = (
        (
            name,
            each.calls,
            seconds(each.seconds),
            seconds(each.longest),
            *(each.states.get(state, 0) for state in ("failed", "cached", "skipped")),
            each.retries,
        )
        for name, each in by_time
    )
    heads = ("task", "#calls", "#in all", "#longest", "#failed", "#cached", "#skipped", "#retries")
    return section("Tasks", table(heads, rows))


def _cut(count: int) -> str:
    return f"{_MOST} of {count} are shown." if count > _MOST else ""
