"""The chain of calls that a run could not have been quicker than, as far as times tell.

From the call that ended last it goes back, each time to the one that had ended last before a call began:
an engine starts a call as soon as its inputs are there, so that is the one it waited for, or one that
happened to end then.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from cascade.reports.record import Row

__all__ = ["critical_path"]

_ROUNDING = 1e-6  # seconds: the start of a call is reckoned from its end and how long it took


def critical_path(rows: Sequence[Row]) -> list[Row]:
    """Return the chain, in the order of time."""
    by_end = sorted((row for row in rows if row.end > row.start), key=lambda row: row.end)
    ends = [row.end for row in by_end]
    place = len(by_end) - 1
    chain = []
    while place >= 0:
        chain.append(by_end[place])
        place = bisect_right(ends, by_end[place].start + _ROUNDING, hi=place) - 1
    return chain[::-1]
