"""An experiment as one picture: the lattice at five moments, r over time, the first and the last cycle."""

from __future__ import annotations

from math import cos, tau
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from cascade.observatory.experiment import Experiment
from cascade.observatory.measures import phase_between_flashes
from cascade.observatory.summary import parameters, verdict

__all__ = ["draw"]

_PAGE, _PANEL, _INK, _FAINT = "#0b0f1a", "#121829", "#e6e9ef", "#7d879c"
_GREEN, _LIGHT = "#a8cf3f", "#fff3a0"
_MOMENTS = 5
_JUST_AFTER = 0.1  # the phase at which the lattice is shown: soon after the common flash
_BINS = 50  # of the histogram of one period

# A light over one cycle: it flashes at phase 0, fades, and is dark until the next flash.
_GLOW = LinearSegmentedColormap.from_list(
    "firefly",
    [(0.0, "#fffbd6"), (0.1, "#e9ec5a"), (0.3, "#5f8a2a"), (0.55, "#1b2b33"), (1.0, "#121829")],
)


def draw(experiment: Experiment, path: Path) -> None:
    """Write the picture of an experiment as a PNG file, 1500 × 1200 dots.

    Raises:
        OSError: the file cannot be written.
    """
    figure = Figure(figsize=(10, 8), dpi=150, facecolor=_PAGE, layout="constrained")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(h_pad=0.08, w_pad=0.08)  # type: ignore[union-attr, call-arg]  # set above, to this kind
    done = "fall into step" if experiment.synchrony.found else "on their way"
    title = f"{experiment.log.count} fireflies {done}, and nobody conducts"
    figure.suptitle(title, color=_LIGHT, fontsize=17, fontweight="bold")
    parts: Any = figure.subfigures(3, 1, height_ratios=[2.3, 1.8, 2.7])  # typed as if one or many
    for part, draw_part in zip(parts, (_draw_moments, _draw_order, _draw_cycles), strict=True):
        part.set_facecolor(_PAGE)
        draw_part(experiment, part)
    figure.supxlabel(f"{parameters(experiment)}. {verdict(experiment)}", color=_FAINT, fontsize=9)
    figure.savefig(path, format="png", facecolor=_PAGE)


# --- the lattice ------------------------------------------------------------------------------


def _draw_moments(experiment: Experiment, part: SubFigure) -> None:
    """Draw the lattice at moments spread over the run, each right after the flash of most."""
    places = part.subplots(1, _MOMENTS)
    for axes in places:
        axes.set_axis_off()
    for axes, at in zip(places, _moments(experiment), strict=False):
        phases = [phase_between_flashes(times, at) for times in experiment.log.by_agent]
        width = experiment.settings.topology.width
        phases += [1.0] * (-len(phases) % width)
        rows = [phases[begin : begin + width] for begin in range(0, len(phases), width)]
        axes.imshow(rows, cmap=_GLOW, vmin=0, vmax=1, interpolation="nearest")
        axes.set_title(f"after {at - experiment.began:.1f} s", color=_INK, fontsize=10)


def _moments(experiment: Experiment) -> list[float]:
    """Return times in seconds, from the first known to the last known cycle."""
    times = experiment.coherence.times
    if not times:
        return []
    period = experiment.settings.period
    spread = max(0.0, times[-1] - times[0] - period) / (_MOMENTS - 1)
    begins = [times[0] + place * spread for place in range(_MOMENTS)]
    return [
        max(
            (at for at in times if begin <= at <= begin + period),
            key=lambda at: _brightness(experiment, at),
        )
        for begin in begins
    ]


def _brightness(experiment: Experiment, at: float) -> float:
    """Return Σ cos 2π(φ - 0.1): the more fireflies have just flashed, the larger it is."""
    by_agent = experiment.log.by_agent
    return sum(cos(tau * (phase_between_flashes(t, at) - _JUST_AFTER)) for t in by_agent)


# --- order over time --------------------------------------------------------------------------


def _draw_order(experiment: Experiment, part: SubFigure) -> None:
    axes = part.subplots()
    _style(axes)
    times = [at - experiment.began for at in experiment.coherence.times]
    axes.plot(times, experiment.coherence.values, color=_GREEN, linewidth=1.8)
    axes.fill_between(times, experiment.coherence.values, color=_GREEN, alpha=0.18, linewidth=0)
    axes.set_ylim(0, 1.04)
    axes.set_xlim(0, max(experiment.elapsed, 1e-9))
    axes.set_xlabel("time (s)")
    axes.set_ylabel("order parameter r")
    in_step = experiment.in_step_after
    if in_step is not None:
        axes.axvline(in_step, color=_LIGHT, linewidth=1, linestyle=(0, (4, 3)))
        axes.annotate(
            f"in step after {in_step:.1f} s",
            (in_step, 0.08),
            xytext=(-6, 0),
            textcoords="offset points",
            ha="right",
            color=_LIGHT,
            fontsize=10,
        )


# --- single cycles ----------------------------------------------------------------------------


def _draw_cycles(experiment: Experiment, part: SubFigure) -> None:
    period = experiment.settings.period
    begin = experiment.began
    found = experiment.synchrony.found
    last = experiment.now - period
    if found is not None and not experiment.settings.full:
        last = found.second.begin - period / 2
    span = "second" if period == 1 else f"{period:g} s"
    grid = part.subplots(2, 2, sharey="row", height_ratios=[1, 2])
    for column, start, name in ((0, begin, "first"), (1, max(begin, last), "last")):
        histogram, raster = grid[0][column], grid[1][column]
        seen, agents = _flashes(experiment, start, start + period)
        offset = start - begin
        histogram.hist(seen, bins=_BINS, range=(offset, offset + period), color=_LIGHT, linewidth=0)
        histogram.set_title(f"flashes in the {name} {span}", color=_INK, fontsize=10)
        raster.scatter(seen, agents, s=3, color=_LIGHT, linewidths=0)
        raster.set_xlabel("time (s)")
        for axes in (histogram, raster):
            _style(axes)
            axes.set_xlim(offset, offset + period)
        histogram.tick_params(labelbottom=False)
    grid[0][0].set_ylabel(f"per {1000 * period / _BINS:g} ms")
    grid[1][0].set_ylabel("firefly")
    grid[1][0].yaxis.set_major_locator(MaxNLocator(5, integer=True))


def _flashes(experiment: Experiment, begin: float, end: float) -> tuple[list[float], list[int]]:
    """Return times since the swarm began, in seconds, and agents of the flashes of a span."""
    log = experiment.log
    found = [
        (seen - experiment.began, agent)
        for seen, agent in zip(log.seen, log.agents, strict=True)
        if begin <= seen < end
    ]
    return [seen for seen, _ in found], [agent for _, agent in found]


def _style(axes: Axes) -> None:
    """Give axes the dark colours of the picture."""
    axes.set_facecolor(_PANEL)
    axes.tick_params(colors=_FAINT, labelsize=9)
    axes.xaxis.label.set_color(_INK)
    axes.yaxis.label.set_color(_INK)
    for spine in axes.spines.values():
        spine.set_color("#2a3347")
