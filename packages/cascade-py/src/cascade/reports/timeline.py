"""The timeline: a line for each call, whose bar says when it ran. It is HTML alone, and bends to any width."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from cascade.reports.parts import cell, seconds
from cascade.reports.record import Row

__all__ = ["MOST_LINES", "timeline"]

MOST_LINES = 300
"""Calls that have a line; of more those on the critical path, those that failed, and then the longest."""

_TICKS = 4


def timeline(
    rows: Sequence[Row], critical: Collection[Row], start: float, end: float
) -> tuple[str, int]:
    """Return the timeline as HTML, and how many calls it leaves out."""
    told = sorted(_chosen(rows, critical), key=lambda row: (row.start, row.end))
    span = max(end - start, 1e-9)
    marked = set(map(id, critical))
    lines = [_line(row, start, span, is_critical=id(row) in marked) for row in told]
    ticks = "".join(
        f'<span style="left:{100 * tick / _TICKS:.6g}%">{seconds(span * tick / _TICKS)}</span>'
        for tick in range(_TICKS + 1)
    )
    scale = f'<li class="scale" aria-hidden="true"><div class="track">{ticks}</div></li>'
    html = f'<ol class="timeline">\n{scale}\n' + "\n".join(lines) + "\n</ol>"
    return html, len(rows) - len(told)


def _chosen(rows: Sequence[Row], critical: Collection[Row]) -> Sequence[Row]:
    if len(rows) <= MOST_LINES:
        return rows
    marked = set(map(id, critical))
    ranked = sorted(
        rows, key=lambda row: (id(row) in marked, row.state == "failed", row.end - row.start)
    )
    return ranked[-MOST_LINES:]


def _line(row: Row, start: float, span: float, *, is_critical: bool) -> str:
    left = max(0.0, 100 * (row.start - start) / span)
    width = 100 * (row.end - row.start) / span
    look = f"bar {row.state}{' critical' if is_critical else ''}"
    took = row.state if row.state in ("cached", "skipped") else seconds(row.end - row.start)
    told = f"{row.call}: {row.state}, {seconds(row.end - row.start)}, from {seconds(row.start - start)} on"
    said = f"{told}; {row.said}" if row.said else told
    bar = f'<span class="{look}" style="left:{left:.6g}%;width:{width:.6g}%"></span>'
    return (
        f'<li title="{cell(said)}"><span class="call">{cell(row.call)}</span>'
        f'<div class="track" aria-hidden="true">{bar}</div><span class="took">{cell(took)}</span></li>'
    )
