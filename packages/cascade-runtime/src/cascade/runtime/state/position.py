"""Where in an evaluation the code that runs now stands: what ``cs.current`` and ``cs.evaluate`` ask."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Protocol

from cascade.runtime.state.agent import Frame

__all__ = ["Position", "position"]


class Position(Protocol):
    """A frame that goes on by itself, or a node that runs beside others."""

    @property
    def frame(self) -> Frame:
        """Where it is evaluated."""

    at: Any
    """The call, or its node; None once it is over."""

    attempt: int
    """The number of the attempt that is under way."""

    evaluations: int
    """How many calls were given to ``cs.evaluate`` here."""


position: ContextVar[Position] = ContextVar("cascade_position")
"""Set once for each trampoline and each node that runs beside others: a step has no time for it."""
