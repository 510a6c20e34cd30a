"""What a command says of what went wrong: one sentence, and the traceback where it is asked for."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path
from traceback import format_exception
from types import TracebackType
from typing import Annotated, NoReturn

import typer

from cascade.common.messaging.printable import printable
from cascade.common.messaging.secrets import masked
from cascade.interfaces.errors import (
    AgentExistsError,
    AgentFailedError,
    DemandError,
    MissingVariableError,
    NoConnectorError,
    UnknownParameterError,
    UnknownResourceError,
)
from cascade.interfaces.errors.frames import hide_own_frames, is_own

__all__ = ["ShowTraceback", "fail", "sentence", "tell"]

ShowTraceback = Annotated[
    bool, typer.Option("--traceback", help="Show the traceback of a failure as well.")
]

# What the text of an error advises is for programs; this is what can be done in a shell.
_ADVICE: tuple[tuple[type[Exception], str], ...] = (
    (AgentExistsError, "on the command line: --attach has that one go on"),
    (AgentFailedError, "on the command line: cascade agents retry NAME --store FILE"),
    (DemandError, "on the command line: --capacity NAME=UNITS"),
    (MissingVariableError, "in a shell: NAME=VALUE cascade …"),
    (NoConnectorError, "on the command line: --connector URL"),
    (UnknownParameterError, "on the command line: --param NAME=VALUE"),
    (UnknownResourceError, "on the command line: ask for the resource itself, cs.inject(resource)"),
)

_LIBRARIES = tuple(
    f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib", "purelib", "platlib")
)


def fail(error: Exception, *, traceback: bool, doing: str = "") -> NoReturn:
    """Say what went wrong, and end the command with status 1; see `tell`."""
    tell(error, traceback=traceback, doing=doing)
    raise typer.Exit(1) from None


def tell(error: Exception, *, traceback: bool, doing: str = "") -> None:
    """Say what went wrong.

    Args:
        error: what did.
        traceback: show the traceback before.
        doing: what the command was about.
    """
    if traceback:
        hide_own_frames(error)
        trace = masked("".join(format_exception(error)))
        typer.echo(printable(trace, keep="\n\t"), err=True, nl=False)
    typer.echo(f"cascade: {doing}{sentence(error)}", err=True)


def sentence(error: BaseException) -> str:
    """Return type and text of an error, what its notes say, where it was raised, and what to do."""
    text = str(error)
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    place = _place(error)
    around = [*getattr(error, "__notes__", ()), *([place] if place else [])]
    if around:
        said += f" ({', '.join(around)})"
    advice = next((advice for kind, advice in _ADVICE if isinstance(error, kind)), None)
    return printable(masked(said) if advice is None else f"{masked(said)}; {advice}")


def _place(error: BaseException) -> str:
    """Return file and line of the last frame that is neither a library's nor Cascade's, or nothing."""
    place = ""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_shown(error.filename)}:{error.lineno}"
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not (file.startswith(("<", *_LIBRARIES)) or is_own(trace.tb_frame)):
            place = f"{_shown(file)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _shown(file: str) -> str:
    """Return a path, from the current folder if it lies there."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file
