"""Which durable agents can leave memory while they wait, and how they are left."""

from __future__ import annotations

from cascade.interfaces.store import Sleep
from cascade.runtime.concurrency.clock import unix_time
from cascade.runtime.durable.agent import StoredAgent
from cascade.runtime.durable.driving import Driving
from cascade.runtime.durable.ear import Ear

__all__ = ["fall_asleep", "is_at_rest", "may_sleep"]


def may_sleep(agent: StoredAgent, idle: float) -> bool:
    """Return whether an agent has waited for so many seconds, and can leave memory meanwhile.

    It can where a signal from the store or an hour is all that it waits for, and where another process
    could go on with its step from the journal.
    """
    if agent.sleep is not None or agent.run.loop.time() - agent.journal.changed_at < idle:
        return False
    if not _waits(agent):
        return False
    if _works(agent) or not agent.journal.is_whole:
        _say_that_it_stays(agent)
        return False
    return agent.run.services.connector is None or agent.mailbox.hears_all


def is_at_rest(agent: StoredAgent) -> bool:
    """Return whether all that an agent's step does is to wait, so that no work is lost where it ends."""
    return _waits(agent) and not _works(agent)


def _waits(agent: StoredAgent) -> bool:
    """Return whether it waits for something, and the store knows all that it has."""
    return bool(_waiting(agent)) and not (agent.mailbox.is_busy or agent.is_writing)


def _works(agent: StoredAgent) -> bool:
    """Return whether there is more under way in its step than what waits."""
    return agent.journal.running > _waiting(agent)


def _waiting(agent: StoredAgent) -> int:
    return agent.journal.resting + agent.mailbox.waiting


def _say_that_it_stays(agent: StoredAgent) -> None:
    """Say once for its task that an agent waits in memory."""
    task = agent.call.task
    agent.run.services.warn_once(
        task.function, "durable.stays_awake", agent=agent.name, task=task.name
    )


def fall_asleep(agent: StoredAgent, driving: Driving) -> None:
    """Have an agent leave memory when its driving ends: a later signal or its hour wakes it.

    It is left to the store, where anybody may take it up; but one that listens to topics by the connector
    stays with this engine, which hears for it.
    """
    deadline = min([*agent.journal.deadlines, *agent.mailbox.deadlines], default=None)
    until = None if deadline is None else unix_time() + deadline - agent.run.loop.time()
    agent.sleep = Sleep(agent.mailbox.last, until)
    if agent.run.services.connector is not None and not agent.mailbox.is_deaf:
        ear = agent.ear = driving.ears[agent.name] = Ear(agent, driving)
        if deadline is not None:
            ear.wakes_at(deadline)
