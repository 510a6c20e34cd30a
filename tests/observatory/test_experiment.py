"""A whole experiment: in simulated time where a number matters, on the wall clock for the rest."""

import asyncio

import pytest

from cascade.observatory import Experiment, MirolloStrogatz, Settings, torus
from observatory.simulated import simulate


def settings(**given):
    topology = torus(given.pop("side", 3))
    response = MirolloStrogatz(epsilon=given.pop("epsilon", 0.1))
    return Settings(topology=topology, response=response, **given)


def run_simulated(given, every=0.1):
    experiment = Experiment(given)
    reports = []
    experiment.simulate(lambda now: reports.append(now.elapsed), every)
    return experiment, reports


def test_it_ends_while_the_lights_are_on_after_the_swarm_is_in_step():
    experiment, _ = run_simulated(settings(side=5, seed=3))
    found = experiment.synchrony.found
    assert found.order == pytest.approx(1)
    assert found.second.begin - found.first.begin == pytest.approx(1)
    assert experiment.in_step_after == pytest.approx(found.first.begin - experiment.began)
    assert experiment.elapsed == pytest.approx(found.second.begin - experiment.began + 1.1, abs=0.1)
    assert experiment.flashes_per_second == pytest.approx(25)


def test_without_coupling_it_gives_up_when_the_time_is_over():
    experiment, reports = run_simulated(settings(side=4, epsilon=0.0, duration=6.05))
    assert experiment.synchrony.found is None
    assert experiment.in_step_after is None
    assert experiment.elapsed == pytest.approx(6.05)
    assert len(reports) == 61


def test_a_full_run_goes_on_to_the_end():
    experiment, _ = run_simulated(settings(side=3, full=True, duration=30))
    assert experiment.in_step_after < 10
    assert experiment.elapsed == pytest.approx(30)


def test_the_same_seed_gives_the_same_flashes():
    logs = [run_simulated(settings(side=4, seed=seed))[0].log for seed in (7, 7, 8)]
    one, same, other = (sorted(zip(log.instants, log.agents, strict=True)) for log in logs)
    assert one == same
    assert one != other


@pytest.mark.parametrize("duration", [0, -1, float("inf"), float("nan")])
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

    simulate(main())
