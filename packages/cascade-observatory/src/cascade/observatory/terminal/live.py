"""The live view: lights on the left, numbers on the right, drawn on the swarm's own event loop."""

from __future__ import annotations

from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cascade.observatory.experiment import Experiment
from cascade.observatory.measures import flashes_between
from cascade.observatory.summary import latest_order, parameters
from cascade.observatory.terminal.lattice_view import LatticeView
from cascade.observatory.terminal.sparkline import downsample, sparkline

__all__ = ["LiveView"]

_WIDTH = 36  # columns of curve and histogram
_LIGHT = "#fffabe"
_GREEN = "#96be34"


class LiveView:
    """Redraws the terminal in place; call it with the experiment for each redraw.

    It has no thread of its own, so it never draws half of a volley.
    """

    every = 1 / 15
    """Seconds between redraws."""

    def __init__(self, console: Console) -> None:
        """Draw on a console that is a terminal."""
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> Self:
        """Take over the lower part of the terminal."""
        self._live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Leave the last drawing in place, and the cursor below it."""
        self._live.stop()

    def __call__(self, experiment: Experiment) -> None:
        """Draw the experiment as it is now."""
        lattice = LatticeView(experiment)
        console = self._live.console
        table = Table.grid(padding=(0, 3, 0, 0))
        table.add_column(width=min(lattice.width(console), console.width))
        table.add_column(max_width=_WIDTH)
        table.add_row(lattice, _numbers(experiment))
        self._live.update(table, refresh=True)


def _numbers(experiment: Experiment) -> Group:
    topology = experiment.settings.topology
    order = latest_order(experiment)
    curve = sparkline(downsample(experiment.coherence.values, _WIDTH), 1.0)
    in_step = experiment.in_step_after
    state = Text("listening to each other …", style="dim")
    if in_step is not None:
        state = Text(f"in step since {in_step:.1f} s", style=f"bold {_LIGHT}")
    return Group(
        Text(f"{len(topology)} fireflies", style=f"bold {_LIGHT}"),
        Text(f"each a workflow that sees {topology.degree} others"),
        Text("nobody conducts", style="italic dim"),
        Text(),
        _line("elapsed", f"{experiment.elapsed:6.1f} s"),
        _line("flashes", f"{experiment.flashes_per_second:6.0f} /s"),
        _line("order r", "     …" if order is None else f"{order:6.3f}"),
        Text(),
        Text("r since the start (0 to 1)", style="dim"),
        Text(curve.ljust(_WIDTH, " "), style=_GREEN),
        Text(),
        Text("flashes over the last period", style="dim"),
        Text(_histogram(experiment), style=_LIGHT),
        Text(),
        state,
        Text(),
        Text(parameters(experiment), style="dim"),
    )


def _line(name: str, value: str) -> Text:
    return Text.assemble((f"{name:10}", "dim"), (value, f"bold {_LIGHT}"))


def _histogram(experiment: Experiment) -> str:
    """Return the last period, up to now at the right, as a sparkline of flash counts."""
    period = experiment.settings.period
    width = period / _WIDTH
    begin = experiment.now - period
    counts = [
        flashes_between(experiment.log, begin + place * width, begin + (place + 1) * width)
        for place in range(_WIDTH)
    ]
    return sparkline(counts, max(counts))
