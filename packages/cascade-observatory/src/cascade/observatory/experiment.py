"""One experiment: a swarm, watched until it is in step or the time is up, on simulated or real time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from math import isfinite
from types import MappingProxyType
from typing import TypeAlias

import cascade as cs
from cascade.interfaces.protocols import Connector
from cascade.observatory.measures import Coherence, flashes_between
from cascade.observatory.observer import FlashLog, observing
from cascade.observatory.oscillator import Oscillator
from cascade.observatory.response import MirolloStrogatz, PulseResponse
from cascade.observatory.swarm import random_phases, running_swarm, swarm_of
from cascade.observatory.synchrony import Criterion, SynchronyWatch
from cascade.observatory.table import Table
from cascade.observatory.topology import Topology, torus
from cascade.simulation import Pace, TraceHash, is_simulated, run_simulated

__all__ = ["Experiment", "Measure", "Report", "Settings"]

_POINTS = 20  # of the order parameter in one period
_START_DELAY = 0.001  # seconds of a wall clock for each firefly, until all of them listen
_CYCLES_AFTER_SYNC = 1.1  # that the experiment goes on after the volley that confirms synchrony
_CYCLES_AFTER_SYNC_OF_PART = 3.1  # the same where other processes may find out a little later


@dataclass(frozen=True, slots=True)
class Settings:
    """The parameters of an experiment.

    Examples:
        >>> from cascade.observatory import ring
        >>> Settings(topology=ring(10), duration=30, seed=7).period
        1.0
    """

    topology: Topology = field(default_factory=lambda: torus(20))
    """Who sees whom."""

    response: PulseResponse = MirolloStrogatz()  # noqa: RUF009 - frozen
    """What a pulse does: the model."""

    period: float = 1.0
    """Seconds from flash to flash when nobody interferes; what cycles are counted in."""

    periods: Sequence[float] | None = None
    """The same for each agent, where they differ."""

    phases: Sequence[float] | None = None
    """Where each agent starts, from 0 to below 1; evenly random if left out."""

    duration: float = 90.0
    """Seconds after which the experiment ends at the latest."""

    seed: int = 0
    """Decides everything that is random."""

    full: bool = False
    """Go on to the end even when the swarm is in step."""

    criterion: Criterion = Criterion()  # noqa: RUF009 - frozen
    """What counts as in step."""

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: a number makes no sense, or a list is not as long as there are agents.
        """
        if not (isfinite(self.duration) and self.duration > 0):
            raise ValueError(f"a duration is a number of seconds above 0, not {self.duration:g}")
        for name in ("periods", "phases"):
            given = getattr(self, name)
            if given is not None and len(given) != len(self.topology):
                raise ValueError(
                    f"{len(self.topology)} agents need as many {name}, not {len(given)}"
                )
        if self.phases is not None and not all(0 <= phase < 1 for phase in self.phases):
            raise ValueError("a phase is a number from 0 to below 1")

    def oscillators(self) -> list[Oscillator]:
        """Return the oscillator of each agent.

        Raises:
            ValueError: a period is not a number of seconds above 0.
        """
        if self.periods is None:
            return [Oscillator(self.response, self.period)] * len(self.topology)
        return [Oscillator(self.response, period) for period in self.periods]


Report: TypeAlias = Callable[["Experiment"], None]
"""Called with the experiment again and again while it runs; it must not take long."""

Measure: TypeAlias = Callable[["Experiment"], object]
"""Works out any value from an experiment as it stands."""


@contextmanager
def _traced(connector: Connector, trace: TraceHash) -> Iterator[None]:
    """Take every message on an in-memory bus into a trace."""
    if not isinstance(connector, cs.LocalBusConnector):
        raise TypeError(f"simulated time talks in memory, by a LocalBusConnector: {connector!r}")
    tap = connector.broker.tap(trace.add)
    try:
        yield
    finally:
        tap.close()


class Experiment:
    """A swarm with its observer and its measures.

    Attributes:
        settings: its parameters.
        log: every flash.
        coherence: the order parameter over time.
        synchrony: since when the swarm is in step, in ``synchrony.found``.
        samples: the values of the measures, a row for each report: time in seconds, and each measure.
        began: when the swarm started, in seconds on the loop's clock.
        now: when the measures were last updated, in seconds on the same clock.
        trace_hash: the hash of every message with its time, on simulated time: equal for equal runs;
            empty on a wall clock.

    Examples:
        >>> from cascade.observatory import Settings, all_to_all
        >>> experiment = Experiment(Settings(topology=all_to_all(20)))
        >>> experiment.simulate()
        >>> experiment.in_step_after is not None
        True
    """

    def __init__(
        self, settings: Settings, measures: Mapping[str, Measure] = MappingProxyType({})
    ) -> None:
        """Set everything up; nothing runs yet.

        Args:
            settings: its parameters.
            measures: further values to work out at each report, by name.

        Raises:
            ValueError: a period is not a number of seconds above 0.
        """
        self.settings = settings
        self.log = FlashLog(len(settings.topology))
        self._swarm = swarm_of(settings.topology, settings.oscillators())
        self._measures = measures
        self.samples = Table(["time", *measures])
        self.began = 0.0
        self.now = 0.0
        self.trace_hash = ""
        self._start_measures()

    def _start_measures(self) -> None:
        """Set up the measures that follow the log, from the start of the swarm."""
        settings = self.settings
        self.coherence = Coherence(self.log, settings.period / _POINTS, self.began)
        self.synchrony = SynchronyWatch(
            self.log, self.coherence, settings.period, settings.criterion
        )

    @property
    def elapsed(self) -> float:
        """Seconds that the swarm has run."""
        return self.now - self.began

    @property
    def in_step_after(self) -> float | None:
        """Seconds until the swarm was in step; None if it is not yet."""
        found = self.synchrony.found
        return None if found is None else found.first.begin - self.began

    @property
    def flashes_per_second(self) -> float:
        """Flashes in the last period, as a rate."""
        span = min(self.settings.period, self.elapsed)
        return flashes_between(self.log, self.now - span, self.now) / span if span > 0 else 0.0

    def simulate(
        self, report: Report | None = None, every: float = 1.0, pace: Pace | None = None
    ) -> None:
        """Run the swarm on simulated time: exact, and the same for the same settings.

        Args:
            report: called every so many simulated seconds; watching changes nothing.
            every: in simulated seconds.
            pace: holds simulated time back; as fast as possible if left out.

        Raises:
            ExceptionGroup: a firefly failed.
        """
        run_simulated(self.run(report, every), pace=pace)

    async def run(
        self,
        report: Report | None = None,
        every: float = 1.0,
        *,
        connector: Connector | None = None,
        part: range | None = None,
    ) -> None:
        """Run the swarm on the running event loop, and report every so many seconds of its clock.

        Ends one more volley after the swarm is in step, so that the last view shows the lights on,
        or after ``settings.duration``. Nothing is left behind, also when cancelled.

        On a wall clock no run is exact: callbacks of one instant take their time, with 2,500 agents
        some 40 ms.

        Args:
            report: called every so many seconds; watching changes nothing.
            every: in seconds.
            connector: where the swarm meets; a private bus if left out. It need not be connected.
            part: which of the agents run here, by number; all if left out. The others run in other
                processes on the same connector, and are seen and counted all the same.

        Raises:
            ExceptionGroup: a firefly failed.
            TypeError: on simulated time, the connector is not an in-memory one.
        """
        settings = self.settings
        phases = settings.phases or random_phases(len(self._swarm), settings.seed)
        mine = slice(None) if part is None else slice(part.start, part.stop)
        swarm = self._swarm[mine]
        loop = asyncio.get_running_loop()
        trace = TraceHash(loop.time)
        async with AsyncExitStack() as stack:
            if connector is None:
                connector = cs.LocalBusConnector(cs.LocalBroker())
            if is_simulated(loop):
                stack.enter_context(_traced(connector, trace))
            engine = cs.Engine(connector=connector, seed=settings.seed, name="observatory")
            await stack.enter_async_context(engine)
            await stack.enter_async_context(observing(connector, self.log))
            start_delay = 0.0 if is_simulated(loop) else _START_DELAY * len(self._swarm)
            self.began = self.now = loop.time() + start_delay
            self._start_measures()
            running = running_swarm(engine, swarm, phases[mine], self.began)
            await stack.enter_async_context(running)
            await asyncio.sleep(start_delay)
            is_whole = len(swarm) == len(self._swarm)
            cycles = _CYCLES_AFTER_SYNC if is_whole else _CYCLES_AFTER_SYNC_OF_PART
            await self._watch(report, every, cycles)
            if is_simulated(loop):
                self.trace_hash = trace.hexdigest()

    async def _watch(self, report: Report | None, every: float, cycles_after_sync: float) -> None:
        loop, settings = asyncio.get_running_loop(), self.settings
        end = self.began + settings.duration
        while self.now < end:
            await asyncio.sleep(min(every, end - self.now))
            self._update(loop.time())
            if report is not None:
                report(self)
            found = self.synchrony.found
            if found is not None and not settings.full:
                end = min(end, found.second.begin + cycles_after_sync * settings.period)

    def _update(self, now: float) -> None:
        self.now = now
        self.coherence.update()
        self.synchrony.update()
        if self._measures:
            self.samples.add(
                [self.elapsed, *(work_out(self) for work_out in self._measures.values())]
            )

    # --- data ---------------------------------------------------------------------------------

    def flashes(self) -> Table:
        """Return every flash: seconds since the swarm began, and agent."""
        log, began = self.log, self.began
        return Table(
            ["time", "agent"],
            ([seen - began, n] for seen, n in zip(log.seen, log.agents, strict=True)),
        )

    def order(self) -> Table:
        """Return the order parameter over time: seconds since the swarm began, and r."""
        times, values = self.coherence.times, self.coherence.values
        return Table(
            ["time", "r"], ([at - self.began, r] for at, r in zip(times, values, strict=True))
        )
