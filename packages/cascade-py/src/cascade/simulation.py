"""``cs.simulate``: run workflows on simulated time, the same way each time.

`Faults` are what its bus may do to messages. For those who build a simulation of their own there are its
parts too: `run_simulated`, `Pace`, `TraceHash` and `is_simulated`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from os import PathLike
from random import Random
from typing import Any, Literal, TextIO, TypeAlias

from cascade.connectors.local import LocalBroker, LocalBusConnector
from cascade.interfaces.errors import NonDeterminismError
from cascade.interfaces.errors.frames import hide_own_frames
from cascade.interfaces.protocols import Connector
from cascade.interfaces.store import Store
from cascade.runtime.concurrency.clock import is_simulated
from cascade.runtime.engine import Engine
from cascade.runtime.options import Listen
from cascade.runtime.simulation.differences import Keep, run_twice
from cascade.runtime.simulation.faults import Faults, FaultyConnector
from cascade.runtime.simulation.pacing import Pace
from cascade.runtime.simulation.runner import run_simulated
from cascade.runtime.simulation.trace_hash import TraceHash, TraceRecord
from cascade.spec.resource import ResourceDefinition

__all__ = ["Faults", "Pace", "Simulation", "TraceHash", "is_simulated", "run_simulated", "simulate"]


@dataclass(frozen=True, slots=True)
class Simulation:
    """What came of a simulation."""

    results: list[Any]
    """The value of each target, in their order; None for one that was not finished."""

    finished: list[bool]
    """For each target whether it came to its end before ``until``."""

    duration: float
    """Simulated seconds."""

    trace_hash: str
    """Tells two ways to go apart: a BLAKE2b over every message, what each run came to, and the times."""


def simulate(
    targets: Any,
    params: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    until: float | None = None,
    connector: Connector | None = None,
    store: Store | None = None,
    resources: Sequence[ResourceDefinition[Any]] = (),
    listen: Listen = (),
    pace: Pace | float | None = None,
    schedule: Literal["in order", "random"] = "in order",
    faults: Faults | Sequence[Faults] = (),
    check: Literal["twice"] | None = None,
    trace: str | PathLike[str] | None = None,
) -> Simulation:
    """Run targets side by side on simulated time: waiting costs nothing, and order is the seed's.

    The same workflows as on the wall clock, on the same engine and bus. Everything random should
    come from ``cs.inject("rng")``, and the time from ``cs.inject("clock")``; each run has a stream of
    its own that follows from the seed and its name, or its place among the targets. ``def`` tasks run
    inline, one after the other. Where an event loop is running already, as in a notebook, it runs in a
    thread of its own, and this one waits.

    Args:
        targets: a target as for `run`; a list or tuple of them, each of which is a run of its own;
            or a mapping from names to them.
        params: what `param` gives, to each of them.
        seed: what all random numbers follow from.
        until: simulated seconds after which whatever still runs is ended.
        connector: an in-memory connector that the runs hear and speak through, not yet connected;
            one on a `LocalBroker` of its own if left out.
        store: where the targets lie as durable agents, which go on where an earlier simulation on the same
            store has left them; a `MemoryStore`. `cascade.testing.crashes` has them crash.
        resources: resources to register.
        listen: filters on which signals are kept from the start; see `Engine.run`.
        pace: simulated seconds for each real one, or a `Pace` to change while it runs; as fast as
            possible if left out. It does not change what happens.
        schedule: ``"random"`` has what is simultaneous go in an order that follows from the seed: what is
            ready at once, and the timers of one instant; in the order it came about if left out.
        faults: what happens to the messages of the agents on their way to the bus, by the seed; the first
            whose filter matches holds.
        check: ``"twice"`` runs everything twice and compares.
        trace: a file for everything that the hash covers, a line of JSON each; ``cascade trace diff`` finds
            where two differ. Of two runs it holds the first.

    Raises:
        TypeError: the connector is not an in-memory one.
        ValueError: ``until`` or the pace is not a number above 0, or ``schedule`` or ``check`` is something
            else; or it is to be checked with a connector or a store, where the second run would find what
            the first has left.
        DeadlockError: nothing is left that could happen; it says who waits for which topic.
        RunawayError: livelock: simulated time does not advance.
        NonDeterminismError: a task asked for a thread, a process, or real input or output.
        RunsDifferError: two runs went different ways; it shows the first thing that differs.
        OSError: the file for the trace cannot be written.
        Exception: whatever a target raises; the others are ended.

    Examples:
        >>> import cascade as cs
        >>> @cs.task
        ... async def sleeper(nights: int, _rest: None = None):
        ...     return "awake" if nights == 0 else sleeper(nights - 1, cs.wait(8 * 3600))
        >>> simulation = cs.simulate(sleeper(365))
        >>> simulation.results, simulation.duration / 3600
        (['awake'], 2920.0)
    """
    _check_until(until)
    if schedule not in {"in order", "random"}:
        raise ValueError(f'schedule is "in order" or "random", not {schedule!r}')
    _check_check(check, connector, store)
    held = Pace(pace) if isinstance(pace, (int, float)) else pace

    def once(keep: Keep | None = None) -> Simulation:
        bus = _in_memory(connector)
        ways = Random(f"{seed}/schedule") if schedule == "random" else None
        engine = Engine(
            connector=_with_faults(bus, faults, seed), store=store, seed=seed, name="simulation"
        )
        for definition in resources:
            engine.register(definition)

        async def run(name: str, target: Any) -> Any:
            durable = store is not None
            return await engine.run(target, params, listen=listen, name=name, durable=durable)

        side_by_side = partial(_run_all, run, _by_name(targets), until)
        return run_simulated(_watch(engine, bus, side_by_side, keep), pace=held, schedule=ways)

    run_all = once if check is None else partial(run_twice, once)
    try:
        if trace is None:
            return run_all(None)
        with open(trace, "w", encoding="utf-8") as file:  # noqa: PTH123 - a path of any kind
            return run_all(partial(_write, file))
    except BaseException as error:
        hide_own_frames(error)
        raise


def _write(file: TextIO, record: TraceRecord) -> None:
    file.write(f"{record.as_json()}\n")


def _check_until(until: float | None) -> None:
    if until is not None and not until > 0:
        raise ValueError(f"until is a number of simulated seconds above 0, not {until!r}")


def _check_check(check: str | None, connector: Connector | None, store: Store | None) -> None:
    if check not in {None, "twice"}:
        raise ValueError(f'check is "twice" or left out, not {check!r}')
    if check is not None and not (connector is None and store is None):
        raise ValueError(
            'check="twice" needs a bus and a store that begin empty each time: leave connector and '
            "store out, and let the targets send what is to be there"
        )


def _in_memory(connector: Connector | None) -> LocalBusConnector:
    if connector is None:
        return LocalBusConnector(LocalBroker())
    if isinstance(connector, LocalBusConnector):
        return connector
    raise TypeError(f"a simulation talks in memory: give it a LocalBusConnector, not {connector!r}")


def _with_faults(bus: LocalBusConnector, faults: Faults | Sequence[Faults], seed: int) -> Connector:
    every = [faults] if isinstance(faults, Faults) else list(faults)
    if not every:
        return bus
    faulty: Any = FaultyConnector(bus, every, Random(f"{seed}/faults"))
    return faulty  # type: ignore[no-any-return]  # it passes on what it has not itself


_Run: TypeAlias = Callable[[str, Any], Coroutine[Any, Any, Any]]
"""Runs a target by its name."""


async def _watch(
    engine: Engine,
    bus: LocalBusConnector,
    run: Callable[[TraceHash], Coroutine[Any, Any, Simulation]],
    keep: Keep | None,
) -> Simulation:
    """Run the targets with every message in the trace."""
    async with engine:
        trace = TraceHash(asyncio.get_running_loop().time, keep)
        watcher = bus.broker.tap(trace.add)
        try:
            return await run(trace)
        finally:
            watcher.close()


def _by_name(targets: Any) -> dict[str, Any]:
    if isinstance(targets, Mapping):
        return dict(targets)
    if not isinstance(targets, (list, tuple)):
        targets = [targets]
    return {f"run-{place}": target for place, target in enumerate(targets, 1)}


async def _run_all(
    run: _Run,
    targets: Mapping[str, Any],
    until: float | None,
    trace: TraceHash,
) -> Simulation:
    """Run the targets side by side until they end, one fails, or the time is up."""
    loop = asyncio.get_running_loop()

    async def traced(name: str, target: Any) -> Any:
        try:
            value = await run(name, target)
        except Exception as error:
            trace.add_error(name, error)
            raise
        trace.add_value(name, value)
        return value

    runs = [loop.create_task(traced(*named), name=named[0]) for named in targets.items()]
    if not runs:
        return Simulation([], [], loop.time(), trace.hexdigest())
    try:
        await asyncio.wait(runs, timeout=until, return_when=asyncio.FIRST_EXCEPTION)
        finished = [each.done() for each in runs]
        trace.add_duration()
        duration, trace_hash = loop.time(), trace.hexdigest()
    finally:
        for each in runs:  # one after the other: a set of tasks has no order
            each.cancel()
        await asyncio.wait(runs)
    for each in runs:
        failure = None if each.cancelled() else each.exception()
        if failure is not None:
            raise _non_determinism_in(failure) or failure
    results = [each.result() if done else None for each, done in zip(runs, finished, strict=True)]
    return Simulation(results, finished, duration, trace_hash)


def _non_determinism_in(error: BaseException) -> NonDeterminismError | None:
    """Find what simulated time refused inside the group that a library's `TaskGroup` made of it."""
    if isinstance(error, BaseExceptionGroup):
        found = map(_non_determinism_in, error.exceptions)
        return next((each for each in found if each is not None), None)
    return error if isinstance(error, NonDeterminismError) else None
