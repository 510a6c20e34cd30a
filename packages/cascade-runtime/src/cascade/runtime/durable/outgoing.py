"""How a durable agent speaks, reads the clock and sleeps: through the step that it is in.

A send goes out with the step's commit, or with the one that is made before the step waits. Both are in
the step's journal by then, so a step that runs again neither speaks twice nor sleeps anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from cascade.common.messaging import bus
from cascade.interfaces.errors import AgentFinishedError, LeaseLostError
from cascade.interfaces.protocols import Connector, MessageCallback, Payload, SubscriptionHandle
from cascade.interfaces.store import ENDED, Letter
from cascade.interfaces.topics import name_of_inbox, validate_topic
from cascade.runtime.concurrency.clock import LoopClock
from cascade.runtime.durable.telling import tell
from cascade.runtime.durable.values import write_payload
from cascade.runtime.state.position import call_id_of, position

if TYPE_CHECKING:
    from cascade.runtime.durable.agent import StoredAgent

__all__ = ["SILENCE", "Outgoing", "Post", "StoredClock", "StoredConnector"]


class Outgoing(NamedTuple):
    """A message that waits for a commit."""

    topic: str
    payload: Payload
    qos: int
    retain: bool


class Post:
    """What a step has sent, and no commit has taken along yet."""

    __slots__ = ("_agent", "_letters", "_outgoing", "_sending")

    def __init__(self, agent: StoredAgent) -> None:
        """Begin with nothing."""
        self._agent = agent
        self._letters: list[Letter] = []
        self._outgoing: list[Outgoing] = []
        self._sending: asyncio.Task[None] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing."""
        return not self._letters

    def take(self) -> tuple[list[Letter], list[Outgoing]]:
        """Return what there is, for the store and for all others; there is nothing then."""
        taken = self._letters, self._outgoing
        self._letters, self._outgoing = [], []
        return taken

    async def send(self, message: Outgoing) -> None:
        """Send with the next commit, unless the step has sent the same before.

        Raises:
            EncodeError: the payload is nothing that JSON can say.
            AgentFinishedError: it is for a durable agent that has ended.
        """
        agent = self._agent
        here, journal = position.get(), agent.journal
        place, topic = journal.here(), message.topic
        data, known = write_payload(topic, message.payload), journal.sent(place)
        if known == data:
            return
        to, sent_as = name_of_inbox(topic), call_id_of(here)
        if known is not None:
            bus.warning("durable.sent_otherwise", agent=agent.name, topic=topic, place=place)
            sent_as += f"#{blake2b(data, digest_size=8).hexdigest()}"
        receiver = None if to is None else await agent.store.load(to)
        if receiver is not None and receiver.status in ENDED:
            raise AgentFinishedError(receiver.name)
        journal.note_sent(place, data)
        self._letters.append(Letter(topic, data, to, sent_as))
        self._outgoing.append(message)
        self._agent.run.loop.call_soon(self._send_out)

    def _send_out(self) -> None:
        """Commit what was sent, unless a commit has taken it along: the step may wait for an answer."""
        if self._letters and self._sending is None:
            self._sending = self._agent.run.loop.create_task(self._park_to_send())

    async def _park_to_send(self) -> None:
        try:
            while self._letters:
                await self._agent.park()
        except LeaseLostError:
            return  # the next commit says so to whoever drives it
        except Exception as error:  # noqa: BLE001 - nobody awaits this; the step's own commit fails too
            bus.error("durable.store_failed", agent=self._agent.name, error=error)
        finally:
            self._sending = None


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
        await self._agent.post.send(Outgoing(topic, payload, qos, retain))

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
