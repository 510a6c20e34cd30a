"""The program ``cascade``: a Typer app made of whatever commands are installed."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer
from typer.exceptions import TyperException

from cascade.cli.commands import load_commands

__all__ = ["make_app", "run"]


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cascade {version('cascade-py')}")
        raise typer.Exit


def _cascade(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Run workflows that can listen."""


def make_app() -> typer.Typer:
    """Return the program with all its commands."""
    app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
    app.callback()(_cascade)
    for command in load_commands():
        if isinstance(command.function, typer.Typer):
            app.add_typer(command.function, name=command.name)
            continue
        app.command(command.name, **command.settings)(command.function)
    return app


def run(arguments: Sequence[str] | None) -> int:
    """Run the program; a usage error is one sentence and status 2."""
    given = None if arguments is None else list(arguments)
    try:
        status = make_app()(args=given, prog_name="cascade", standalone_mode=False)
    except TyperException as error:
        typer.echo(f"cascade: {error.format_message()}", err=True)
        return error.exit_code
    return status if isinstance(status, int) else 0
