"""The lights as characters: bright right after a flash, then fading."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from math import exp

from rich.color import Color
from rich.console import Console, ConsoleOptions
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style

from cascade.observatory.experiment import Experiment

__all__ = ["LatticeView", "glow"]

_FADING = 0.16  # periods after which a light has e^-1 of its brightness
_LEVELS = 24
_NIGHT, _LEAF, _FLASH = (44, 52, 66), (150, 190, 52), (255, 250, 190)
_LINES_BELOW = 2  # lines of the terminal that stay free


def glow(brightness: float) -> tuple[int, int, int]:
    """Return the colour of a light, from 0 (night) over a leafy green to 1 (flash), as red, green, blue."""
    low, high, part = (
        (_NIGHT, _LEAF, 2 * brightness)
        if brightness < 0.5  # noqa: PLR2004 - half way is where the green is
        else (_LEAF, _FLASH, 2 * brightness - 1)
    )
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(low, high, strict=True))
    return red, green, blue


_COLORS = [Color.from_rgb(*glow(level / (_LEVELS - 1))) for level in range(_LEVELS)]
_LIGHTS = [Style(color=color) for color in _COLORS]
_GLYPHS = [("· " if level < 3 else "• " if level < 9 else "● ") for level in range(_LEVELS)]  # noqa: PLR2004 - three sizes
_PAIRS = [[Style(color=upper, bgcolor=lower) for lower in _COLORS] for upper in _COLORS]


class LatticeView:
    """A renderable of Rich: the swarm as it glows now.

    Two columns for each light where the terminal has room; else half blocks, two lights one above
    the other in each character; what still has no room is cut off.
    """

    def __init__(self, experiment: Experiment) -> None:
        """Show the swarm of an experiment, row by row."""
        self._experiment = experiment
        self._width = experiment.settings.topology.width
        self._height = -(-len(experiment.settings.topology) // self._width)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Return how many columns it takes."""
        width = min(self.width(console), options.max_width)
        return Measurement(width, width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        """Yield what to print, line by line."""
        levels = self._levels()
        rows = console.height - _LINES_BELOW
        if self._fits_two_columns(console):
            for row in levels[:rows]:
                shown = row[: options.max_width // 2]
                for level, same in groupby(shown):
                    yield Segment(_GLYPHS[level] * len(list(same)), _LIGHTS[level])
                yield Segment.line()
            return
        levels += [[0] * self._width] * (self._height % 2)
        for upper, lower in list(zip(levels[::2], levels[1::2], strict=True))[:rows]:
            pairs = zip(upper[: options.max_width], lower, strict=False)
            for (above, below), alike in groupby(pairs):
                yield Segment("▀" * len(list(alike)), _PAIRS[above][below])
            yield Segment.line()

    def width(self, console: Console) -> int:
        """Return how many columns the whole swarm takes on that console."""
        return self._width * (2 if self._fits_two_columns(console) else 1)

    def _fits_two_columns(self, console: Console) -> bool:
        return 4 * self._width <= console.width and self._height + _LINES_BELOW <= console.height

    def _levels(self) -> list[list[int]]:
        """Return the brightness of each light, row by row, from 0 to the brightest level."""
        now, width = self._experiment.now, self._width
        fading = _FADING * self._experiment.settings.period
        levels = [
            round((_LEVELS - 1) * exp(min(0.0, times[-1] - now) / fading)) if times else 0
            for times in self._experiment.log.by_agent
        ]
        levels += [0] * (width * self._height - len(levels))
        return [levels[row * width : (row + 1) * width] for row in range(self._height)]
