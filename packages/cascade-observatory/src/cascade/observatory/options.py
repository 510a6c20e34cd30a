"""The options of ``cascade fireflies``, with what its help says about them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "ConnectorUrl",
    "Csv",
    "Dissipation",
    "Duration",
    "Epsilon",
    "Full",
    "Linger",
    "Part",
    "Period",
    "Png",
    "Port",
    "Quiet",
    "Refractory",
    "Replay",
    "Seed",
    "Shape",
    "ShapeName",
    "Side",
    "Speed",
    "WallClock",
    "Web",
]


class ShapeName(StrEnum):
    """Who sees whom."""

    torus = "torus"
    grid = "grid"
    ring = "ring"
    all = "all"


# --- the model ------------------------------------------------------------------------------------

Side = Annotated[int, typer.Option(help="Fireflies along one edge; side × side take part.")]
Shape = Annotated[
    ShapeName, typer.Option(help="Who sees whom; on a torus and a grid the eight around one.")
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
Full = Annotated[
    bool, typer.Option("--full", help="Go on to the end of the duration, even when in step.")
]

# --- the clock and the bus ------------------------------------------------------------------------

Speed = Annotated[
    float, typer.Option(min=0, help="Simulated seconds per second; 0 is as fast as possible.")
]
WallClock = Annotated[
    bool, typer.Option("--wall-clock", help="Run on real time, which cannot be exact.")
]
ConnectorUrl = Annotated[
    str | None,
    typer.Option(
        "--connector", help="Where the swarm meets, on real time, such as mqtt://localhost:1883."
    ),
]
Part = Annotated[
    str, typer.Option(help="Which part of the swarm lives in this process, such as 2/3.")
]

# --- what is shown and written --------------------------------------------------------------------

Web = Annotated[bool, typer.Option("--web", help="Show it in a browser on this machine.")]
Port = Annotated[int, typer.Option(help="Where --web listens; 0 is any free port.")]
Linger = Annotated[
    float, typer.Option(min=0, help="Seconds that the page of --web stays after the end.")
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Only say how it ended, as fast as possible.")
]
Replay = Annotated[
    Path | None, typer.Option(help="Write a page to replay it, which needs nothing else.")
]
Png = Annotated[Path | None, typer.Option(help="Write a picture of the run here.")]
Csv = Annotated[Path | None, typer.Option(help="Write every flash here: seconds, firefly.")]
