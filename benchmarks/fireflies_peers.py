"""The fireflies of the benchmark in other hands: a bare event heap, asyncio by hand, Mesa, SimPy."""

from __future__ import annotations

import asyncio
import heapq
import importlib
from collections.abc import Generator
from typing import Any

from cascade.observatory import MirolloStrogatz, random_phases, torus
from cascade.simulation import run_simulated

RESPONSE = MirolloStrogatz()


def _model(side: int) -> tuple[tuple[tuple[int, ...], ...], list[float]]:
    return torus(side).neighbours, random_phases(side * side, 0)


def event_heap(side: int, seconds: float) -> int:
    """No agents at all: the least that the model takes in Python."""
    neighbours, phases = _model(side)
    due = [1.0 - phase for phase in phases]
    last = [float("-inf")] * len(due)
    heap = [(time, agent) for agent, time in enumerate(due)]
    heapq.heapify(heap)
    flashes = 0
    while heap[0][0] <= seconds:
        now, first = heapq.heappop(heap)
        if due[first] != now:
            continue
        flashing = [first]
        due[first] = now + 1.0
        last[first] = now
        for agent in flashing:
            heapq.heappush(heap, (due[agent], agent))
            flashes += 1
            for other in neighbours[agent]:
                if last[other] == now:
                    continue
                phase = 1.0 - (due[other] - now)
                after = RESPONSE.after_pulse(phase)
                if after >= 1.0:
                    flashing.append(other)
                    due[other] = now + 1.0
                    last[other] = now
                elif after != phase:
                    due[other] = now + (1.0 - after)
                    heapq.heappush(heap, (due[other], other))
    return flashes


# --- asyncio by hand ----------------------------------------------------------------------------


class _Light:
    """A firefly that waits on a future of its own: for its deadline, or for a neighbour."""

    def __init__(self, phase: float) -> None:
        self.due = 1.0 - phase
        self.last = float("-inf")
        self.neighbours: list[_Light] = []
        self.waiting: asyncio.Future[bool] | None = None
        self.pulses = 0

    def hear(self) -> None:
        self.pulses += 1
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_result(True)

    def take_pulses(self, now: float) -> bool:
        """Take the pulses that have come; return whether they make it flash."""
        while self.pulses:
            self.pulses -= 1
            if self.last == now:
                continue
            phase = 1.0 - (self.due - now)
            after = RESPONSE.after_pulse(phase)
            if after >= 1.0:
                self.pulses = 0
                return True
            if after != phase:
                self.due = now + (1.0 - after)
        return False


class _Swarm:
    """Lights on one loop, and how often they have flashed."""

    def __init__(self, lights: list[_Light], loop: asyncio.AbstractEventLoop) -> None:
        self.lights = lights
        self.loop = loop
        self.flashes = 0

    async def live(self, me: _Light) -> None:
        loop = self.loop
        while True:
            if not me.pulses:
                me.waiting = loop.create_future()
                timer = loop.call_at(me.due, _give_up, me.waiting)
                await me.waiting
                timer.cancel()
            now = loop.time()
            if now >= me.due or me.take_pulses(now):
                me.last, me.due = now, now + 1.0
                self.flashes += 1
                for other in me.neighbours:
                    other.hear()


def _give_up(waiting: asyncio.Future[bool]) -> None:
    if not waiting.done():
        waiting.set_result(False)


def by_hand(side: int, seconds: float) -> int:
    """Coroutines and futures on the same simulated loop, and no bus or engine between."""
    neighbours, phases = _model(side)

    async def main() -> int:
        lights = [_Light(phase) for phase in phases]
        for light, seen in zip(lights, neighbours, strict=True):
            light.neighbours = [lights[other] for other in seen]
        swarm = _Swarm(lights, asyncio.get_running_loop())
        tasks = [asyncio.create_task(swarm.live(light)) for light in lights]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        return swarm.flashes

    return run_simulated(main())


# --- Mesa -----------------------------------------------------------------------------------------


def with_mesa(side: int, seconds: float) -> int:
    """Agents of Mesa that schedule their flashes with its event-driven simulator."""
    mesa = importlib.import_module("mesa")
    devs = importlib.import_module("mesa.experimental.devs")
    neighbours, phases = _model(side)
    simulator = devs.DEVSimulator()
    flashes = 0

    class Firefly(mesa.Agent):  # type: ignore[misc]  # Mesa comes without types
        def __init__(self, model: Any, phase: float) -> None:
            super().__init__(model)
            self.last = float("-inf")
            self.others: list[Firefly] = []
            self.plan(1.0 - phase)

        def plan(self, due: float) -> None:
            self.due = due
            self.event = simulator.schedule_event_absolute(self.flash, due)

        def flash(self) -> None:
            nonlocal flashes
            flashes += 1
            self.last = simulator.time
            self.plan(self.last + 1.0)
            for other in self.others:
                other.hear(self.last)

        def hear(self, now: float) -> None:
            if now in (self.last, self.due):
                return  # it has just flashed, or is about to, at this very instant
            phase = 1.0 - (self.due - now)
            after = RESPONSE.after_pulse(phase)
            if after != phase:
                simulator.cancel_event(self.event)
                self.plan(now if after >= 1.0 else now + (1.0 - after))

    class Swarm(mesa.Model):  # type: ignore[misc]  # as above
        def __init__(self) -> None:
            super().__init__()
            simulator.setup(self)
            fireflies = [Firefly(self, phase) for phase in phases]
            for firefly, seen in zip(fireflies, neighbours, strict=True):
                firefly.others = [fireflies[other] for other in seen]

    Swarm()
    simulator.run_until(seconds)
    return flashes


# --- SimPy ----------------------------------------------------------------------------------------


def with_simpy(side: int, seconds: float) -> int:
    """Processes of SimPy that sleep until their deadline, and are interrupted by pulses."""
    simpy = importlib.import_module("simpy")
    neighbours, phases = _model(side)
    environment = simpy.Environment()
    flashes = 0

    class Firefly:
        def __init__(self, phase: float) -> None:
            self.due = 1.0 - phase
            self.last = float("-inf")
            self.others: list[Firefly] = []
            self.process = environment.process(self.live())

        def live(self) -> Generator[Any, Any, None]:
            nonlocal flashes
            while True:
                try:
                    yield environment.timeout(max(0.0, self.due - environment.now))
                except simpy.Interrupt:
                    now = environment.now
                    if self.last == now:
                        continue
                    phase = 1.0 - (self.due - now)
                    after = RESPONSE.after_pulse(phase)
                    if after < 1.0:
                        if after != phase:
                            self.due = now + (1.0 - after)
                        continue
                    self.due = now
                    # pushed over the top: it flashes now
                self.last = self.due
                self.due = self.last + 1.0
                flashes += 1
                for other in self.others:
                    other.process.interrupt()

    fireflies = [Firefly(phase) for phase in phases]
    for firefly, seen in zip(fireflies, neighbours, strict=True):
        firefly.others = [fireflies[other] for other in seen]
    environment.run(until=seconds + 1e-9)
    return flashes
