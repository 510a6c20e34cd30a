"""``cascade trace``: compare what happened in two simulations."""

from __future__ import annotations

from itertools import count, zip_longest
from pathlib import Path
from typing import Annotated

import typer

from cascade.cli.failures import fail
from cascade.cli.output import say
from cascade.common.messaging.printable import printable

__all__ = ["trace"]

trace = typer.Typer(
    no_args_is_help=True,
    help="Traces of simulations, as cs.simulate(…, trace=FILE) writes them.",
)

_File = Annotated[Path, typer.Argument(help="A trace.")]


@trace.callback()
def _trace() -> None:
    """Have a name for each command, though there is only one."""


@trace.command()
def diff(one: _File, other: _File) -> None:
    """Show the first line in which two traces differ, and end with status 1; say nothing if none does."""
    try:
        with one.open(encoding="utf-8") as first, other.open(encoding="utf-8") as second:
            found = next(
                (
                    (number, *lines)
                    for number, lines in zip(count(1), zip_longest(first, second), strict=False)
                    if lines[0] != lines[1]
                ),
                None,
            )
    except (OSError, UnicodeDecodeError) as error:
        fail(error, traceback=False)
    if found is None:
        return
    number, *lines = found
    for path, line in zip((one, other), lines, strict=True):
        said = "(nothing more)" if line is None else line.rstrip("\n")
        say(printable(f"{path}:{number}: {said}"))
    raise typer.Exit(1)
