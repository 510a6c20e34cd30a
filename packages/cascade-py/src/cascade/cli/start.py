"""Starts the command line, or says what it lacks."""

from __future__ import annotations

from collections.abc import Sequence

from cascade.common.messaging import bus

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Args:
        arguments: what stands after ``cascade``; by default what the process was given.

    Returns:
        0 for success, 2 for wrong usage, 130 after an interrupt, or what the command says.
    """
    try:
        from cascade.cli.app import run  # noqa: PLC0415 - typer may be missing, which is said here
    except ModuleNotFoundError as error:
        if str(error.name).startswith("cascade."):
            raise
        bus.error("cli.library_missing", library=error.name, extra="cascade-py[cli]")
        return 1
    return run(arguments)
