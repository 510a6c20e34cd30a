"""What an engine is given as its executor: one, the URL of one, or nothing."""

from __future__ import annotations

from cascade.executors.pool import PoolExecutor
from cascade.interfaces.executor import Executor
from cascade.runtime.plugins import made_from

__all__ = ["executor_in"]


def executor_in(given: Executor | str | None) -> Executor:
    """Return the executor, or that of a URL; a `PoolExecutor` where there is none.

    Raises:
        UnknownSchemeError: no installed distribution knows the URL's scheme.
        ValueError: the URL is not valid.
    """
    if isinstance(given, str):
        made: Executor = made_from("cascade.executors", given)
        return made
    return PoolExecutor() if given is None else given
