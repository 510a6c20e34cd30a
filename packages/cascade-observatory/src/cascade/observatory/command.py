"""``cascade fireflies``: an experiment on the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cascade.observatory.experiment import Experiment, Settings
from cascade.observatory.response import MirolloStrogatz
from cascade.observatory.show import LiveView, PlainView, QuietView, verdict
from cascade.observatory.topology import torus
from cascade.runtime.pace import Pace

__all__ = ["fireflies"]

_NOT_IN_STEP = 1
_INTERRUPTED = 130  # 128 and the number of SIGINT, as shells count


def fireflies(  # noqa: PLR0917 - Typer gives them all by name
    side: Annotated[
        int, typer.Option(help="Fireflies along one edge; side × side take part.")
    ] = 20,
    period: Annotated[float, typer.Option(help="Seconds from flash to flash when alone.")] = 1.0,
    b: Annotated[
        float, typer.Option("--b", help="Dissipation of the Mirollo-Strogatz model.")
    ] = 3.0,
    epsilon: Annotated[float, typer.Option(help="What one pulse adds to the state.")] = 0.0375,
    refractory: Annotated[
        float, typer.Option(help="Fraction of a period after a flash without response.")
    ] = 0.1,
    duration: Annotated[float, typer.Option(help="Seconds after which to give up.")] = 90.0,
    seed: Annotated[int, typer.Option(help="Decides the start phases.")] = 0,
    png: Annotated[Path | None, typer.Option(help="Write a picture of the run here.")] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Go on to the end of the duration, even when in step.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only say how it ended.")] = False,
) -> None:
    """Watch fireflies fall into step: each sees its neighbours, nobody conducts.

    Ends with status 0 once they are in step: 99 % of them flash within a tenth of a period, in two
    cycles in a row, and the order parameter r stays at 0.99 or above from the one to the next.
    Ends with status 1 if that has not come about after --duration.
    """
    try:
        settings = Settings(
            topology=torus(side),
            response=MirolloStrogatz(b, epsilon, refractory),
            period=period,
            duration=duration,
            seed=seed,
            full=full,
        )
        experiment = Experiment(settings)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if png is not None:
        _check(png)
    try:
        _run(experiment, quiet=quiet)
    except KeyboardInterrupt:
        typer.echo(f"Stopped. {verdict(experiment)}")
        raise typer.Exit(_INTERRUPTED) from None
    typer.echo(verdict(experiment))
    if png is not None:
        _draw(experiment, png)
    if experiment.synchrony.found is None:
        raise typer.Exit(_NOT_IN_STEP)


def _run(experiment: Experiment, *, quiet: bool) -> None:
    console = Console(highlight=False)
    view: LiveView | QuietView
    if quiet:
        view = QuietView()
    elif console.is_terminal and not console.is_dumb_terminal:
        view = LiveView(console)
    else:
        view = PlainView()
    with view:
        experiment.simulate(view, view.every, None if quiet else Pace(1.0))


def _check(png: Path) -> None:
    """Find out before a long run, and not after it, that the picture cannot be written."""
    try:
        png.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(f"cannot write {png}: {error.strerror}") from None
    if png.is_dir() or not os.access(png if png.exists() else png.parent, os.W_OK):
        raise typer.BadParameter(f"cannot write {png}: it is a folder, or may not be written")


def _draw(experiment: Experiment, png: Path) -> None:
    # matplotlib takes longer to import than a small swarm to fall into step.
    from cascade.observatory.show.picture import draw  # noqa: PLC0415 - only where a picture is wanted

    draw(experiment, png)
    typer.echo(f"Picture: {png}")
