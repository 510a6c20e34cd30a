"""One experiment: a swarm on a torus, watched until it is in step or the time is up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from math import isfinite
from typing import TypeAlias

import cascade as cs
from cascade.observatory.measures import Coherence, flashes_between
from cascade.observatory.observer import FlashLog, observing
from cascade.observatory.oscillator import Oscillator
from cascade.observatory.response import MirolloStrogatz
from cascade.observatory.swarm import flying, random_phases, swarm_of
from cascade.observatory.synchrony import Criterion, SynchronyWatch
from cascade.observatory.topology import torus

__all__ = ["Experiment", "Report", "Settings"]

_POINTS = 20  # of the order parameter in one period
_GATHERING = 0.001  # seconds for each firefly until it is there and listens
_ENCORE = 1.1  # periods that the experiment goes on after the volley that proves it


@dataclass(frozen=True, slots=True)
class Settings:
    """What an experiment is made of."""

    side: int = 20
    """Fireflies along one edge of the torus."""

    oscillator: Oscillator = Oscillator(MirolloStrogatz())  # noqa: RUF009 - frozen, like all it holds
    """The rhythm of each of them."""

    duration: float = 90.0
    """Seconds after which the experiment ends at the latest."""

    seed: int = 0
    """Decides the start phases."""

    full: bool = False
    """Go on to the end even when the swarm is in step."""

    criterion: Criterion = Criterion()  # noqa: RUF009 - frozen
    """What counts as in step."""

    def __post_init__(self) -> None:
        """Check the duration.

        Raises:
            ValueError: it is not a number of seconds above 0.
        """
        if not (isfinite(self.duration) and self.duration > 0):
            raise ValueError(f"a duration is a number of seconds above 0, not {self.duration:g}")


Report: TypeAlias = Callable[["Experiment"], None]
"""Called with the experiment again and again while it runs; it must not take long."""


class Experiment:
    """A swarm with its observer and its measures.

    Attributes:
        settings: what it is made of.
        neighbours: who sees whom.
        log: every flash.
        coherence: the order parameter over time.
        synchrony: since when the swarm is in step, in ``synchrony.found``.
        began: when the swarm began to live, in seconds on the loop's clock.
        now: when the experiment was last looked at, in seconds on the same clock.
    """

    def __init__(self, settings: Settings) -> None:
        """Lay everything out; nothing lives yet.

        Raises:
            ValueError: the side is below 3.
        """
        period = settings.oscillator.period
        self.settings = settings
        self.neighbours = torus(settings.side)
        self.log = FlashLog(len(self.neighbours))
        self.coherence = Coherence(self.log, period / _POINTS)
        self.synchrony = SynchronyWatch(self.log, self.coherence, period, settings.criterion)
        self.began = 0.0
        self.now = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds that the swarm has lived."""
        return self.now - self.began

    @property
    def in_step_after(self) -> float | None:
        """Seconds until the swarm was in step; None if it is not yet."""
        found = self.synchrony.found
        return None if found is None else found.first.begin - self.began

    @property
    def flashes_per_second(self) -> float:
        """How many flashes the last period saw, as a rate."""
        span = min(self._period, self.elapsed)
        return flashes_between(self.log, self.now - span, self.now) / span if span > 0 else 0.0

    async def run(self, report: Report, every: float) -> None:
        """Let the swarm live, and report every so many seconds of the loop's clock.

        Ends one more volley after the swarm is in step, while the lights are on, or after
        ``settings.duration``. Nothing is left behind, also when cancelled.

        Raises:
            ExceptionGroup: a firefly died of an error.
        """
        settings = self.settings
        swarm = swarm_of(self.neighbours, settings.oscillator)
        phases = random_phases(len(swarm), settings.seed)
        connector = cs.LocalBusConnector(broker=cs.LocalBroker())
        clock = asyncio.get_running_loop().time
        async with AsyncExitStack() as stack:
            engine = await stack.enter_async_context(cs.Engine(connector=connector))
            await stack.enter_async_context(observing(connector, self.log))
            self.began = self.now = clock() + _GATHERING * len(swarm)
            end = self.began + settings.duration
            await stack.enter_async_context(flying(engine, swarm, phases, self.began))
            await asyncio.sleep(self.began - clock())
            while self.now < end:
                await asyncio.sleep(min(every, end - self.now))
                self._look(clock())
                report(self)
                if self.synchrony.found is not None and not settings.full:
                    end = min(end, self.synchrony.found.second.begin + _ENCORE * self._period)

    @property
    def _period(self) -> float:
        return self.settings.oscillator.period

    def _look(self, now: float) -> None:
        self.now = now
        self.coherence.update()
        self.synchrony.update()
