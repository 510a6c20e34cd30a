"""What an oscillator does at one instant, and two of them on their way to absorption."""

from math import inf

import pytest

from cascade.observatory import MirolloStrogatz, Oscillator, Rhythm
from rows import each_row

STRONG = Oscillator(MirolloStrogatz(epsilon=0.5, refractory=0.1), period=2.0)


def test_it_begins_as_far_from_its_deadline_as_its_phase_says():
    assert STRONG.begin(0.25, now=10.0) == Rhythm(deadline=11.5, flashed=-inf)
    assert STRONG.phase(Rhythm(11.5, -inf), at=10.0) == 0.25


def test_a_flash_counts_as_of_the_deadline_however_late_it_is_noticed():
    assert STRONG.expire(Rhythm(10.0, 8.0), now=11.9) == Rhythm(12.0, 10.0)


def test_who_slept_through_a_period_flashes_once_as_of_now():
    assert STRONG.expire(Rhythm(10.0, 8.0), now=12.0) == Rhythm(14.0, 12.0)


def test_who_flashed_at_an_instant_ignores_its_pulses_even_without_a_refractory_time():
    eager = Oscillator(MirolloStrogatz(epsilon=0.5, refractory=0.0))
    rhythm = Rhythm(11.0, 10.0)
    assert eager.hear(rhythm, at=10.0, now=10.0) is rhythm
    assert eager.hear(rhythm, at=10.001, now=10.001) != rhythm


def test_who_is_pushed_to_the_top_flashes_at_the_instant_of_the_pulse():
    assert STRONG.hear(Rhythm(10.0, 8.0), at=9.9, now=9.95) == Rhythm(11.9, 9.9)


def test_a_pulse_at_the_very_deadline_finds_the_deadline_first():
    assert STRONG.hear(Rhythm(10.0, 8.0), at=10.0, now=10.0) == Rhythm(12.0, 10.0)


def test_a_pulse_in_the_refractory_time_changes_nothing():
    rhythm = Rhythm(10.0, 8.0)
    assert STRONG.hear(rhythm, at=8.1, now=8.1).deadline == pytest.approx(10.0)
    assert STRONG.hear(rhythm, at=8.3, now=8.3).deadline < 9.9


def test_a_pulse_moves_the_deadline_forward():
    gentle = Oscillator(MirolloStrogatz(b=3, epsilon=0.02, refractory=0.1))
    before = Rhythm(11.0, 10.0)
    after = gentle.hear(before, at=10.5, now=10.6)
    assert after.flashed == before.flashed
    assert gentle.phase(after, 10.5) == pytest.approx(gentle.response.after_pulse(0.5))


@each_row("period", [0, -1, inf, float("nan")])
def test_a_period_is_above_0(period):
    with pytest.raises(ValueError, match="period"):
        Oscillator(MirolloStrogatz(), period)


def firings_to_absorption(phase, b, epsilon):
    """Count flashes until one oscillator takes the other with it; the first has just flashed."""
    oscillator = Oscillator(MirolloStrogatz(b, epsilon, refractory=0.0))
    flasher, other = Rhythm(1.0, 0.0), oscillator.begin(phase, 0.0)
    for firings in range(1, 1000):
        if other.deadline < flasher.deadline:
            flasher, other = other, flasher
        at = flasher.deadline
        flasher = oscillator.expire(flasher, at)
        other = oscillator.hear(other, at, at)
        if other.flashed == at:
            return firings
    return None


@each_row(
    ("b", "epsilon", "expected"),
    [
        (3, 0.02, [3, 15, 18, 4]),
        (3, 0.05, [1, 5, 8, 2]),
        (3, 0.1, [1, 3, 6, 2]),
        (1, 0.05, [3, 15, 22, 6]),
    ],
)
def test_two_are_absorbed_after_as_many_flashes_as_computed_elsewhere(b, epsilon, expected):
    found = [firings_to_absorption(phase, b, epsilon) for phase in (0.1, 0.3, 0.7, 0.9)]
    assert found == expected
