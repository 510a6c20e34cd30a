"""The pulse response of Mirollo & Strogatz (1990), against its definition."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cascade.observatory import Additive, FlashKuramoto, MirolloStrogatz, lorentzian_periods
from rows import each_row

phases = st.floats(0, 1)
responses = st.builds(
    MirolloStrogatz, b=st.floats(0.1, 8), epsilon=st.floats(0, 0.5), refractory=st.just(0.0)
)


@given(responses)
def test_the_state_runs_from_0_to_1(response):
    assert response.state(0) == 0
    assert response.state(1) == pytest.approx(1)


@given(responses, phases)
def test_state_and_phase_undo_each_other(response, phase):
    assert response.phase(response.state(phase)) == pytest.approx(phase, abs=1e-9)


@given(responses, phases)
def test_a_pulse_lifts_the_state_by_epsilon_up_to_the_top(response, phase):
    lifted = min(1.0, response.phase(min(1.0, response.state(phase) + response.epsilon)))
    assert response.after_pulse(phase) == pytest.approx(lifted, abs=1e-9)


@given(responses, phases, phases)
def test_a_later_phase_is_brought_further(response, one, other):
    early, late = sorted((one, other))
    assume(response.after_pulse(late) < 1)
    gained_early = response.after_pulse(early) - early
    assert response.after_pulse(late) - late >= gained_early - 1e-12


@given(phases)
def test_a_refractory_oscillator_does_not_answer(phase):
    response = MirolloStrogatz(epsilon=0.2, refractory=0.5)
    assert (response.after_pulse(phase) == phase) is (phase < 0.5 or phase == 1)


@each_row(
    ("numbers", "said"),
    [
        ({"b": 0}, "b is a number above 0, not 0"),
        ({"b": float("nan")}, "b is a number above 0, not nan"),
        ({"b": 1e9}, "too large"),
        ({"epsilon": -0.1}, "epsilon is a number of 0 or more"),
        ({"epsilon": float("inf")}, "epsilon is a number of 0 or more"),
        ({"refractory": 1}, "refractory is a fraction"),
        ({"refractory": -0.1}, "refractory is a fraction"),
    ],
)
def test_numbers_without_meaning_are_refused(numbers, said):
    with pytest.raises(ValueError, match=said):
        MirolloStrogatz(**numbers)


def test_it_names_its_numbers():
    assert str(MirolloStrogatz()) == "Mirollo-Strogatz b = 3, ε = 0.0375, refractory 0.1"


# --- the other models -----------------------------------------------------------------------------


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 1))
def test_kuramoto_pulls_towards_the_flash_and_never_over_it(phase, kappa):
    after = FlashKuramoto(kappa, count=1).after_pulse(phase)
    assert after == pytest.approx(phase - kappa / math.tau * math.sin(math.tau * phase))
    nearest = 0.0 if phase < 0.5 else 1.0
    assert abs(after - nearest) <= abs(phase - nearest) + 1e-12


def test_kuramoto_shares_its_coupling_out():
    alone, shared = FlashKuramoto(0.3, 1), FlashKuramoto(0.3, 100)
    pull = 0.25 - alone.after_pulse(0.25)
    assert 0.25 - shared.after_pulse(0.25) == pytest.approx(pull / 100)


def test_additive_pulses_add_the_same_everywhere():
    additive = Additive(0.1, refractory=0.2)
    assert additive.after_pulse(0.5) == pytest.approx(0.6)
    assert additive.after_pulse(0.1) == 0.1
    assert additive.after_pulse(0.95) == 1.0


def test_lorentzian_periods_are_its_quantiles():
    periods = lorentzian_periods(100, 1.0, 0.05)
    frequencies = [math.tau / period for period in periods]
    assert frequencies == sorted(frequencies)
    middle = (frequencies[49] + frequencies[50]) / 2
    assert middle == pytest.approx(math.tau)
    within = [f for f in frequencies if abs(f - math.tau) <= 0.05]
    assert len(within) == 50  # half of a Lorentzian lies within its half-width


@each_row(
    ("make", "reason"),
    [
        (lambda: FlashKuramoto(-1, 3), "kappa"),
        (lambda: FlashKuramoto(1, 0), "count"),
        (lambda: FlashKuramoto(5, 3), "count"),
        (lambda: FlashKuramoto(1, 3, refractory=1), "refractory"),
        (lambda: Additive(-0.1), "epsilon"),
        (lambda: Additive(0.1, refractory=-1), "refractory"),
        (lambda: lorentzian_periods(100, 1.0, 5.0), "too wide"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(make, reason):
    with pytest.raises(ValueError, match=reason):
        make()


def test_models_name_themselves_and_their_numbers():
    assert str(FlashKuramoto(0.3, 100)) == "flash-only Kuramoto κ = 0.3, N = 100"
    assert str(Additive(0.02)) == "additive ε = 0.02, refractory 0"
