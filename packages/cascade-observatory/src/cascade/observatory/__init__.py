"""The firefly laboratory: many small agents that fall into step, and what it takes to see it.

Imports point down this list:

* `cascade.observatory.command`: ``cascade fireflies``
* `cascade.observatory.show`: live view, lines of progress, picture
* `experiment`: a swarm, watched until it is in step
* `synchrony`, `measures`, `observer`: what is seen, and what follows from it
* `swarm`, `agent`: the fireflies themselves, endless workflows on one engine
* `oscillator`, `response`, `topology`: pure arithmetic

Example:
    >>> import asyncio
    >>> response = MirolloStrogatz(b=3, epsilon=0.1)
    >>> experiment = Experiment(Settings(side=4, oscillator=Oscillator(response, period=0.1)))
    >>> asyncio.run(experiment.run(report=lambda _: None, every=0.05))
    >>> experiment.in_step_after is not None
    True
"""

from cascade.observatory.agent import Firefly, live
from cascade.observatory.experiment import Experiment, Settings
from cascade.observatory.measures import Coherence, order_parameter, phase_between_flashes
from cascade.observatory.observer import FlashLog, observing
from cascade.observatory.oscillator import Oscillator, Rhythm
from cascade.observatory.response import MirolloStrogatz, PulseResponse
from cascade.observatory.swarm import flying, random_phases, swarm_of
from cascade.observatory.synchrony import Criterion, Synchrony, SynchronyWatch, Volley, VolleyFinder
from cascade.observatory.topology import Neighbours, torus

__all__ = [
    "Coherence",
    "Criterion",
    "Experiment",
    "Firefly",
    "FlashLog",
    "MirolloStrogatz",
    "Neighbours",
    "Oscillator",
    "PulseResponse",
    "Rhythm",
    "Settings",
    "Synchrony",
    "SynchronyWatch",
    "Volley",
    "VolleyFinder",
    "flying",
    "live",
    "observing",
    "order_parameter",
    "phase_between_flashes",
    "random_phases",
    "swarm_of",
    "torus",
]
