"""Lines on standard output, for as long as anybody reads them."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import typer

__all__ = ["BROKEN_PIPE", "say"]

BROKEN_PIPE = 141
"""The exit status where nobody reads any more: 128 and the number of SIGPIPE, as shells count."""


def say(line: str) -> None:
    """Write a line.

    Raises:
        Exit: whoever read it has gone, as in ``cascade watch | head``; the command ends without a word.
    """
    try:
        typer.echo(line)
    except BrokenPipeError:
        _stop_writing()


def _stop_writing() -> NoReturn:
    # What is still in the buffer goes nowhere, so that nothing is said of it when the program ends.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    raise typer.Exit(BROKEN_PIPE)
