"""What a report knows of a run: its calls as rows, and numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

__all__ = ["Record", "Retrial", "Row", "State", "Totals"]

State: TypeAlias = Literal["succeeded", "failed", "cancelled", "cached", "skipped", "waited"]
"""What became of a call; ``waited`` is a `recv` or a `wait` that came to its end."""


class Row(NamedTuple):
    """One call, in seconds of the loop's clock."""

    task: str
    call: str
    state: State
    start: float
    end: float
    said: str = ""
    """Why it failed, or was skipped."""


class Retrial(NamedTuple):
    """An attempt that failed, after which there was another one."""

    task: str
    time: float
    attempt: int
    wait: float
    said: str


@dataclass(slots=True)
class Totals:
    """What the calls of one task came to."""

    calls: int = 0
    seconds: float = 0.0
    longest: float = 0.0
    states: dict[State, int] = field(default_factory=dict)
    retries: int = 0

    def count(self, row: Row) -> None:
        """Count one more call."""
        seconds = row.end - row.start
        self.calls += 1
        self.seconds += seconds
        self.longest = max(self.longest, seconds)
        self.states[row.state] = self.states.get(row.state, 0) + 1


@dataclass(slots=True)
class Record:
    """What a page is made of."""

    inputs: dict[str, str]
    targets: list[tuple[str, str]] = field(default_factory=list)
    """Names and targets of the runs."""

    ends: list[tuple[str, str, str]] = field(default_factory=list)
    """Names of the runs that have ended, how, and why."""

    rows: list[Row] = field(default_factory=list)
    retries: list[Retrial] = field(default_factory=list)
    totals: dict[str, Totals] = field(default_factory=dict)
    held: dict[tuple[str, str], int] = field(default_factory=dict)
    """How often a task had to wait, by task and reason."""

    began_at: float = 0.0
    """Unix time of the first event."""

    start: float | None = None
    end: float = 0.0
    left_out: int = 0
    """How many calls have no row."""
