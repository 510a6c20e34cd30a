"""How a durable agent speaks, reads the clock and sleeps: through the step that it is in.

A send goes out with the step's commit, or with the one that is made before the step waits. Both are in
the step's journal by then, so a step that runs again neither speaks twice nor sleeps anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from cascade.interfaces.protocols import Connector, MessageCallback, Payload, SubscriptionHandle
from cascade.interfaces.topics import validate_topic
from cascade.runtime.concurrency.clock import LoopClock
from cascade.runtime.durable.telling import tell

if TYPE_CHECKING:
    from cascade.runtime.durable.agent import StoredAgent

__all__ = ["SILENCE", "Outgoing", "StoredClock", "StoredConnector"]


class Outgoing(NamedTuple):
    """A message that waits for a commit."""

    topic: str
    payload: Payload
    qos: int
    retain: bool


class StoredConnector:
    """The engine's connector as a durable agent has it."""

    def __init__(self, agent: StoredAgent, connector: Connector | None) -> None:
        """Send through the agent, and subscribe at the connector, if the engine has one."""
        self._agent = agent
        self._connector = connector
        self.carries_properties = False

    @property
    def connected(self) -> bool:
        """Whether the engine's connector is connected; without one, agents hear each other by the store."""
        return self._connector is None or self._connector.connected

    async def connect(self) -> None:
        """Do nothing: the engine has connected it."""

    async def disconnect(self) -> None:
        """Do nothing: the engine disconnects it."""

    async def publish(
        self, topic: str, payload: Payload, qos: int = 0, retain: bool = False
    ) -> None:
        """Send with the next commit of the agent, once.

        Raises:
            InvalidTopicError: the topic is not a valid topic name.
            EncodeError: the payload is nothing that JSON can say.
            AgentFinishedError: it is for a durable agent that has ended.
        """
        validate_topic(topic)
        await self._agent.send(Outgoing(topic, payload, qos, retain))

    async def subscribe(
        self, topic: str | Sequence[str], callback: MessageCallback
    ) -> SubscriptionHandle:
        """Subscribe at the engine's connector, for an agent that the step has begun.

        What that one hears lies in memory alone, so the step cannot be left and gone on with.
        """
        self._agent.journal.is_whole = False
        return await (self._connector or SILENCE).subscribe(topic, callback)


class _Silence:
    """What an engine without a connector hears: nothing."""

    connected = True

    async def connect(self) -> None:
        """Do nothing."""

    async def disconnect(self) -> None:
        """Do nothing."""

    async def publish(
        self, topic: str, payload: Payload, qos: int = 0, retain: bool = False
    ) -> None:
        """Do nothing: nobody is there."""

    async def subscribe(
        self, _topic: str | Sequence[str], _callback: MessageCallback
    ) -> SubscriptionHandle:
        """Return a handle of what nothing can come by."""
        return self

    async def unsubscribe(self) -> None:
        """Do nothing."""


SILENCE: Connector = _Silence()
"""In the place of a connector, where an engine has none."""


class StoredClock(LoopClock):
    """The run's clock, whose sleeps end at the hour that they were begun for."""

    __slots__ = ("_agent",)

    def __init__(self, agent: StoredAgent, loop: asyncio.AbstractEventLoop) -> None:
        """Tell the loop's time."""
        super().__init__(loop)
        self._agent = agent

    async def sleep(self, seconds: float) -> None:
        """Suspend until so many seconds after the step first came here."""
        await self.rest(self._agent.journal.time_left(seconds))

    async def rest(self, seconds: float) -> None:
        """Suspend for so many seconds from now, with what the step has so far committed."""
        agent = self._agent
        await agent.park(waits=seconds > 0)
        tell(agent.run.services, agent.name, "parked")
        journal, when = agent.journal, self.time() + seconds
        journal.resting += 1
        journal.deadlines.append(when)
        try:
            await super().sleep(seconds)
        finally:
            journal.resting -= 1
            journal.deadlines.remove(when)
            journal.touch()
