"""``cascade watch``: what the engines on a bus report, as a live table or line by line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cascade.cli.connecting import Url, connected, run_to_end
from cascade.cli.output import say
from cascade.cli.progress import Progress
from cascade.cli.reports import EngineReport, EventReport, Happened, read_report
from cascade.common.messaging.printable import printable
from cascade.runtime.observation.telemetry import TELEMETRY_TOPIC

__all__ = ["watch"]

_REDRAW = 0.25  # seconds
_ENDED = {"succeeded", "failed", "cancelled", "finished", "blocked", "stuck", "left", "lost"}
_FINISHED_SHOWN = 10  # runs
_MOST = 1000  # engines, and runs, that are remembered: the latest


@dataclass
class _Run:
    """What is known of one run."""

    engine: str
    name: str
    state: str = "running"
    progress: Progress = field(default_factory=Progress)

    @property
    def has_ended(self) -> bool:
        return self.state in _ENDED

    def take(self, event: str, happened: Happened) -> None:
        if event == "task-started":
            self.progress.start(happened.task)
        elif event == "task-finished":
            self.progress.end(happened.task)
        elif event == "task-throttled":
            self.progress.throttle(happened.task, happened.reason)
            self.state = f"throttled: {happened.reason}"
            return
        elif event in {"run-finished", "agent-changed"}:
            self.state = happened.outcome or happened.change
            return
        # Tasks of a durable agent may end after it was cancelled.
        if event == "run-started" or not self.has_ended:
            self.state = "running"


class _Picture:
    """All engines and runs that have reported."""

    def __init__(self, tell: Callable[[str], object]) -> None:
        """Begin with none; ``tell`` is given a line for each thing that happens."""
        self.engines: dict[str, EngineReport] = {}
        self.runs: dict[tuple[str, str], _Run] = {}
        self._tell = tell

    async def take(self, topic: str, payload: Any) -> None:
        """Take in a message."""
        report = read_report(payload)
        lines: list[str] = []
        if isinstance(report, EngineReport):
            lines = self._take_status(report)
        elif report is not None:
            lines = self._take_events(report)
        elif payload:  # what clears a status is no news
            lines = [f"{printable(topic)} is no report of an engine"]
        for line in lines:
            self._tell(line)

    def _take_status(self, report: EngineReport) -> list[str]:
        before = self.engines.pop(report.engine, None)
        self.engines[report.engine] = report
        _forget_oldest(self.engines)
        for run, state in report.runs.items():  # some began before anybody looked
            self._run(report.engine, run, state)
        state = report.shown_state
        is_news = before is None or before.state != report.state
        return [f"{printable(report.engine)}: {state}"] if is_news else []

    def _take_events(self, report: EventReport) -> list[str]:
        run = self._run(report.engine, report.run, "running")
        for each in report.events:
            run.take(report.event, each)
        return report.lines()

    def _run(self, engine: str, name: str, state: str) -> _Run:
        run = self.runs.setdefault((engine, name), _Run(engine, name, state))
        _forget_oldest(self.runs)
        return run

    def table(self) -> Table:
        """Return engines, and runs as they go, those that run first."""
        table = Table("engine", "run", "state", "tasks done", "running")
        for report in self.engines.values():
            _add(table, report.engine, f"{report.run_count} under way", report.shown_state, "", "")
        ended = [run for run in self.runs.values() if run.has_ended]
        alive = [run for run in self.runs.values() if not run.has_ended]
        for run in [*alive, *ended[-_FINISHED_SHOWN:]]:
            finished = str(run.progress.finished)
            _add(table, run.engine, run.name, run.state, finished, str(run.progress))
        return table


def _add(table: Table, *cells: str) -> None:
    """Add a row of plain text: what others sent is no markup."""
    table.add_row(*(Text(printable(cell)) for cell in cells))


def _forget_oldest(known: dict[Any, Any]) -> None:
    if len(known) > _MOST:
        del known[next(iter(known))]


def watch(
    connector: Url,
    seconds: Annotated[float | None, typer.Option(min=0, help="End after so many seconds.")] = None,
) -> None:
    """Watch engines that report (Engine(telemetry=True), cascade run --telemetry)."""
    run_to_end(_watch(connector, seconds, Console()))


async def _watch(url: str, seconds: float | None, console: Console) -> None:
    lines: asyncio.Queue[str] = asyncio.Queue()
    picture = _Picture(_ignore if console.is_terminal else lines.put_nowait)
    async with connected(url) as bus:
        await bus.subscribe(f"{TELEMETRY_TOPIC}/#", picture.take)
        show = _draw(picture, console) if console.is_terminal else _say_all(lines)
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                await show
        except TimeoutError:
            if not limit.expired():
                raise


def _ignore(_line: str) -> None:
    """Say nothing: it is in the table."""


async def _say_all(lines: asyncio.Queue[str]) -> NoReturn:
    """Say line by line what is reported."""
    while True:
        say(await lines.get())


async def _draw(picture: _Picture, console: Console) -> NoReturn:
    """Keep a table on the terminal."""
    with Live(console=console, auto_refresh=False) as live:
        while True:
            live.update(picture.table(), refresh=True)
            await asyncio.sleep(_REDRAW)
