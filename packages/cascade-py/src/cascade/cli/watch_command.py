"""``cascade watch``: what the engines on a bus report, as a live table or line by line."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from cascade.cli.connecting import Url, connected, run_to_end
from cascade.cli.progress import Progress
from cascade.runtime.observation.telemetry import TELEMETRY_TOPIC

__all__ = ["watch"]

_REDRAW = 0.25  # seconds
_FINISHED_SHOWN = 10  # runs


@dataclass
class _Run:
    """What is known of one run."""

    engine: str
    name: str
    state: str = "running"
    progress: Progress = field(default_factory=Progress)

    def take(self, event: str, said: dict[str, Any]) -> None:
        if event == "task-started":
            self.progress.start(said["task"])
        elif event == "task-finished":
            self.progress.end(said["task"])
        elif event == "task-throttled":
            self.state = f"throttled: {said['reason']}"
            return
        elif event == "run-finished":
            self.state = said["outcome"]
            return
        self.state = "running"


class _Picture:
    """All engines and runs that have reported."""

    def __init__(self) -> None:
        self.engines: dict[str, dict[str, Any]] = {}
        self.runs: dict[tuple[str, str], _Run] = {}

    def take(self, payload: Any) -> list[str]:
        """Take in a message; return what to say of it, a line each."""
        if not isinstance(payload, dict) or "engine" not in payload:
            return []
        engine = payload["engine"]
        if "state" in payload:
            before = self.engines.get(engine, {}).get("state")
            self.engines[engine] = payload
            under_way = payload.get("runs", {})  # some began before anybody looked
            for run, state in under_way.items():
                self.runs.setdefault((engine, run), _Run(engine, run, state))
            return [f"{engine}: {payload['state']}"] if before != payload["state"] else []
        run = self.runs.setdefault((engine, payload["run"]), _Run(engine, payload["run"]))
        for said in payload["events"]:
            run.take(payload["event"], said)
        return [_line(payload, said) for said in payload["events"]]

    def table(self) -> Table:
        """Return the runs as a table, those that run first."""
        table = Table("engine", "run", "state", "tasks done", "running")
        for engine, said in self.engines.items():
            table.add_row(engine, "", said["state"], str(said["events"]), "")
        ended = [
            run for run in self.runs.values() if run.state in ("succeeded", "failed", "cancelled")
        ]
        alive = [run for run in self.runs.values() if run not in ended]
        for run in [*alive, *ended[-_FINISHED_SHOWN:]]:
            finished, running = str(run.progress.finished), str(run.progress)
            table.add_row(run.engine, run.name, run.state, finished, running)
        return table


def _line(payload: dict[str, Any], said: dict[str, Any]) -> str:
    parts = [payload["engine"], payload["run"], payload["event"]]
    parts += [str(said[name]) for name in ("task", "outcome", "reason", "error") if said.get(name)]
    return " ".join(parts)


def watch(
    connector: Url,
    seconds: Annotated[float | None, typer.Option(min=0, help="End after so many seconds.")] = None,
) -> None:
    """Watch engines that report (Engine(telemetry=True), cascade run --telemetry)."""
    run_to_end(_watch(connector, seconds, Console()))


async def _watch(url: str, seconds: float | None, console: Console) -> None:
    picture = _Picture()
    live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    async def take(_topic: str, payload: Any) -> None:
        for line in picture.take(payload):
            if live is None:
                typer.echo(line)

    loop = asyncio.get_running_loop()
    end = None if seconds is None else loop.time() + seconds
    async with connected(url) as bus:
        await bus.subscribe(f"{TELEMETRY_TOPIC}/#", take)
        if live is not None:
            live.start()
        try:
            while end is None or loop.time() < end:
                await asyncio.sleep(_REDRAW if end is None else min(_REDRAW, end - loop.time()))
                if live is not None:
                    live.update(picture.table(), refresh=True)
        finally:
            if live is not None:
                live.stop()
