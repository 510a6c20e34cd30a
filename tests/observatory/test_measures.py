"""Measures on inputs whose answer is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade.observatory import (
    Coherence,
    FlashLog,
    clusters,
    order_parameter,
    phase_between_flashes,
)
from cascade.observatory.measures import flashes_between
from rows import each_row


def log_of(*times_by_agent):
    log = FlashLog(len(times_by_agent))
    flashes = [(time, agent) for agent, times in enumerate(times_by_agent) for time in times]
    for time, agent in sorted(flashes):
        log.add(agent, time, time)
    return log


@given(st.floats(0, 1), st.integers(1, 50))
def test_equal_phases_are_in_perfect_order(phase, count):
    assert order_parameter([phase] * count) == pytest.approx(1)


@given(st.integers(2, 200), st.floats(0, 1))
def test_evenly_spread_phases_have_no_order(count, offset):
    assert order_parameter((k / count + offset) % 1 for k in range(count)) < 1e-9


def test_two_camps_have_the_order_of_their_difference():
    assert order_parameter([0.2] * 3 + [0.7]) == pytest.approx(0.5)


def test_no_phases_have_no_order_parameter():
    with pytest.raises(ValueError, match="no phases"):
        order_parameter([])


def test_the_phase_is_how_far_it_is_from_flash_to_flash():
    times = [1.0, 2.0, 2.5]
    assert [phase_between_flashes(times, at) for at in (1.0, 1.25, 2.0, 2.25, 2.5)] == [
        0.0,
        0.25,
        0.0,
        0.5,
        0.0,
    ]


@each_row("at", [0.9, 2.6])
def test_beyond_the_known_flashes_there_is_no_phase(at):
    with pytest.raises(ValueError, match="not between two known flashes"):
        phase_between_flashes([1.0, 2.0, 2.5], at)


def test_a_log_knows_from_when_to_when_all_phases_are_known():
    log = log_of([0.1, 1.1, 2.1], [0.6, 1.6])
    assert (log.known_from(), log.known_until()) == (0.6, 1.6)
    assert log_of([1.0], []).known_from() == float("inf")
    assert log_of([1.0], []).known_until() == float("-inf")


def test_flashes_are_counted_from_begin_to_before_end():
    log = log_of([1.0, 2.0, 3.0], [2.0])
    assert flashes_between(log, 1.0, 2.0) == 1
    assert flashes_between(log, 2.0, 3.5) == 3


def test_coherence_grows_with_the_log_and_never_changes_what_it_said():
    log = log_of([0.0, 1.0], [0.0, 1.0])
    coherence = Coherence(log, 0.25)
    coherence.update()
    assert coherence.times == [0.0, 0.25, 0.5, 0.75]
    assert coherence.values == pytest.approx([1] * 4)
    log.add(0, 2.0, 2.0)
    coherence.update()
    assert len(coherence.times) == 4
    log.add(1, 2.5, 2.5)
    coherence.update()
    assert coherence.times[4:] == [1.0, 1.25, 1.5, 1.75]
    assert coherence.values[6] < 1


def test_coherence_waits_until_everybody_has_flashed():
    coherence = Coherence(log_of([0.0, 1.0], []), 0.25)
    coherence.update()
    assert coherence.times == []
    assert coherence.least_between(0.0, 1.0) is None


def test_the_least_order_is_known_only_as_far_as_the_curve_goes():
    coherence = Coherence(log_of([0.0, 1.0], [0.5, 1.0]), 0.25)
    coherence.update()
    assert coherence.times == [0.5, 0.75]
    assert coherence.least_between(0.5, 0.8) == min(coherence.values[:2])
    assert coherence.least_between(0.5, 2.0) is None
    assert coherence.least_between(0.0, 0.2) == 0.0


@given(st.lists(st.lists(st.floats(0.01, 3), min_size=3, max_size=8), min_size=1, max_size=5))
def test_coherence_agrees_with_the_definition_at_every_point(gaps):
    log = log_of(*([sum(each[: n + 1]) for n in range(len(each))] for each in gaps))
    coherence = Coherence(log, 0.1)
    coherence.update()
    for at, value in zip(coherence.times, coherence.values, strict=True):
        expected = order_parameter(phase_between_flashes(times, at) for times in log.by_agent)
        assert value == pytest.approx(expected, abs=1e-6)
    if coherence.times:
        assert log.known_from() <= coherence.times[0] < log.known_from() + 0.1 + 1e-9
        assert log.known_until() - 0.1 - 1e-9 <= coherence.times[-1] < log.known_until()
    else:
        assert log.known_until() - log.known_from() < 0.1 + 1e-9


def test_clusters_are_groups_that_flash_apart():
    log = log_of([1.0, 2.0], [1.01, 2.0], [1.5, 2.0])
    assert clusters(log, 0.9, 1.9, within=0.05) == 2
    assert clusters(log, 0.9, 1.9, within=0.001) == 3
    assert clusters(log, 1.9, 2.9, within=0.0) == 1
    assert clusters(log, 5.0, 6.0, within=0.1) == 0
