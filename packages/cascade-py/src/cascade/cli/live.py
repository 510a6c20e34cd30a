"""What ``cascade run`` shows while a run goes on: its log, and on a terminal a line below that counts tasks."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import typer
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from cascade.cli.progress import Progress
from cascade.cli.run_log import LogForm, run_log
from cascade.runtime.engine import Engine
from cascade.runtime.evaluation.evaluator import as_call
from cascade.runtime.evaluation.plan import count_calls
from cascade.runtime.events import Event, TaskFinished, TaskStarted, TaskThrottled

__all__ = ["shown_live"]


def shown_live(
    engine: Engine, target: Any, params: Mapping[str, Any], form: LogForm | None
) -> AbstractContextManager[object]:
    """Tell what happens in an engine on standard error, for as long as the context is open.

    Args:
        engine: whose events.
        target: what is run, to know how many tasks there are.
        params: its parameters.
        form: how; if left out, as text on a terminal, and not at all elsewhere.
    """
    console = Console(stderr=True)
    is_terminal = console.is_terminal
    chosen = form or (LogForm.text if is_terminal else LogForm.quiet)
    if chosen is LogForm.quiet:
        return nullcontext()
    if chosen is LogForm.json or not is_terminal:
        engine.events.listen(run_log(chosen, _say))
        return nullcontext()

    def say_above(line: str) -> None:
        console.print(Text(line), soft_wrap=True)

    engine.events.listen(run_log(chosen, say_above))
    return _progress_on(console, engine, Progress(count_calls(as_call(target, params))))


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _progress_on(console: Console, engine: Engine, progress: Progress) -> Live:
    """Show in one line how many tasks are done, run and wait."""
    spinner = Spinner("dots", _line(progress))

    def take(event: Event) -> None:
        if isinstance(event, TaskStarted):
            progress.start(event.task)
        elif isinstance(event, TaskFinished):
            progress.end(event.task)
        elif isinstance(event, TaskThrottled):
            progress.throttle(event.task, event.reason)
        spinner.update(text=_line(progress))

    engine.events.listen(take)
    # What tasks print goes above the line if both go to the terminal, and stays where it belongs if not.
    together = sys.stdout.isatty()
    return Live(spinner, console=console, transient=True, redirect_stdout=together)


def _line(progress: Progress) -> Text:
    """Return what the line says; as plain text, since names of tasks are no markup."""
    waiting = f"; waiting: {progress.waiting} ({progress.reason})" if progress.waiting else ""
    return Text(
        f"{progress.finished} of {progress.total} tasks done; "
        f"running: {str(progress) or 'none'}{waiting}"
    )
