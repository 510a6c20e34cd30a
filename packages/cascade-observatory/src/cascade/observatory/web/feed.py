"""An experiment as the page shows it: its metadata, updates while it runs, and a recording of all of it."""

from __future__ import annotations

from cascade.observatory.experiment import Experiment
from cascade.observatory.web.recording import Metadata, Recording, Update

__all__ = ["ExperimentFeed", "recording_of"]


class ExperimentFeed:
    """The feed of an experiment that runs in another thread than those that ask.

    The experiment only ever appends, and a slice of a list is taken in one go, so no lock is needed.
    """

    def __init__(self, experiment: Experiment) -> None:
        """Read from this experiment; nothing in it is changed."""
        self._experiment = experiment
        self._done = False

    def end(self) -> None:
        """Note that nothing follows."""
        self._done = True

    def metadata(self) -> Metadata:
        """Return what does not change."""
        settings = self._experiment.settings
        topology = settings.topology
        return {
            "title": f"{len(topology):,} fireflies, and nobody conducts",
            "parameters": {
                "model": str(settings.response),
                "topology": str(topology),
                "period": f"{settings.period:g} s",
                "seed": str(settings.seed),
            },
            "agents": len(topology),
            "columns": topology.columns,
            "period": settings.period,
        }

    def since(self, flashes: int, points: int) -> Update:
        """Return what came after so many flashes and so many points of the order parameter."""
        experiment, done = self._experiment, self._done  # first: what follows is then complete
        began, now = experiment.began, experiment.now
        log, coherence = experiment.log, experiment.coherence
        values = coherence.values[points:]
        times = coherence.times[points : points + len(values)]
        agents = log.agents[flashes:]
        seen = log.seen[flashes : flashes + len(agents)]
        newest = max(now, seen[-1]) if seen else now
        return {
            "now": newest - began,
            "flashes": {"times": [at - began for at in seen], "agents": agents.tolist()},
            "order": {"times": [at - began for at in times], "values": values},
            "in_step_after": experiment.in_step_after,
            "done": done,
        }


def recording_of(experiment: Experiment) -> Recording:
    """Return the whole of an experiment that has ended."""
    feed = ExperimentFeed(experiment)
    update = feed.since(0, 0)
    return {
        **feed.metadata(),
        "duration": update["now"],
        "flashes": update["flashes"],
        "order": update["order"],
        "in_step_after": update["in_step_after"],
    }
