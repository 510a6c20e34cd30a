"""Numbers as a sparkline: a row of small bars."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["downsample", "sparkline"]

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], top: float) -> str:
    """Return a character per value: the lowest bar for 0, the highest for ``top`` and above."""
    last = len(_BARS) - 1
    if top <= 0:
        return _BARS[0] * len(values)
    return "".join(_BARS[max(0, min(last, round(value / top * last)))] for value in values)


def downsample(values: Sequence[float], width: int) -> list[float]:
    """Return at most ``width`` of the values, evenly spaced, the last one among them."""
    if len(values) <= width:
        return list(values)
    step = len(values) / width
    return [values[len(values) - 1 - int((width - 1 - place) * step)] for place in range(width)]
