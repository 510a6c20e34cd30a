"""The executor seam: where functions run that do not run on the event loop.

An executor is given an `Invocation`: the function with its arguments, and what is known about the call,
so that it can place it, name it and tell the function where it stands. It gives back a future.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from cascade.interfaces.properties import Properties

__all__ = ["ANYWHERE", "Current", "Executor", "Invocation", "Mode", "Placement"]

Mode: TypeAlias = Literal["async", "thread", "inline", "process", "remote"]
"""Where a task's function runs: on the loop, in a worker thread, inside the step, in a process, or
where the executor likes."""


@dataclass(frozen=True, slots=True)
class Current:
    """Where the function that asks is called from."""

    run_id: str

    agent: str
    """The name of the agent: the run's id, or that and a place in its target."""

    task: str
    """The id of the task: where it stands, as ``module:name``."""

    step: int
    """The number of the agent's step, from 1."""

    attempt: int
    """The number of the attempt, from 1, where a policy or a combinator makes several."""

    call_id: str
    """Names this call: the same for each of its attempts, another for every other call of the agent."""

    cancelled: bool
    """Whether nobody waits for the value any more."""


@dataclass(frozen=True, slots=True)
class Placement:
    """What a task asks of an executor that has a choice of machines."""

    where: tuple[str, ...] = ()
    """Names of workers, of their hosts, or of something that they have, of which one will do."""

    priority: int = 0
    """Calls with a higher one begin before others that wait."""

    batch: int = 1
    """How many calls that come together go to a worker as one."""

    keep: bool = False
    """Whether the value stays there, and a reference to it is handed on."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.batch < 1:
            raise ValueError(f"a batch has one call or more, not {self.batch}")


ANYWHERE = Placement()


@dataclass(slots=True, eq=False)
class Invocation:
    """One call of a function, as an executor is given it.

    A call in a thread of this process says no more than what to call: its function knows the rest from
    its context.
    """

    mode: Mode
    """``thread``: in a thread of this process; ``process``: in another process; ``remote``: where the
    executor likes, on another machine too."""

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    on_start: Callable[[], None] | None = None
    """Called on the event loop when the function begins, which may be long after it was submitted, where
    it waits in line; time-outs count from there. None where nobody wants to know."""

    name: str = ""
    """What people call the task."""

    current: Current | None = None
    """What `cascade.current` gives inside the function: run, agent, task, step, attempt."""

    demands: Mapping[str, float] = field(default_factory=dict)
    """What the task demands and the engine has no capacity of: the executor is to find it."""

    placement: Placement = ANYWHERE
    """Where it is to run, before what else, and with how many others."""

    attempts: int = 1
    """How often the engine calls the function at most, where it fails."""

    timeout: float | None = None
    """Seconds from the start of the function after which the engine cancels the future."""

    trace: Properties = ()
    """The trace that the call belongs to: W3C trace context, as names and values."""

    runs_on: str | None = None
    """Where the function runs, or has run, as far as its executor says so: a process, a worker."""

    def begins(self, place: str) -> None:
        """Say that the function begins, and where; on the event loop that submitted it."""
        self.runs_on = place
        if self.on_start is not None:
            self.on_start()


class Executor(Protocol):
    """Runs a plain function somewhere else than on the event loop.

    One that looks for what a task demands, such as a worker with a GPU, has an attribute
    ``takes_demands_of``: the modes whose demands it is to be given. From any other one nothing can be
    demanded but the capacities of the engine.
    """

    def submit(self, invocation: Invocation) -> Future[Any]:
        """Begin to call a function, and return a future of its value, or of what it raises.

        In a thread the function cannot be stopped: the future is done when it has ended. Of
        anything else ``cancel()`` of the future ends the function where that is possible, and the
        future is cancelled when it has ended or is given up. What has not begun is no longer begun
        after a cancellation.

        Args:
            invocation: what to call, and what is known about it. The executor says by its `begins`
                that the function begins.
        """

    async def aclose(self) -> None:
        """Let the workers go, without waiting for what threads still do."""
