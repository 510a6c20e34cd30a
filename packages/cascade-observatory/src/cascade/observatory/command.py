"""``cascade fireflies``: an experiment on the command line."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cascade.cli.connecting import INTERRUPTED, connector_from, in_one_sentence
from cascade.interfaces.protocols import Connector
from cascade.observatory.experiment import Experiment, Settings
from cascade.observatory.response import MirolloStrogatz
from cascade.observatory.show import LiveView, PlainView, QuietView, verdict
from cascade.observatory.show.feed import recording_of
from cascade.observatory.show.page import write_replay
from cascade.observatory.show.web_view import WebView
from cascade.observatory.topology import Topology, all_to_all, grid, ring, torus
from cascade.simulation import Pace

__all__ = ["fireflies"]

_NOT_IN_STEP = 1


class Shape(StrEnum):
    """Who sees whom."""

    torus = "torus"
    grid = "grid"
    ring = "ring"
    all = "all"


# --- options --------------------------------------------------------------------------------------

Side = Annotated[int, typer.Option(help="Fireflies along one edge; side × side take part.")]
Sight = Annotated[
    Shape, typer.Option(help="Who sees whom; on a torus and a grid the eight around one.")
]
Period = Annotated[float, typer.Option(help="Seconds from flash to flash when alone.")]
Dissipation = Annotated[
    float, typer.Option("--b", help="Dissipation of the Mirollo-Strogatz model.")
]
Epsilon = Annotated[float, typer.Option(help="What one pulse adds to the state.")]
Refractory = Annotated[
    float, typer.Option(help="Fraction of a period after a flash without response.")
]
Duration = Annotated[float, typer.Option(help="Seconds after which to give up.")]
Seed = Annotated[int, typer.Option(help="Decides the start phases.")]
Speed = Annotated[
    float, typer.Option(min=0, help="Simulated seconds per second; 0 is as fast as possible.")
]
WallClock = Annotated[
    bool, typer.Option("--wall-clock", help="Run on real time, which cannot be exact.")
]
Meeting = Annotated[
    str | None,
    typer.Option(
        "--connector", help="Where the swarm meets, on real time, such as mqtt://localhost:1883."
    ),
]
Part = Annotated[
    str, typer.Option(help="Which part of the swarm lives in this process, such as 2/3.")
]
Web = Annotated[bool, typer.Option("--web", help="Show it in a browser on this machine.")]
Port = Annotated[int, typer.Option(help="Where --web listens; 0 is any free port.")]
Linger = Annotated[
    float, typer.Option(min=0, help="Seconds that the page of --web stays after the end.")
]
Replay = Annotated[
    Path | None, typer.Option(help="Write a page to replay it, which needs nothing else.")
]
Png = Annotated[Path | None, typer.Option(help="Write a picture of the run here.")]
Csv = Annotated[Path | None, typer.Option(help="Write every flash here: seconds, firefly.")]
Full = Annotated[
    bool, typer.Option("--full", help="Go on to the end of the duration, even when in step.")
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Only say how it ended, as fast as possible.")
]


def fireflies(  # noqa: PLR0917 - Typer gives them all by name
    side: Side = 20,
    shape: Sight = Shape.torus,
    period: Period = 1.0,
    b: Dissipation = 3.0,
    epsilon: Epsilon = 0.02,
    refractory: Refractory = 0.1,
    duration: Duration = 90.0,
    seed: Seed = 0,
    pace: Speed = 1.0,
    wall_clock: WallClock = False,
    connector: Meeting = None,
    part: Part = "1/1",
    web: Web = False,
    port: Port = 0,
    linger: Linger = 300.0,
    replay: Replay = None,
    png: Png = None,
    csv: Csv = None,
    full: Full = False,
    quiet: Quiet = False,
) -> None:
    """Watch fireflies fall into step: each sees its neighbours, nobody conducts.

    They live on simulated time, so the same options give the same flashes each time. With
    --connector they live on real time and meet there, also those of several processes, each of
    which has a --part of the swarm.

    Ends with status 0 once they are in step: 99 % of them flash within a tenth of a period, in two
    cycles in a row, and the order parameter r stays at 0.99 or above from the one to the next.
    Ends with status 1 if that has not come about after --duration.
    """
    try:
        settings = Settings(
            topology=_topology(shape, side),
            response=MirolloStrogatz(b, epsilon, refractory),
            period=period,
            duration=duration,
            seed=seed,
            full=full,
        )
        experiment = Experiment(settings)
        mine = _part_of(len(settings.topology), part, alone=connector is None)
        meeting = None if connector is None else connector_from(connector)
        held = Pace(pace) if pace and not quiet else None
        view = _view(experiment, held, quiet=quiet, web=web, port=port, linger=linger)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    files = _files(experiment, replay=replay, png=png, csv=csv)
    if meeting is not None or wall_clock:
        _show(view, experiment, lambda: asyncio.run(_meet(experiment, view, meeting, mine)))
    else:
        _show(view, experiment, lambda: experiment.simulate(view, view.every, held))
    typer.echo(verdict(experiment))
    for path, write in files.items():
        write(path)
        typer.echo(f"Written: {path}")
    if experiment.synchrony.found is None:
        raise typer.Exit(_NOT_IN_STEP)


def _show(
    view: LiveView | QuietView | WebView, experiment: Experiment, live: Callable[[], None]
) -> None:
    try:
        with in_one_sentence(), ExitStack() as stack:
            try:
                stack.enter_context(view)
            except OSError as error:
                raise typer.BadParameter(f"cannot show the page: {error.strerror}") from None
            live()
    except KeyboardInterrupt:
        typer.echo(f"Stopped. {verdict(experiment)}")
        raise typer.Exit(INTERRUPTED) from None


async def _meet(
    experiment: Experiment,
    view: LiveView | QuietView | WebView,
    connector: Connector | None,
    part: range,
) -> None:
    """Let a part of the swarm live on real time; what ends one firefly ends all, so once is enough."""
    try:
        await experiment.run(view, view.every, connector=connector, part=part)
    except ExceptionGroup as dead:
        raise dead.exceptions[0] from None


def _part_of(count: int, part: str, *, alone: bool) -> range:
    """Return the agents of one part, such as "2/3"; the parts together are everybody, once.

    Raises:
        ValueError: it is no part, or there are others and the process is to be alone.
    """
    number, slash, parts = part.partition("/")
    if not (slash and number.isdecimal() and parts.isdecimal() and 1 <= int(number) <= int(parts)):
        raise ValueError(f"--part looks like 2/3, from 1/3 to 3/3, not {part!r}")
    if alone and int(parts) > 1:
        raise ValueError("the parts of a swarm have to meet somewhere: give --connector too")
    bounds = [count * each // int(parts) for each in (int(number) - 1, int(number))]
    return range(*bounds)


def _topology(shape: Shape, side: int) -> Topology:
    match shape:
        case Shape.torus:
            return torus(side)
        case Shape.grid:
            return grid(side)
        case Shape.ring:
            return ring(side * side)
        case Shape.all:
            return all_to_all(side * side)


def _view(
    experiment: Experiment, pace: Pace | None, *, quiet: bool, web: bool, port: int, linger: float
) -> LiveView | QuietView | WebView:
    console = Console(highlight=False)
    if web:
        if pace is None:
            raise ValueError(
                "--web shows how it goes: give it a --pace above 0, and leave --quiet out"
            )
        return WebView(experiment, pace, port, linger)
    if quiet:
        return QuietView()
    if console.is_terminal and not console.is_dumb_terminal:
        return LiveView(console)
    return PlainView()


# --- files ----------------------------------------------------------------------------------------


def _files(
    experiment: Experiment, *, replay: Path | None, png: Path | None, csv: Path | None
) -> dict[Path, Callable[[Path], object]]:
    """Return what to write at the end; find out before a long run whether it can be written."""
    wanted: list[tuple[Path | None, Callable[[Path], object]]] = [
        (replay, lambda path: write_replay(recording_of(experiment), path)),
        (png, lambda path: _draw(experiment, path)),
        (csv, lambda path: experiment.flashes().write_csv(path)),
    ]
    files = {path: write for path, write in wanted if path is not None}
    for path in files:
        _check(path)
    return files


def _check(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(f"cannot write {path}: {error.strerror}") from None
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise typer.BadParameter(f"cannot write {path}: it is a folder, or may not be written")


def _draw(experiment: Experiment, path: Path) -> None:
    # matplotlib takes longer to import than a small swarm to fall into step.
    from cascade.observatory.show.picture import draw  # noqa: PLC0415 - only where a picture is wanted

    draw(experiment, path)
