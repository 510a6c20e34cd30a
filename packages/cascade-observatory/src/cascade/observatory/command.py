"""``cascade fireflies``: an experiment on the command line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeAlias

import typer
from rich.console import Console

from cascade.cli.connecting import INTERRUPTED, connector_from, in_one_sentence
from cascade.interfaces.protocols import Connector
from cascade.observatory import options
from cascade.observatory.experiment import Experiment, Settings
from cascade.observatory.options import ShapeName
from cascade.observatory.response import MirolloStrogatz
from cascade.observatory.summary import verdict
from cascade.observatory.terminal import LiveView, PlainView, QuietView
from cascade.observatory.topology import Topology, all_to_all, grid, ring, torus
from cascade.observatory.web import WebView, recording_of, write_replay
from cascade.simulation import Pace
from cascade.termination import run_to_end

__all__ = ["fireflies"]

_NOT_IN_STEP = 1  # exit status

View: TypeAlias = LiveView | QuietView | WebView


def fireflies(  # noqa: PLR0917 - Typer gives them all by name
    side: options.Side = 20,
    shape: options.Shape = ShapeName.torus,
    period: options.Period = 1.0,
    b: options.Dissipation = 3.0,
    epsilon: options.Epsilon = 0.02,
    refractory: options.Refractory = 0.1,
    duration: options.Duration = 90.0,
    seed: options.Seed = 0,
    pace: options.Speed = 1.0,
    wall_clock: options.WallClock = False,
    connector: options.ConnectorUrl = None,
    part: options.Part = "1/1",
    web: options.Web = False,
    port: options.Port = 0,
    linger: options.Linger = 300.0,
    replay: options.Replay = None,
    png: options.Png = None,
    csv: options.Csv = None,
    full: options.Full = False,
    quiet: options.Quiet = False,
) -> None:
    """Watch fireflies fall into step: each sees its neighbours, nobody conducts.

    They live on simulated time, so the same options give the same flashes each time. With
    --connector they live on real time and meet there, also those of several processes, each of
    which has a --part of the swarm.

    Ends with status 0 once they are in step: 99 % of them flash within a tenth of a period, in two
    cycles in a row, and the order parameter r stays at 0.99 or above from the one to the next.
    Ends with status 1 if that has not come about after --duration.
    """
    with _values_checked():
        topology, response = _topology(shape, side), MirolloStrogatz(b, epsilon, refractory)
        settings = Settings(topology, response, period, duration=duration, seed=seed, full=full)
        experiment = Experiment(settings)
        mine = _part_of(len(topology), part, alone=connector is None)
        bus = None if connector is None else connector_from(connector)
        held = Pace(pace) if pace and not quiet else None
        view = _view(experiment, held, quiet=quiet, web=web, port=port, linger=linger)
    files = _files(experiment, replay=replay, png=png, csv=csv)
    with _showing(view, experiment):
        if bus is not None or wall_clock:
            run_to_end(_run_on_wall_clock(experiment, view, bus, mine))
        else:
            experiment.simulate(view, view.every, held)
    typer.echo(verdict(experiment))
    _write(files)
    if experiment.synchrony.found is None:
        raise typer.Exit(_NOT_IN_STEP)


@contextmanager
def _values_checked() -> Iterator[None]:
    """Turn a value that is out of range into a usage error."""
    try:
        yield
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


@contextmanager
def _showing(view: View, experiment: Experiment) -> Iterator[None]:
    """Open the view; an interrupt ends with a verdict and its status, a refusal with one sentence."""
    try:
        with in_one_sentence(), ExitStack() as stack:
            try:
                stack.enter_context(view)
            except OSError as error:
                raise typer.BadParameter(f"cannot show the page: {error.strerror}") from None
            yield
    except KeyboardInterrupt:
        typer.echo(f"Stopped. {verdict(experiment)}")
        raise typer.Exit(INTERRUPTED) from None


async def _run_on_wall_clock(
    experiment: Experiment, view: View, connector: Connector | None, part: range
) -> None:
    """Run a part of the swarm; an error that ends one firefly ends all of them, and is raised once."""
    try:
        await experiment.run(view, view.every, connector=connector, part=part)
    except ExceptionGroup as group:
        raise group.exceptions[0] from None


def _part_of(count: int, part: str, *, alone: bool) -> range:
    """Return the agents of one part, such as "2/3"; together the parts are all agents, each once.

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


def _topology(shape: ShapeName, side: int) -> Topology:
    match shape:
        case ShapeName.torus:
            return torus(side)
        case ShapeName.grid:
            return grid(side)
        case ShapeName.ring:
            return ring(side * side)
        case ShapeName.all:
            return all_to_all(side * side)


def _view(
    experiment: Experiment, pace: Pace | None, *, quiet: bool, web: bool, port: int, linger: float
) -> View:
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
    """Return what to write at the end, by path; check before a long run that it can be written."""
    wanted: list[tuple[Path | None, Callable[[Path], object]]] = [
        (replay, lambda path: write_replay(recording_of(experiment), path)),
        (png, lambda path: _draw(experiment, path)),
        (csv, lambda path: experiment.flashes().write_csv(path)),
    ]
    files = {path: write for path, write in wanted if path is not None}
    for path in files:
        _check(path)
    return files


def _write(files: Mapping[Path, Callable[[Path], object]]) -> None:
    for path, write in files.items():
        write(path)
        typer.echo(f"Written: {path}")


def _check(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(f"cannot write {path}: {error.strerror}") from None
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise typer.BadParameter(f"cannot write {path}: it is a folder, or may not be written")


def _draw(experiment: Experiment, path: Path) -> None:
    # matplotlib takes longer to import than a small swarm to fall into step.
    from cascade.observatory.picture import draw  # noqa: PLC0415 - only where a picture is wanted

    draw(experiment, path)
