"""Where in an evaluation the code that runs now stands: what ``cs.current`` and ``cs.evaluate`` ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from cascade.runtime.signals.source import Signal
from cascade.runtime.state.agent import Agent, Frame

__all__ = ["Position", "attempting", "position"]


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

    taken: list[Signal] | None
    """The signals that were taken in the attempt that is under way, if it may fail."""


position: ContextVar[Position] = ContextVar("cascade_position")
"""Set once for each trampoline and each node that runs beside others: a step has no time for it."""


@contextmanager
def attempting(here: Position, agent: Agent) -> Iterator[None]:
    """Give the signals that are taken in an attempt back to the mailbox if it fails."""
    outer = here.taken
    taken: list[Signal] = []
    here.taken = taken
    try:
        yield
    except BaseException:
        if taken:
            agent.mailbox.requeue(taken)
        raise
    finally:
        here.taken = outer
    if outer is not None:
        outer += taken
