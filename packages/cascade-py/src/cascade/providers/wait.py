"""``cs.wait``: sleep on the run's clock."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from cascade.interfaces.protocols import Clock
from cascade.spec.resource import inject
from cascade.spec.task import task

__all__ = ["wait"]


@task(mode="inline")
def wait(seconds: float, clock: Clock = inject("clock")) -> Coroutine[Any, Any, None]:
    """Sleep for so many seconds on the run's clock; the value is None.

    Raises:
        ValueError: the number is negative.
    """
    if seconds < 0:
        raise ValueError(f"wait takes a number of seconds >= 0, not {seconds}")
    return clock.sleep(seconds)
