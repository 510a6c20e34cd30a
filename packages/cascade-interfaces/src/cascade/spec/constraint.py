"""Constraints: orders to a running engine, sent as retained messages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from cascade.interfaces.errors import InvalidConstraintError

__all__ = ["CONSTRAINT_TOPIC", "GlobalConstraint", "parse_rate"]

CONSTRAINT_TOPIC = "cascade/constraints"
"""Constraints are published, retained, on ``cascade/constraints/<scope>``."""

_RATE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*/\s*(ms|s|m|h)\s*")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_rate(rate: str) -> float:
    """Turn a rate such as ``"20/s"``, ``"100/m"`` or ``"5/h"`` into events per second.

    Raises:
        InvalidConstraintError: the text has another form, or the rate is 0.
    """
    found = _RATE.fullmatch(rate)
    if not found or not float(found[1]):
        raise InvalidConstraintError(f"a rate looks like '20/s', '100/m' or '5/h', not {rate!r}")
    return float(found[1]) / _SECONDS[found[2]]


@dataclass(frozen=True, slots=True)
class GlobalConstraint:
    """One order: hold tasks, run fewer at once, or start fewer per second.

    Its scope is the topic it is sent on: ``cascade/constraints/global`` for every task of every
    engine that listens, ``cascade/constraints/task/<name>`` for the tasks of one name,
    ``cascade/constraints/run/<id>`` for the tasks of one run.
    """

    id: str
    """Names the order within its scope; a later one of the same id replaces it."""

    type: Literal["pause", "concurrency", "rate_limit"]
    n: int | None = None
    """``concurrency``: how many tasks run at once."""

    rate: str | None = None
    """``rate_limit``: task starts per time, such as ``"20/s"``."""

    burst: int = 1
    """``rate_limit``: how many may start at once after a quiet time."""

    expires_at: float | None = None
    """Unix time in seconds after which the order no longer holds; None is never."""

    def __post_init__(self) -> None:
        """Refuse an order whose parts do not fit together."""
        # An order comes from outside: its parts may be of any type, whatever the annotations say.
        own_id: object = self.id
        burst: object = self.burst
        expires_at: object = self.expires_at
        if not isinstance(own_id, str) or not own_id:
            raise InvalidConstraintError("a constraint needs an id, a text that is not empty")
        if self.type not in ("pause", "concurrency", "rate_limit"):
            raise InvalidConstraintError(
                f"a constraint's type is pause, concurrency or rate_limit, not {self.type!r}"
            )
        if self.type == "concurrency" and not (isinstance(self.n, int) and self.n >= 1):
            raise InvalidConstraintError(f"concurrency needs a whole number n >= 1, not {self.n!r}")
        if self.type == "rate_limit":
            if not isinstance(self.rate, str):
                raise InvalidConstraintError(
                    f"rate_limit needs a rate such as '20/s', not {self.rate!r}"
                )
            parse_rate(self.rate)
        if not isinstance(burst, int) or burst < 1:
            raise InvalidConstraintError(f"burst is a whole number of at least 1, not {burst!r}")
        if not isinstance(expires_at, (int, float, type(None))):
            raise InvalidConstraintError(
                f"expires_at is a Unix time in seconds, or nothing, not {expires_at!r}"
            )
