"""``cs.wait``: sleep on the run's clock."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from cascade.interfaces.protocols import Clock
from cascade.spec.resource import inject
from cascade.spec.task import Task

__all__ = ["wait"]


P = ParamSpec("P")
R = TypeVar("R")


def _builtin(function: Callable[P, Coroutine[Any, Any, R]]) -> Task[P, R]:
    return Task(function, mode="inline", role="builtin")


@_builtin
def wait(seconds: float, clock: Clock = inject("clock")) -> Coroutine[Any, Any, None]:
    """Sleep for so many seconds on the run's clock; the value is None.

    Raises:
        ValueError: the number is negative.

    Examples:
        >>> import cascade as cs
        >>> cs.simulate(cs.wait(8 * 3600)).duration
        28800.0
    """
    if seconds < 0:
        raise ValueError(f"wait takes a number of seconds >= 0, not {seconds}")
    return clock.sleep(seconds)
