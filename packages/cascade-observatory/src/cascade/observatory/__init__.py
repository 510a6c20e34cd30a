"""The firefly laboratory: many small agents that fall into step, and what it takes to see it.

Imports point down this list:

* `command`, `validate_command`: ``cascade fireflies`` and ``cascade validate``; `options` of the first
* `terminal`, `web`, `picture`: an experiment as people see it
* `summary`: what an experiment is and how it went, in a sentence each
* `validation`: the published results, measured again
* `sweep`: many experiments
* `experiment`: a swarm, watched until it is in step
* `synchrony`, `measures`, `observer`, `table`: what is seen, and what follows from it
* `swarm`, `agent`: the fireflies themselves, endless workflows on one engine
* `oscillator`, `response`, `topology`: pure arithmetic

Example:
    >>> experiment = Experiment(Settings(topology=torus(4), response=MirolloStrogatz(epsilon=0.1)))
    >>> experiment.simulate()
    >>> experiment.in_step_after < 10
    True
"""

from cascade.observatory.agent import Firefly, live
from cascade.observatory.experiment import Experiment, Measure, Report, Settings
from cascade.observatory.measures import (
    Coherence,
    clusters,
    order_parameter,
    phase_between_flashes,
)
from cascade.observatory.observer import FlashLog, observing
from cascade.observatory.oscillator import Oscillator, Rhythm
from cascade.observatory.response import (
    Additive,
    FlashKuramoto,
    MirolloStrogatz,
    PulseResponse,
    lorentzian_periods,
)
from cascade.observatory.swarm import random_phases, running_swarm, swarm_of
from cascade.observatory.synchrony import Criterion, Synchrony, SynchronyWatch, Volley, VolleyFinder
from cascade.observatory.table import Table
from cascade.observatory.topology import Topology, adjacency, all_to_all, grid, ring, torus

__all__ = [
    "Additive",
    "Coherence",
    "Criterion",
    "Experiment",
    "Firefly",
    "FlashKuramoto",
    "FlashLog",
    "Measure",
    "MirolloStrogatz",
    "Oscillator",
    "PulseResponse",
    "Report",
    "Rhythm",
    "Settings",
    "Synchrony",
    "SynchronyWatch",
    "Table",
    "Topology",
    "Volley",
    "VolleyFinder",
    "adjacency",
    "all_to_all",
    "clusters",
    "grid",
    "live",
    "lorentzian_periods",
    "observing",
    "order_parameter",
    "phase_between_flashes",
    "random_phases",
    "ring",
    "running_swarm",
    "swarm_of",
    "torus",
]
