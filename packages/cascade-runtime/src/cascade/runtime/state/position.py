"""Where in an evaluation the code that runs now stands: what ``cs.current`` and ``cs.evaluate`` ask."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from cascade.interfaces.executor import Current
from cascade.runtime.signals.source import Signal
from cascade.spec.lazy_types import LazyResult

if TYPE_CHECKING:
    from cascade.runtime.state.agent import Agent, Frame

__all__ = [
    "Elsewhere",
    "Position",
    "attempting",
    "call_id_of",
    "context_elsewhere",
    "frame_of",
    "place_of",
    "position",
]


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


@dataclass(slots=True)
class Elsewhere:
    """The position of a function in another process, where no more is known than what ``current`` says."""

    current: Current
    is_cancelled: Callable[[], bool]
    at: Any = True


def context_elsewhere(here: Current, is_cancelled: Callable[[], bool]) -> Context:
    """Return a copy of this context, in another process than the engine's, in which ``cs.current`` works."""
    context = copy_context()
    context.run(position.set, cast("Position", Elsewhere(here, is_cancelled)))
    return context


def place_of(here: Position) -> str:
    """Return where the call that is under way stands within its agent: the same in every run of it."""
    at = here.at
    place: str = here.frame.here if isinstance(at, LazyResult) else at.place
    return place


def frame_of(here: Position) -> Frame:
    """Return where the call that is under way is evaluated."""
    at = here.at
    frame: Frame = here.frame if isinstance(at, LazyResult) else at.frame
    return frame


def call_id_of(here: Position) -> str:
    """Return what names the call that is under way: its agent, and its place within that."""
    return f"{frame_of(here).agent.name}@{place_of(here)}"


class attempting:  # noqa: N801 - used as `contextlib.suppress` is
    """Give the signals that are taken in an attempt back to the mailbox if it fails.

    A class, since `contextlib.contextmanager` writes on the exceptions that pass, and some are frozen.
    """

    __slots__ = ("_agent", "_here", "_outer", "_taken")

    def __init__(self, here: Position, agent: Agent) -> None:
        """Take where the attempt stands, and whose it is."""
        self._here = here
        self._agent = agent
        self._outer = here.taken
        self._taken: list[Signal] = []

    def __enter__(self) -> None:
        """Begin."""
        self._here.taken = self._taken

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        """Give back what was taken, or leave it to the attempt that this one is a part of."""
        self._here.taken = self._outer
        if failed is not None and self._taken:
            self._agent.mailbox.requeue(self._taken)
        elif failed is None and self._outer is not None:
            self._outer += self._taken
