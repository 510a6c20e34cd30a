"""What goes wrong in simulated time."""

from __future__ import annotations

from cascade.interfaces.errors.base import CascadeError

__all__ = [
    "DeadlockError",
    "NonDeterminismError",
    "RunawayError",
    "RunsDifferError",
    "SimulationError",
]


class SimulationError(CascadeError, RuntimeError):
    """Something that simulated time cannot do."""


class DeadlockError(SimulationError):
    """Nothing is ready, no timer is left, and the work is not finished.

    Attributes:
        time: when that was, in simulated seconds.
        waiting: who waits for what, a line each.
    """

    def __init__(self, time: float, waiting: list[str]) -> None:
        """Say who waits for what."""
        super().__init__(
            f"deadlock at {time:g} s of simulated time: nothing is ready and no timer is left; "
            f"{'; '.join(waiting) or 'nobody waits for anything'}. "
            "Give cs.recv a timeout, or have somebody send what is waited for"
        )
        self.time = time
        self.waiting = waiting


class RunawayError(SimulationError):
    """Livelock: work goes on within one instant, and simulated time does not advance.

    Attributes:
        time: the instant, in simulated seconds.
        tasks: names of tasks that are ready to go round again.
    """

    def __init__(self, time: float, tasks: list[str]) -> None:
        """Name the instant and who is busy."""
        super().__init__(
            f"at {time:g} s of simulated time the work never comes to rest, and time does not go "
            f"on; busy: {', '.join(tasks) or '(callbacks)'}. Put a cs.wait(seconds) into the cycle"
        )
        self.time = time
        self.tasks = tasks


class NonDeterminismError(SimulationError):
    """A thread, process or socket inside a simulation, where order must be a function of the seed.

    Attributes:
        cause: what was asked for, such as ``"a thread"``.
        task: name of the task that asked, once that is known.
    """

    def __init__(self, cause: str, task: str | None = None) -> None:
        """Name what was asked for, and by whom."""
        super().__init__(cause, task)
        self.cause = cause
        self.task = task

    def __str__(self) -> str:
        """Say who asked for what, and what to do instead."""
        who = "somebody" if self.task is None else f"the task {self.task!r}"
        return (
            f"{who} asked for {self.cause} in simulated time, where every run must go the same way; "
            "let a def task run inline, wait with cs.wait, and speak with cs.send and cs.recv"
        )


class RunsDifferError(NonDeterminismError):
    """Two simulations of the same targets with one seed went different ways.

    Attributes:
        first: the first thing that differs, as the first of them had it.
        second: the same as the second one had it.
    """

    def __init__(self, first: str, second: str) -> None:
        """Say what differs first."""
        super().__init__("something that does not follow from the seed")
        self.args = (first, second)
        self.first = first
        self.second = second

    def __str__(self) -> str:
        """Show both, and say what to look for."""
        return (
            "the same simulation went two different ways; the first thing that differs:\n"
            f"  first:  {self.first}\n"
            f"  second: {self.second}\n"
            "something in it does not follow from the seed: time.time, datetime.now, random, uuid4, "
            'os.urandom, or what is kept outside of the tasks; take cs.inject("clock") and '
            'cs.inject("rng")'
        )
