"""Executors on the command line: one by its URL, or the pools of this machine by their size."""

from __future__ import annotations

from typing import Annotated

import typer

from cascade.executors.pool import PoolExecutor
from cascade.interfaces.executor import Executor
from cascade.runtime.state.execution import executor_in

__all__ = ["OptionalExecutor", "executor_from"]

OptionalExecutor = Annotated[
    str | None,
    typer.Option(
        "--executor",
        envvar="CASCADE_EXECUTOR",
        help="Where remote tasks run: a URL, as dask://scheduler:8786; else in processes.",
    ),
]


def executor_from(url: str | None, jobs: int | None) -> Executor | None:
    """Return the executor that the options describe; None where they say nothing.

    Raises:
        BadParameter: they contradict each other, or the URL is not valid or of a scheme that nobody knows.
    """
    if url is None:
        return None if jobs is None else PoolExecutor(max_threads=jobs, max_processes=jobs)
    if jobs is not None:
        raise typer.BadParameter("--jobs is the size of the default executor, and not of another")
    try:
        return executor_in(url)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
