"""Constraints: orders to a running engine, sent as retained messages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from types import MappingProxyType
from typing import Literal

from cascade.interfaces.errors import InvalidConstraintError

__all__ = ["CONSTRAINT_TOPIC", "MAX_ID", "NEEDED_FIELD", "GlobalConstraint", "parse_rate"]

CONSTRAINT_TOPIC = "cascade/constraints"
"""Constraints are published, retained, on ``cascade/constraints/<target>``."""

MAX_ID = 256
"""Characters that the id of a constraint has at most, and its target."""

NEEDED_FIELD: Mapping[str, str] = MappingProxyType({"concurrency": "n", "rate_limit": "rate"})
"""Which other field a constraint of a type needs."""

# A bounded number of digits, of which one is not 0: so every rate is a finite number above 0.
_RATE = r"^\s*(?=[0-9.]*[1-9])([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*/\s*(ms|s|m|h)\s*$"
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_MOST = 2**53 - 1  # beyond it readers of JSON may take a whole number for another (RFC 8259 §6)


def parse_rate(rate: str) -> float:
    """Turn a rate such as ``"20/s"``, ``"100/m"`` or ``"5/h"`` into events per second.

    Raises:
        InvalidConstraintError: the text has another form, or the rate is 0.
    """
    found = re.match(_RATE, rate)
    if not found:
        raise InvalidConstraintError(f"a rate looks like '20/s', '100/m' or '5/h', not {rate!r}")
    return float(found[1]) / _SECONDS[found[2]]


@dataclass(frozen=True, slots=True)
class GlobalConstraint:
    """An order to running engines: hold tasks, run fewer at once, or start fewer per second.

    Its target is the topic it is sent on: ``cascade/constraints/global`` for every task of every
    engine that listens, ``cascade/constraints/task/<name>`` for the tasks of one name,
    ``cascade/constraints/run/<id>`` for the tasks of one run.

    Examples:
        >>> GlobalConstraint("lunch", "rate_limit", rate="20/s").rate
        '20/s'
    """

    # The metadata are the keywords of JSON Schema that say what a type cannot.
    id: str = field(metadata={"minLength": 1, "maxLength": MAX_ID})
    """Names the constraint within its target; a later one of the same id replaces it."""

    type: Literal["pause", "concurrency", "rate_limit"]
    n: int | None = field(default=None, metadata={"minimum": 1, "maximum": _MOST})
    """``concurrency``: how many tasks run at once."""

    rate: str | None = field(default=None, metadata={"pattern": _RATE})
    """``rate_limit``: task starts per time, such as ``"20/s"``."""

    burst: int = field(default=1, metadata={"minimum": 1, "maximum": _MOST})
    """``rate_limit``: how many may start at once after a quiet time."""

    expires_at: float | None = None
    """Unix time in seconds after which it no longer holds; None is never."""

    def __post_init__(self) -> None:
        """Refuse a constraint whose parts do not fit together."""
        try:
            self._check()
        except TypeError as error:  # made by hand, past the type checker
            raise InvalidConstraintError(f"a part is of the wrong type: {error}") from None

    def _check(self) -> None:
        """Check what the types do not say."""
        if not self.id:
            raise InvalidConstraintError("a constraint needs an id, a text that is not empty")
        if len(self.id) > MAX_ID:
            raise InvalidConstraintError(f"an id has at most {MAX_ID} characters")
        needed = NEEDED_FIELD.get(self.type)
        if needed is not None and getattr(self, needed) is None:
            raise InvalidConstraintError(f"a constraint of type {self.type!r} needs {needed!r}")
        if self.n is not None and not 1 <= self.n <= _MOST:
            raise InvalidConstraintError(f"n is 1 or more, and at most {_MOST}, not {self.n!r}")
        if self.rate is not None:
            parse_rate(self.rate)
        if not 1 <= self.burst <= _MOST:
            raise InvalidConstraintError(
                f"burst is 1 or more, and at most {_MOST}, not {self.burst!r}"
            )
        if self.expires_at is not None and not isfinite(self.expires_at):
            raise InvalidConstraintError(
                f"expires_at is a Unix time in seconds, not {self.expires_at!r}"
            )
