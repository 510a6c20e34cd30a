"""What an experiment was and how it went, in a sentence."""

from cascade.observatory import Experiment, Settings, torus
from cascade.observatory.summary import verdict


def test_the_verdict_says_when_how_many_and_how_close(in_step):
    found = verdict(in_step)
    assert found.startswith(f"In step after {in_step.in_step_after:.1f} s: 99% of 16 fireflies")
    assert found.endswith("r = 1.000.")


def test_the_verdict_on_a_failure_says_how_far_it_came(out_of_step):
    assert verdict(out_of_step).startswith("Not in step after 3.0 s: r = 0.")
    assert "not everybody has flashed" in verdict(Experiment(Settings()))


def test_the_verdict_names_a_machine_that_does_not_keep_up():
    experiment = Experiment(Settings(topology=torus(3)))
    for agent in range(9):
        experiment.log.add(agent, seen=1.0, instant=0.99)
    assert "keep up" not in verdict(experiment)
    for agent in range(9):
        experiment.log.add(agent, seen=2.0, instant=1.8)
    assert "half of the flashes come 200 ms late" in verdict(experiment)
