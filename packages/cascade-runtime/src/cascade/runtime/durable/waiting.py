"""What a durable agent waits for, as far as its record in the store says it."""

from __future__ import annotations

from cascade.interfaces.store import ENDED, DurableAgent

__all__ = ["FORGOTTEN", "UNTIL", "deadline_of"]

UNTIL = "!until"
"""What follows a place in the journal where it says until when the call there waits, in Unix time."""

FORGOTTEN = b""
"""What stands in the journal where something stood that is not so any more."""


def deadline_of(record: DurableAgent) -> float | None:
    """Return when the first wait or time-out of an agent's step ends, in Unix time; None: it has none.

    Examples:
        >>> journal = {"0!until": b"60.0", "1!until": b"30.0", "1": b"null"}
        >>> deadline_of(DurableAgent("monday", start=b"", call=b"", journal=journal))
        60.0
    """
    if record.status in ENDED:
        return None
    if record.asleep:
        return record.wake_at
    hours = [
        float(data)
        for place, data in record.journal.items()
        if place.endswith(UNTIL)
        and data != FORGOTTEN
        and place.removesuffix(UNTIL) not in record.journal  # it is over
    ]
    return min(hours, default=None)
