"""``cascade run``: run a target from the command line, and show how it goes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from cascade.cli.caches import OptionalCache
from cascade.cli.connecting import INTERRUPTED, OptionalUrl, connector_from
from cascade.cli.failures import ShowTraceback, fail
from cascade.cli.inputs import parameters_from
from cascade.cli.json_text import json_text
from cascade.cli.output import say
from cascade.cli.progress import Progress
from cascade.cli.stores import OptionalStore
from cascade.cli.targets import Target, capacities_from, load_target
from cascade.runtime.engine import Engine
from cascade.runtime.evaluation.evaluator import as_call
from cascade.runtime.evaluation.graph_export import count_calls
from cascade.runtime.events import Event, TaskFinished, TaskStarted, TaskThrottled
from cascade.termination import run_to_end

__all__ = ["run_target"]

T = TypeVar("T")

_Capacities = Annotated[
    list[str] | None,
    typer.Option("--capacity", "-c", help="name=units of what tasks demand, such as gpu=2."),
]


def run_target(  # noqa: PLR0917 - Typer gives them all by name
    target: Target,
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param",
            "-p",
            help="key=value; of the kind that the task's annotation says.",
        ),
    ] = None,
    capacity: _Capacities = None,
    connector: OptionalUrl = None,
    name: Annotated[
        str | None, typer.Option(help="The run's id, for constraints, telemetry and the store.")
    ] = None,
    store: OptionalStore = None,
    cache: OptionalCache = None,
    attach: Annotated[
        bool, typer.Option("--attach", help="Take up what has the name, however it began.")
    ] = False,
    telemetry: Annotated[
        bool, typer.Option("--telemetry", help="Report over the connector what happens.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The value as JSON; what JSON cannot say fails.")
    ] = False,
    traceback: ShowTraceback = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Run a task, a call or a list of these, and print its value.

    With --store it is the durable agent called --name: it starts, or goes on where it left, or its value
    is there already.

    Ends with status 0, or with 1 where the run fails; the error is one sentence on standard error.
    """
    loaded = load_target(target, traceback=traceback)
    params = parameters_from(param or (), loaded)
    _check_together(connector, store, name, telemetry=telemetry, attach=attach)
    engine = Engine(
        connector=None if connector is None else connector_from(connector),
        store=store,
        cache=cache,
        capacities=capacities_from(capacity or ()),
        telemetry=telemetry,
    )
    try:
        with _progress(engine, loaded, params, quiet=quiet):
            work = engine.run(loaded, params, name=name, durable=store is not None, attach=attach)
            value = _value_of(run_to_end(_outcome(work)))
        shown = json_text(value) if as_json else repr(value)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except Exception as error:  # noqa: BLE001 - the edge: the user's own tasks raise what they like
        fail(error, traceback=traceback)
    say(shown)


def _check_together(
    connector: str | None, store: str | None, name: str | None, *, telemetry: bool, attach: bool
) -> None:
    if telemetry and connector is None:
        raise typer.BadParameter("--telemetry needs a --connector to report over")
    if store is not None and name is None:
        raise typer.BadParameter("--store needs a --name, under which the agent is found again")
    if store is None and attach:
        raise typer.BadParameter("--attach needs the --store that the agent lies in")


async def _outcome(work: Coroutine[Any, Any, T]) -> T | _Failure:
    """Catch what a run raises where it does, so that no frame of an event loop is in its traceback."""
    try:
        return await work
    except Exception as error:  # noqa: BLE001 - raised again, by `_value_of`
        return _Failure(error)


@dataclass(frozen=True, slots=True)
class _Failure:
    """What a run raised."""

    error: Exception


def _value_of(outcome: T | _Failure) -> T:
    if isinstance(outcome, _Failure):
        raise outcome.error
    return outcome


def _progress(
    engine: Engine, target: Any, params: Mapping[str, Any], *, quiet: bool
) -> AbstractContextManager[object]:
    """Show in one line how many tasks are done, run and wait, where there is a terminal."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        return nullcontext()
    progress = Progress(count_calls(as_call(target, params)))
    spinner = Spinner("dots", _line(progress))
    engine.events.listen(_listener(progress, lambda: spinner.update(text=_line(progress))))
    # What tasks print goes above the line if both go to the terminal, and stays where it belongs if not.
    together = sys.stdout.isatty()
    return Live(spinner, console=console, transient=True, redirect_stdout=together)


def _listener(progress: Progress, show: Callable[[], None]) -> Callable[[Event], None]:
    def take(event: Event) -> None:
        if isinstance(event, TaskStarted):
            progress.start(event.task)
        elif isinstance(event, TaskFinished):
            progress.end(event.task)
        elif isinstance(event, TaskThrottled):
            progress.throttle(event.task, event.reason)
        show()

    return take


def _line(progress: Progress) -> Text:
    """Return what the line says; as plain text, since names of tasks are no markup."""
    waiting = f"; waiting: {progress.waiting} ({progress.reason})" if progress.waiting else ""
    return Text(
        f"{progress.finished} of {progress.total} tasks done; "
        f"running: {str(progress) or 'none'}{waiting}"
    )
