"""One durable agent driven by this process, from its last commit until it ends or is left to others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import msgspec

from cascade.common.messaging import bus
from cascade.common.messaging.secrets import masked
from cascade.interfaces.errors import DecodeError, LeaseLostError, StoreUnavailableError
from cascade.interfaces.errors.frames import hide_own_frames
from cascade.interfaces.store import DurableAgent, Store
from cascade.runtime.concurrency.clock import unix_time
from cascade.runtime.concurrency.futures import wait_to_the_end
from cascade.runtime.durable.agent import Left, StoredAgent, Unwritable
from cascade.runtime.durable.ear import Ear
from cascade.runtime.durable.run import StoredRun
from cascade.runtime.durable.said import Said
from cascade.runtime.durable.settings import DurableSettings
from cascade.runtime.durable.telling import reported, tell
from cascade.runtime.state.services import EngineServices
from cascade.spec.codec import decode

__all__ = ["MOST_ATTEMPTS", "Driving", "Evaluate", "drive", "tell_lost"]

MOST_ATTEMPTS = 5
"""How often a step is tried that comes neither to its end nor to a wait, before its agent is stuck."""

Evaluate: TypeAlias = Callable[[Any, Any], Coroutine[Any, Any, Any]]
"""``evaluate(agent, call)`` gives the call's value."""


@dataclass
class Driving:
    """What the agents that one engine drives share."""

    store: Store
    services: EngineServices
    evaluate: Evaluate

    wake: Callable[[Iterable[str]], None]
    """Told the names of agents that a commit has sent something to."""

    settings: DurableSettings
    awake: dict[str, StoredAgent] = field(default_factory=dict)
    """Those that are driven, by name."""

    ears: dict[str, Ear] = field(default_factory=dict)
    """What hears for those that this engine holds, and that have left memory, by name."""

    said: Said = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing said."""
        self.said = Said(self.store)


async def drive(record: DurableAgent, driving: Driving) -> None:
    """Drive an agent from its last commit on, until it ends, is stopped, or loses its lease."""
    name = record.name
    if record.attempts > MOST_ATTEMPTS:
        reason = f"{record.attempts - 1} attempts ended without a commit"
        bus.error("durable.stuck", agent=name, reason=reason)
        await _set_aside(name, "stuck", reason, driving)
        return
    try:
        call, params = decode(record.call), _read_params(record.params)
    except DecodeError as error:
        bus.error("durable.blocked", agent=name, reason=str(error))
        await _set_aside(name, "blocked", str(error), driving)
        return
    run = StoredRun(driving.services, name, params)
    agent = StoredAgent(run, record, call, driving)
    driving.awake[name] = agent
    tell(driving.services, name, "taken-up")
    try:
        await _evaluate_and_commit(agent, call, driving)
    except LeaseLostError:
        tell_lost(agent)
    except Left:
        with reported("give a lease back"):
            await _release(agent)
    except asyncio.CancelledError:
        with reported("give a lease back"):
            releasing = asyncio.ensure_future(_release(agent))
            await wait_to_the_end([releasing])
            releasing.result()
        raise
    finally:
        del driving.awake[name]


def tell_lost(agent: StoredAgent) -> None:
    """Tell once that somebody else drives an agent, or has ended it."""
    if not agent.is_lost:
        agent.is_lost = True
        bus.warning("durable.lease_lost", agent=agent.name)
        tell(agent.run.services, agent.name, "lost")


async def _set_aside(
    name: str, status: Literal["stuck", "blocked"], reason: str, driving: Driving
) -> None:
    await driving.store.decide(name, status, unix_time(), reason=reason)
    tell(driving.services, name, status, reason)


async def _evaluate_and_commit(agent: StoredAgent, call: Any, driving: Driving) -> None:
    try:
        await agent.open(driving.ears)
        value = await driving.evaluate(agent, call)
    except (LeaseLostError, StoreUnavailableError, Left):
        raise
    except Unwritable as error:
        reason = str(error.__cause__)
        await agent.fail("blocked", reason)
        bus.error("durable.blocked", agent=agent.name, reason=reason)
        tell(driving.services, agent.name, "blocked", reason)
    except Exception as error:  # noqa: BLE001 - what a task raised ends the agent, and is told
        hide_own_frames(error)
        reason = masked(f"{type(error).__name__}: {error}")
        await agent.fail("failed", reason)  # first: who has lost its lease has no say
        bus.error("durable.failed", agent=agent.name, error=error)
        tell(driving.services, agent.name, "failed", reason)
    else:
        await agent.finish(value)
        tell(driving.services, agent.name, "finished")


async def _release(agent: StoredAgent) -> None:
    try:
        if agent.ear is None or agent.sleep is None:
            await agent.release()
        else:
            await agent.rest()
            agent.ear.is_called |= bool(await agent.store.signals(agent.name, agent.sleep.seen))
    except LeaseLostError:  # it has been taken, or was cancelled for good: nothing to give back
        if agent.ear is not None:
            agent.ear.is_called = True  # so that it is found out, and heard for no more
        return
    tell(agent.run.services, agent.name, "left" if agent.sleep is None else "asleep")


def _read_params(data: bytes) -> Mapping[str, Any]:
    """Return the parameters that an agent was started with."""
    try:
        return msgspec.json.decode(data, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise DecodeError("params", str(error)) from error
