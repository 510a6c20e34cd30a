"""Where two runs of one simulation went different ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Generic, TypeAlias, TypeVar

from cascade.interfaces.errors import RunsDifferError
from cascade.runtime.simulation.canonical import canonical, without_addresses
from cascade.runtime.simulation.trace_hash import TraceRecord

__all__ = ["Keep", "run_twice"]

T = TypeVar("T")

Keep: TypeAlias = Callable[[TraceRecord], None]
"""Takes what happens in a simulation."""


@dataclass
class _Outcome(Generic[T]):
    """What happened in one run, and what came of it."""

    records: list[TraceRecord] = field(default_factory=list)
    value: T | None = None
    error: Exception | None = None


def run_twice(simulate: Callable[[Keep], T], keep: Keep | None = None) -> T:
    """Run a simulation twice, and return what came of it the first time.

    Args:
        simulate: runs it, and hands what happens to its argument.
        keep: is handed what happens the first time.

    Raises:
        RunsDifferError: the two went different ways; it shows the first thing that differs.
        Exception: what both of them raised.

    Examples:
        >>> run_twice(lambda keep: "the same")
        'the same'
    """
    first, second = _outcome_of(simulate, keep), _outcome_of(simulate, None)
    for one, other in zip_longest(first.records, second.records):
        if one != other:
            raise RunsDifferError(_in_words(one), _in_words(other))
    ends = [_end_in_words(each) for each in (first, second)]
    if ends[0] != ends[1]:
        raise RunsDifferError(*ends)
    if first.error is not None:
        raise first.error
    return first.value  # type: ignore[return-value]  # there is one, where there is no error


def _outcome_of(simulate: Callable[[Keep], T], keep: Keep | None) -> _Outcome[T]:
    outcome: _Outcome[T] = _Outcome()

    def take(record: TraceRecord) -> None:
        outcome.records.append(record)
        if keep is not None:
            keep(record)

    try:
        outcome.value = simulate(take)
    except Exception as error:  # noqa: BLE001 - it is compared, and raised then
        outcome.error = error
    return outcome


def _in_words(record: TraceRecord | None) -> str:
    if record is None:
        return "nothing more"
    what = {"message": "a message on", "retained": "a retained message on"}
    who = what.get(record.kind, f"the {record.kind} of the run")
    return f"at {record.time:g} s {who} {record.name!r}: {record.content}"


def _end_in_words(outcome: _Outcome[T]) -> str:
    came = outcome.value if outcome.error is None else outcome.error
    return f"its end: {without_addresses(canonical(came))}"
