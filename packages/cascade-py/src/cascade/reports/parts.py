"""Pieces of HTML: texts that mean nothing to a browser, tables, spans of time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["cell", "seconds", "section", "table"]


def cell(value: object) -> str:
    """Return a value as text for a page."""
    return escape(str(value))


def seconds(span: float) -> str:
    """Return a span of time for people.

    Examples:
        >>> seconds(0.0000123), seconds(0.0123), seconds(4.25), seconds(600)
        ('12 µs', '12.3 ms', '4.25 s', '10 min 0 s')
    """
    if span < 0.001:  # noqa: PLR2004 - a millisecond
        return f"{span * 1e6:.0f} µs"
    if span < 1:
        return f"{span * 1000:.3g} ms"
    if span < 120:  # noqa: PLR2004 - two minutes
        return f"{span:.3g} s"
    return f"{span // 60:.0f} min {span % 60:.0f} s"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; a column whose head begins with a # holds numbers."""
    classes = [' class="number"' if head.startswith("#") else "" for head in heads]
    top = "".join(
        f"<th{look} scope=col>{cell(head.lstrip('#'))}</th>"
        for look, head in zip(classes, heads, strict=True)
    )
    lines = (
        "".join(f"<td{look}>{cell(value)}</td>" for look, value in zip(classes, row, strict=True))
        for row in rows
    )
    body = "\n".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead>\n<tbody>{body}</tbody></table></div>'


def section(title: str, content: str, note: str = "") -> str:
    """Return a section with its heading, a note, and what is in it."""
    told = f'<p class="note">{cell(note)}</p>\n' if note else ""
    return f"<section>\n<h2>{cell(title)}</h2>\n{told}{content}\n</section>"
