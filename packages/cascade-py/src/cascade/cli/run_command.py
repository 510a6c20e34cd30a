"""``cascade run``: run a target from the command line, and show how it goes."""

from __future__ import annotations

import json
from collections.abc import Coroutine
from contextlib import AbstractContextManager, nullcontext
from traceback import format_exception
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.status import Status

from cascade.cli.connecting import OptionalUrl, connector_from, run_to_end
from cascade.cli.progress import Progress
from cascade.cli.targets import Target, load_target, parameters_from
from cascade.interfaces.errors.frames import hide_own_frames
from cascade.runtime.engine import Engine
from cascade.runtime.events import Event, TaskFinished, TaskStarted

__all__ = ["run_target"]

T = TypeVar("T")


def run_target(  # noqa: PLR0917 - Typer gives them all by name
    target: Target,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", help="key=value; the value as JSON or text."),
    ] = None,
    connector: OptionalUrl = None,
    name: Annotated[
        str | None, typer.Option(help="The run's id, for constraints and telemetry.")
    ] = None,
    telemetry: Annotated[
        bool, typer.Option("--telemetry", help="Report over the connector what happens.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The value as JSON.")] = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show the traceback of a failure as well.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Run a task, a call or a list of these, and print its value.

    Ends with status 0, or with 1 where the run fails; the error is one sentence on standard error.
    """
    loaded, params = load_target(target), parameters_from(param or ())
    if telemetry and connector is None:
        raise typer.BadParameter("--telemetry needs a --connector to report over")
    engine = Engine(
        connector=None if connector is None else connector_from(connector), telemetry=telemetry
    )
    console = Console(stderr=True)
    try:
        with _progress(engine, console, target, quiet=quiet):
            work = engine.run(loaded, params, name=name)
            value = run_to_end(_with_traceback(work) if traceback else work)
    except typer.Exit:
        raise
    except Exception as error:  # noqa: BLE001 - the edge: the user's own tasks raise what they like
        notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ())[:1])
        typer.echo(f"cascade: {type(error).__name__}: {error}{notes}", err=True)
        raise typer.Exit(1) from None
    typer.echo(json.dumps(value, ensure_ascii=False, default=repr) if as_json else repr(value))


async def _with_traceback(work: Coroutine[Any, Any, T]) -> T:
    """Show the traceback of what goes wrong, before it becomes one sentence."""
    try:
        return await work
    except Exception as error:
        hide_own_frames(error)
        typer.echo("".join(format_exception(error)), err=True, nl=False)
        raise


def _progress(
    engine: Engine, console: Console, target: str, *, quiet: bool
) -> AbstractContextManager[object]:
    """Show in one line which tasks run, where there is a terminal."""
    if quiet or not console.is_terminal:
        return nullcontext()
    status = Status(f"{target} begins", console=console)
    progress = Progress()

    def show(event: Event) -> None:
        if isinstance(event, TaskStarted):
            progress.start(event.task)
        elif isinstance(event, TaskFinished):
            progress.end(event.task)
        running = str(progress) or "none"
        status.update(f"{progress.finished} tasks done; running: {running}")

    engine.events.listen(show)
    return status
