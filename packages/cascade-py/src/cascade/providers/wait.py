"""``cs.wait``: sleep on the run's clock."""

from __future__ import annotations

import asyncio

from cascade.interfaces.protocols import LazyFactory
from cascade.spec.task import task

__all__ = ["WaitProvider", "wait"]


class WaitProvider:
    """Provides ``cs.wait``."""

    def factory(self) -> LazyFactory:
        """Return `wait`."""
        return wait


@task
async def wait(seconds: float) -> None:
    """Sleep for so many seconds on the run's clock; be worth None.

    Raises:
        ValueError: the number is negative.
    """
    if seconds < 0:
        raise ValueError(f"wait takes a number of seconds >= 0, not {seconds}")
    await asyncio.sleep(seconds)
