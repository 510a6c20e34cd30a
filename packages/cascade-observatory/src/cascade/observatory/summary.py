"""What an experiment is and how it went, in one sentence each."""

from __future__ import annotations

from cascade.observatory.experiment import Experiment

__all__ = ["describe", "latest_order", "parameters", "verdict"]

_LATE = 0.05  # periods: a median delay from which on a wall clock changes the outcome


def latest_order(experiment: Experiment) -> float | None:
    """Return the newest r that is known; None before everybody has flashed once."""
    values = experiment.coherence.values
    return values[-1] if values else None


def describe(experiment: Experiment) -> str:
    """Return who takes part, as a sentence."""
    topology = experiment.settings.topology
    return (
        f"{len(topology)} fireflies ({topology}), each an endless workflow that sees "
        f"{topology.degree} others"
    )


def parameters(experiment: Experiment) -> str:
    """Return the parameters of the model, in one line."""
    settings = experiment.settings
    return f"{settings.response}, period {settings.period:g} s, seed {settings.seed}"


def verdict(experiment: Experiment) -> str:
    """Return whether the swarm came into step, and when, as a sentence."""
    found = experiment.synchrony.found
    if found is None:
        order = latest_order(experiment)
        known = "and not everybody has flashed yet" if order is None else f"r = {order:.2f}"
        return f"Not in step after {experiment.elapsed:.1f} s: {known}.{_lag_note(experiment)}"
    share = experiment.settings.criterion.share
    spread = 1000 * (found.second.end - found.second.begin)
    return (
        f"In step after {experiment.in_step_after:.1f} s: {share:.0%} of {experiment.log.count} "
        f"fireflies flash within {spread:.0f} ms, r = {found.order:.3f}."
    )


def _lag_note(experiment: Experiment) -> str:
    """Return a sentence about a machine that does not keep up; empty if it does."""
    log = experiment.log
    recent = range(max(0, len(log) - 2 * log.count), len(log))
    delays = sorted(log.seen[position] - log.instants[position] for position in recent)
    if not delays or delays[len(delays) // 2] < _LATE * experiment.settings.period:
        return ""
    return (
        f" This machine does not keep up: half of the flashes come {1000 * delays[len(delays) // 2]:.0f}"
        " ms late or more. A longer period or a smaller side helps."
    )
