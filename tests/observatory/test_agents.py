"""Fireflies on a real engine and bus, in simulated time, so that every number is exact."""

import asyncio
import statistics
from collections import Counter

import pytest

import cascade as cs
from cascade.observatory import (
    Firefly,
    MirolloStrogatz,
    Oscillator,
    live,
    random_phases,
    running_swarm,
    torus,
)
from cascade.simulation import run_simulated
from observatory import oracle
from observatory.simulated import flashes_of
from rows import each_row


def instants(log):
    return sorted(zip(log.instants, log.agents, strict=True))


@each_row(
    ("side", "seconds", "numbers"),
    [
        (3, 20, {"b": 3, "epsilon": 0.02, "refractory": 0.1}),
        (6, 12, {"b": 3, "epsilon": 0.3 / 8, "refractory": 0.1}),
        (5, 12, {"b": 1, "epsilon": 0.05, "refractory": 0.0}),
        (4, 12, {"b": 3, "epsilon": 0.0, "refractory": 0.2}),
    ],
)
@each_row("seed", [1, 2])
def test_they_flash_exactly_as_in_the_event_heap(side, seconds, numbers, seed):
    phases = random_phases(side * side, seed)
    log = flashes_of(torus(side), Oscillator(MirolloStrogatz(**numbers)), phases, seconds)
    assert instants(log) == sorted(
        oracle.flashes_of(torus(side).neighbours, phases, seconds, **numbers)
    )
    assert list(log.seen) == list(log.instants)


def test_another_period_only_stretches_time():
    numbers = {"b": 3, "epsilon": 0.04, "refractory": 0.1}
    phases = random_phases(16, seed=5)
    oscillator = Oscillator(MirolloStrogatz(**numbers), period=0.25)
    expected = oracle.flashes_of(torus(4).neighbours, phases, 3, period=0.25, **numbers)
    assert instants(flashes_of(torus(4), oscillator, phases, 3)) == sorted(expected)


@pytest.mark.parametrize(("side", "median"), [(10, 4), (20, 5.5)])
def test_a_torus_synchronises_in_about_the_published_number_of_cycles(side, median):
    numbers = {"b": 3, "epsilon": 0.3 / 8, "refractory": 0.1}

    def cycles(seed):
        phases = random_phases(side * side, seed)
        flashes = oracle.flashes_of(torus(side).neighbours, phases, 15, **numbers)
        together = Counter(time for time, _ in flashes)
        return min(time for time, count in together.items() if count >= 0.99 * side * side)

    assert statistics.median(cycles(seed) for seed in range(9)) == pytest.approx(median, abs=2)


def heard(firefly, phase, act, **start):
    """Return the instants of a single firefly's flashes while an act goes on beside it."""

    async def main():
        connector = cs.LocalBusConnector(broker=cs.LocalBroker())
        instants = []

        async def hear(_topic, instant):
            instants.append(instant)

        async with cs.Engine(connector=connector) as engine:
            await connector.subscribe(firefly.topic, hear)
            async with running_swarm(engine, [firefly], [phase], **start):
                await act(connector)
        return instants

    return run_simulated(main())


def after(seconds, instants=()):
    """Return an act: wait, send flashes of these instants, and wait a moment longer."""

    async def act(connector):
        await asyncio.sleep(seconds)
        for instant in instants:
            await connector.publish("you", instant)
        await asyncio.sleep(0.1)

    return act


def test_a_firefly_that_hears_everything_ignores_itself():
    eager = Oscillator(MirolloStrogatz(epsilon=0.5, refractory=0.0))
    assert heard(Firefly("lone/1", ("lone/+",), eager), 0.5, after(3.9)) == [0.5, 1.5, 2.5, 3.5]


def firefly_that_hears(said):
    """Return when a firefly flashes that starts at phase 0 and hears one flash at 0.95 s."""
    strong = Oscillator(MirolloStrogatz(epsilon=0.5))
    return heard(Firefly("me", ("you",), strong), 0.0, after(0.95, instants=[said]))


def test_a_flash_counts_as_of_the_instant_that_it_carries():
    assert firefly_that_hears(0.9) == [0.9]


@each_row("said", [1e9, -3.0, True, None, "now", {"t": 1}])
def test_an_instant_that_cannot_be_counts_as_now(said):
    assert firefly_that_hears(said) == pytest.approx([0.95])


def test_pulses_of_the_refractory_time_are_ignored_however_late_they_are_read():
    async def act(connector):
        await after(0.6, instants=(0.5, 0.55, 0.6))(connector)
        await asyncio.sleep(0.9)

    strong = Oscillator(MirolloStrogatz(epsilon=0.5, refractory=0.4))
    assert heard(Firefly("me", ("you",), strong), 0.5, act) == [0.5, 1.5]


def test_a_swarm_that_is_left_has_ended():
    async def main():
        broker = cs.LocalBroker()
        async with cs.Engine(connector=cs.LocalBusConnector(broker=broker)) as engine:
            before = broker.subscription_count
            lone = Firefly("me", ("you", "them"), Oscillator(MirolloStrogatz()))
            async with running_swarm(engine, [lone], [0.5]):
                await asyncio.sleep(3)
                assert broker.subscription_count == before + 1
            assert broker.subscription_count == before
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_simulated(main())


def test_a_firefly_that_dies_ends_the_experiment_and_says_why():
    class Broken:
        refractory = 0.0

        def after_pulse(self, phase):
            raise ArithmeticError("no answer")

    async def main():
        connector = cs.LocalBusConnector(broker=cs.LocalBroker())
        async with cs.Engine(connector=connector) as engine:
            lone = Firefly("me", ("you",), Oscillator(Broken()))
            async with running_swarm(engine, [lone], [0.0]):
                await asyncio.sleep(0.5)
                await connector.publish("you", 0.5)
                await asyncio.sleep(100)

    with pytest.raises(ExceptionGroup) as caught:
        run_simulated(main())
    assert caught.group_contains(ArithmeticError, match="no answer")


def test_phases_and_fireflies_have_to_match():
    async def main():
        async with cs.Engine() as engine, running_swarm(engine, [], [0.5]):
            pass

    with pytest.raises(ValueError, match="zip"):
        run_simulated(main())


def test_a_swarm_may_start_at_a_time_ahead():
    lone = Firefly("me", ("you",), Oscillator(MirolloStrogatz()))
    assert heard(lone, 0.5, after(11.9), start_time=10.0) == [10.5, 11.5]


def test_a_life_is_a_lazy_result():
    lone = Firefly("me", ("you",), Oscillator(MirolloStrogatz()))
    assert repr(live(lone, 0.5)) == "live(Firefly('me'), 0.5)"


def test_random_phases_follow_the_seed():
    assert random_phases(5, 1) == random_phases(5, 1)
    assert random_phases(5, 1) != random_phases(5, 2)
    assert all(0 <= phase < 1 for phase in random_phases(100, 3))
