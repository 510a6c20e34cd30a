"""A whole experiment: in simulated time where a number matters, on the wall clock for the rest."""

import asyncio
import os
import subprocess
import sys

import pytest

from cascade.observatory import (
    Experiment,
    FlashKuramoto,
    MirolloStrogatz,
    Settings,
    adjacency,
    all_to_all,
    clusters,
    grid,
    lorentzian_periods,
    random_phases,
    ring,
    torus,
)
from cascade.simulation import Pace, run_simulated
from observatory import oracle
from rows import each_row


def settings(**given):
    topology = torus(given.pop("side", 3))
    response = MirolloStrogatz(epsilon=given.pop("epsilon", 0.1))
    return Settings(topology=topology, response=response, **given)


def watched(given, every=0.1):
    experiment = Experiment(given)
    reports = []
    experiment.simulate(lambda now: reports.append(now.elapsed), every)
    return experiment, reports


def test_it_ends_while_the_lights_are_on_after_the_swarm_is_in_step():
    experiment, _ = watched(settings(side=5, seed=3))
    found = experiment.synchrony.found
    assert found.order == pytest.approx(1)
    assert found.second.begin - found.first.begin == pytest.approx(1)
    assert experiment.in_step_after == pytest.approx(found.first.begin - experiment.began)
    assert experiment.elapsed == pytest.approx(found.second.begin - experiment.began + 1.1, abs=0.1)
    assert experiment.flashes_per_second == pytest.approx(25)


def test_without_coupling_it_gives_up_when_the_time_is_over():
    experiment, reports = watched(settings(side=4, epsilon=0.0, duration=6.05))
    assert experiment.synchrony.found is None
    assert experiment.in_step_after is None
    assert experiment.elapsed == pytest.approx(6.05)
    assert len(reports) == 61


def test_a_full_run_goes_on_to_the_end():
    experiment, _ = watched(settings(side=3, full=True, duration=30))
    assert experiment.in_step_after < 10
    assert experiment.elapsed == pytest.approx(30)


def test_the_same_seed_gives_the_same_flashes():
    logs = [watched(settings(side=4, seed=seed))[0].log for seed in (7, 7, 8)]
    one, same, other = (sorted(zip(log.instants, log.agents, strict=True)) for log in logs)
    assert one == same
    assert one != other


@each_row("duration", [0, -1, float("inf"), float("nan")])
def test_a_duration_is_above_0_and_ends(duration):
    with pytest.raises(ValueError, match="duration"):
        settings(duration=duration)


def test_on_the_wall_clock_everybody_flashes_and_nobody_before_its_time():
    experiment = Experiment(settings(side=4, period=0.1, full=True, duration=1.0))
    asyncio.run(experiment.run(lambda _: None, 0.05))
    log = experiment.log
    assert set(log.agents) == set(range(16))
    assert list(log.seen) == sorted(log.seen)
    assert all(seen >= instant - 1e-3 for seen, instant in zip(log.seen, log.instants, strict=True))
    # Clocks that are pushed forward may be fast, but never slower than alone.
    assert len(log) >= 16


def test_an_experiment_that_is_cancelled_leaves_nothing_behind():
    async def main():
        experiment = Experiment(settings(side=3))
        running = asyncio.create_task(experiment.run(lambda _: None, 0.1))
        await asyncio.sleep(2)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert len(experiment.log) > 0

    run_simulated(main())


# --- the way it goes ------------------------------------------------------------------------------


def test_watching_changes_nothing_however_closely():
    hashes = set()
    for every in (0.01, 0.37, 5.0):
        experiment = Experiment(
            settings(side=4, seed=2, full=True, duration=10), {"n": lambda now: len(now.log)}
        )
        experiment.simulate(lambda now: str(now.in_step_after), every)
        hashes.add(experiment.trace_hash)
    paced = Experiment(settings(side=4, seed=2, full=True, duration=10))
    paced.simulate(pace=Pace(50))
    assert hashes == {paced.trace_hash}
    assert len(paced.trace_hash) == 32


def test_inside_a_running_loop_it_goes_the_same_way():
    here, inside = (Experiment(settings(side=3, seed=2, duration=5)) for _ in range(2))
    here.simulate()

    async def main():
        inside.simulate()

    asyncio.run(main())
    assert inside.trace_hash == here.trace_hash != ""


def test_the_same_seed_goes_the_same_way_in_every_process():
    program = (
        "from cascade.observatory import *; e = Experiment(Settings(topology=torus(5), seed=3, "
        "duration=6)); e.simulate(); print(e.trace_hash)"
    )
    hashes = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert hashes[0] == hashes[1] != ""


@each_row(
    ("topology", "response"),
    [
        (all_to_all(12), MirolloStrogatz(epsilon=0.02, refractory=0.0)),
        (ring(12, 2), MirolloStrogatz(epsilon=0.05)),
        (grid(4), MirolloStrogatz(epsilon=0.04, refractory=0.05)),
        (adjacency([[1], [2], [3, 0], [0]]), MirolloStrogatz(epsilon=0.1)),
    ],
)
def test_on_every_topology_they_flash_exactly_as_in_the_event_heap(topology, response):
    phases = random_phases(len(topology), 4)
    experiment = Experiment(
        Settings(topology=topology, response=response, phases=phases, duration=10, full=True)
    )
    experiment.simulate()
    # `neighbours` says whom an agent hears; the heap wants to know whom a flash reaches.
    reaches = [
        [other for other, seen in enumerate(topology.neighbours) if me in seen]
        for me in range(len(topology))
    ]
    expected = oracle.flashes_of(
        reaches,
        phases,
        10,
        b=response.b,
        epsilon=response.epsilon,
        refractory=response.refractory,
    )
    log = experiment.log
    assert sorted(zip(log.seen, log.agents, strict=True)) == sorted(expected)


def test_coupled_kuramoto_oscillators_come_together_and_uncoupled_ones_do_not():
    def order(kappa):
        experiment = Experiment(
            Settings(
                topology=all_to_all(30),
                response=FlashKuramoto(kappa, 30),
                periods=lorentzian_periods(30, 1.0, 0.05),
                duration=25,
                full=True,
            )
        )
        experiment.simulate()
        return experiment.coherence.values[-1]

    assert order(1.5) > 0.9
    assert order(0.0) < 0.5


def test_a_run_gives_its_data_as_tables():
    experiment = Experiment(
        settings(side=3, full=True, duration=5),
        {"groups": lambda now: clusters(now.log, now.now - 1, now.now, 0.001)},
    )
    experiment.simulate(every=1.0)
    assert experiment.samples.column("time") == pytest.approx([1, 2, 3, 4, 5])
    assert experiment.samples.column("groups")[-1] >= 1
    flashes = experiment.flashes()
    assert len(flashes) == len(experiment.log)
    assert flashes.column("time") == sorted(flashes.column("time"))
    assert all(0 <= r <= 1 + 1e-9 for r in experiment.order().column("r"))


@each_row(
    ("given", "reason"),
    [
        ({"phases": [0.5]}, "9 agents need as many phases, not 1"),
        ({"periods": [1.0] * 8}, "9 agents need as many periods, not 8"),
        ({"phases": [1.0] * 9}, "from 0 to below 1"),
    ],
)
def test_lists_are_as_long_as_there_are_agents(given, reason):
    with pytest.raises(ValueError, match=reason):
        settings(**given)
