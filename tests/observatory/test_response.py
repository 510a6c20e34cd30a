"""The pulse response of Mirollo & Strogatz (1990), against its definition."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cascade.observatory import MirolloStrogatz

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


@pytest.mark.parametrize(
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
