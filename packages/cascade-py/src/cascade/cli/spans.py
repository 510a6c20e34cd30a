"""Spans of time, as people write and read them."""

from __future__ import annotations

import re

import typer

__all__ = ["seconds_from", "span_of"]

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SPAN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([smhd])")


def seconds_from(text: str) -> float:
    """Return the seconds of a span such as ``7d``.

    Raises:
        BadParameter: the text has another form.

    Examples:
        >>> seconds_from("1.5h")
        5400.0
    """
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise typer.BadParameter(f"a span of time looks like 7d, 12h, 30m or 90s, not {text!r}")
    return float(found[1]) * _SECONDS[found[2]]


def span_of(seconds: float) -> str:
    """Return a span in the largest unit that there are two of.

    Examples:
        >>> span_of(100), span_of(7000), span_of(86400 * 3)
        ('100 s', '116 min', '3 d')
    """
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}"
    return f"{seconds:.0f} s"
