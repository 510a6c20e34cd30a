"""Progress for logs and pipes: a plain line about each second, or nothing."""

from __future__ import annotations

from typing import Self

import typer

from cascade.observatory.experiment import Experiment
from cascade.observatory.summary import describe, latest_order, parameters

__all__ = ["PlainView", "QuietView"]


class QuietView:
    """Shows nothing."""

    every = 0.1
    """Seconds between reports."""

    def __enter__(self) -> Self:
        """Do nothing."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Do nothing."""

    def __call__(self, experiment: Experiment) -> None:
        """Do nothing."""


class PlainView(QuietView):
    """Writes lines without any escape codes to standard output."""

    def __init__(self) -> None:
        self._next_line = 0.0

    def __call__(self, experiment: Experiment) -> None:
        """Write a line if a second has passed since the last one."""
        if not self._next_line:
            typer.echo(describe(experiment))
            typer.echo(parameters(experiment))
            self._next_line = 1.0
        if experiment.elapsed < self._next_line:
            return
        self._next_line = int(experiment.elapsed) + 1.0
        order = latest_order(experiment)
        shown = " ... " if order is None else f"{order:.3f}"
        typer.echo(
            f"{experiment.elapsed:6.1f} s   r = {shown}   "
            f"{experiment.flashes_per_second:6.0f} flashes/s"
        )
