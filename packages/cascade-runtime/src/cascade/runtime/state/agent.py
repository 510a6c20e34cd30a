"""Who evaluates: an agent, with what is its own; and frames, the evaluations nested in it.

Everything in `cascade.runtime.evaluation` is given the `Frame` it works in. An `Agent` is the
outermost one. Another begins where an evaluation has to come back before its caller can go on:
inside ``cs.evaluate``, inside a combinator, and under a cached call.
"""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Protocol

from cascade.interfaces.protocols import Connector
from cascade.interfaces.topics import Filters
from cascade.runtime.concurrency.fairness import TimeSlice
from cascade.runtime.signals.mailbox import Mailbox
from cascade.runtime.signals.source import Signal
from cascade.runtime.state.position import position
from cascade.runtime.state.run import Run
from cascade.spec.task import Task

__all__ = ["Agent", "Frame", "NestedFrame"]


class RunsCalls(Protocol):
    """What runs several calls side by side."""

    def running(self) -> Iterator[tuple[Any, Task[..., Any], asyncio.Future[Any] | None]]:
        """Yield what runs; see `Frame.running`."""


class Frame(ABC):
    """One evaluation, from a call to its value: a trampoline of its own.

    Attributes:
        run: what the frame shares with all others of its run.
        steps: how many steps it has begun: one more than its tail calls.
        hops: how many calls were returned to calls that wait for them, in this step.
        waiting: the calls that wait for the one being evaluated, the outermost first.
        at: the call whose function was called last, or its node.
        graph: what evaluates a graph of it just now, if one does.
        awaited_by: the position of the function that awaits it with ``cs.evaluate``, if one does.
        place: where the frame begins, within its agent's step; empty for an agent.
        attempt: the number of this attempt, from 1, where a combinator makes several.
        evaluations: how many calls were given to ``cs.evaluate``, for their places.
        taken: the signals that were taken in this attempt, which gives them back if it fails; None
            where there is none to fail.
    """

    __slots__ = (
        "at",
        "attempt",
        "awaited_by",
        "evaluations",
        "graph",
        "hops",
        "place",
        "run",
        "steps",
        "taken",
        "waiting",
    )

    checkpoint: Callable[[Any], Coroutine[Any, Any, None]] | None = None
    """Where a step that ends is committed: it is given the call of the next one."""

    def __init__(self, run: Run, place: str = "", attempt: int = 1) -> None:
        """Begin before the first step."""
        self.run = run
        self.place = place
        self.attempt = attempt
        self.evaluations = 0
        self.taken: list[Signal] | None = None
        self.steps = 0
        self.hops = 0
        self.waiting: list[Any] = []
        self.at: Any = None
        self.graph: RunsCalls | None = None
        self.awaited_by: Any = None

    def running(self) -> Iterator[tuple[Any, Task[..., Any], asyncio.Future[Any] | None]]:
        """Yield what runs in it: its `Position`, the task, and what is done with it, if there is that."""
        if self.graph is not None:
            yield from self.graph.running()
        elif self.at is not None:
            yield self, self.at.task, None

    @property
    def frame(self) -> Frame:
        """Itself: it is a `cascade.runtime.state.position.Position`."""
        return self

    @property
    @abstractmethod
    def agent(self) -> Agent:
        """Whose mailbox and random numbers the calls evaluated here use."""

    @property
    def here(self) -> str:
        """The place of the call that is being evaluated, within its agent."""
        return f"{self.place}{self.steps}:{self.hops}.{len(self.waiting)}"

    def builtin_resource(self, name: str) -> Any:
        """Return what is always there, by a name in `cascade.spec.resource.BUILTIN_RESOURCES`.

        Raises:
            KeyError: there is none of that name.
            NoConnectorError: the engine has no connector.
        """
        if name == "_frame":
            return self
        if name == "clock":
            return self.run.clock
        if name == "rng":
            return self.agent.random
        return self.run.builtin_resource(name)


class NestedFrame(Frame):
    """An evaluation inside another one, by the same agent."""

    __slots__ = ("_agent",)

    def __init__(self, outer: Frame, place: str, attempt: int | None = None) -> None:
        """Begin inside another frame, at a place within the agent."""
        super().__init__(outer.run, place, attempt or outer.attempt)
        self._agent = outer.agent
        self.taken = outer.taken

    @property
    def agent(self) -> Agent:
        """Who evaluates in the outer frame, too."""
        return self._agent


class Agent(Frame):
    """Whoever has a mailbox: a run, or one of several that its target or a mapping began.

    Attributes:
        name: the run's id; for one of several that, and the place in the target.
        time_slice: how long it may go on before others have a turn.
    """

    __slots__ = ("_mailbox", "_random", "name", "time_slice")

    def __init__(self, run: Run, name: str, time_slice: TimeSlice | None = None) -> None:
        """Begin without a mailbox."""
        super().__init__(run)
        self.name = name
        self.time_slice = time_slice or TimeSlice(run.services.turns, run.simulated)
        self._mailbox: Mailbox | None = None
        self._random: random.Random | None = None

    @property
    def agent(self) -> Agent:
        """The agent itself."""
        return self

    @property
    def random(self) -> random.Random:
        """Its own random numbers: a stream for each seed of the engine and name of an agent."""
        if self._random is None:
            self._random = self.run.random_for(self.name)
        return self._random

    # --- signals ------------------------------------------------------------------------------

    @property
    def mailbox(self) -> Mailbox:
        """Its mailbox, which listens to nothing at first.

        Raises:
            NoConnectorError: the engine has no connector.
        """
        return self._mailbox or self.mailbox_on(self.run.builtin_resource("_internal_connector"))

    def mailbox_on(self, connector: Connector) -> Mailbox:
        """Return its mailbox, which hears by that connector if it has none yet."""
        if self._mailbox is None:
            run, services = self.run, self.run.services
            self._mailbox = Mailbox(
                connector, run.loop, services.max_queued, services.overflow, self.is_here
            )
        return self._mailbox

    def is_here(self) -> bool:
        """Return whether the code that runs now is its own."""
        here = position.get(None)
        return here is not None and here.frame.agent is self

    @property
    def has_mailbox(self) -> bool:
        """Whether there is one already, which has to be closed."""
        return self._mailbox is not None

    async def listen(self, filters: Filters) -> None:
        """Keep what arrives on these filters from now until the agent ends."""
        if not self.mailbox.listens_to(filters):
            await self.mailbox.listen(filters)

    async def close(self) -> None:
        """End all subscriptions, and count what was not taken."""
        mailbox, self._mailbox = self._mailbox, None
        if mailbox is not None:
            self.run.unread += await mailbox.close()
