"""What stays in memory of an agent that sleeps while it listens to topics by a connector: its ear."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cascade.common.messaging import bus
from cascade.runtime.durable.hearing import Hearing, Moved
from cascade.runtime.signals.source import Source

if TYPE_CHECKING:
    from cascade.runtime.durable.agent import StoredAgent
    from cascade.runtime.durable.driving import Driving

__all__ = ["Ear"]

_AGAIN = 1.0  # seconds until what could not be stored is tried again


class Ear(Hearing):
    """Hears for an agent by the subscriptions that it had, and has it woken.

    They are the same ones all the time: nothing is lost and nothing comes twice between falling asleep and
    waking, and what is retained is not sent again.

    Attributes:
        is_called: whether the agent is to be taken up as soon as it has left memory.
    """

    __slots__ = ("_closed", "_driving", "_storing", "_timer", "is_called")

    def __init__(self, agent: StoredAgent, driving: Driving) -> None:
        """Take over what the mailbox of an agent hears that is about to leave memory."""
        mailbox = agent.mailbox
        loop = agent.run.loop
        super().__init__(agent.name, driving.said, mailbox.connector, loop, 0, "wait")
        self._driving = driving
        self._storing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self.is_called = False
        self.take_over(mailbox.move_out())

    def wakes_at(self, when: float) -> None:
        """Have the agent woken at a time of the loop."""
        self._timer = self._loop.call_at(when, self._driving.wake, (self.name,))

    def backlog(self, _source: Source) -> int | None:
        """Return that nothing lies before the next signal: each one wakes the agent."""
        return 0

    def store_soon(self) -> None:
        """Have what arrives stored, which wakes the agent."""
        if self._storing is None:
            self._storing = self._loop.create_task(self._store())

    async def _store(self) -> None:
        try:
            while self.arriving:
                try:
                    await self.put_into(self._driving.store)
                except Exception as error:  # noqa: BLE001 - nobody awaits this; it is tried again
                    bus.error("durable.store_failed", agent=self.name, error=error)
                    if self._closed:
                        return
                    await asyncio.sleep(_AGAIN)
        finally:
            self._storing = None
        self._driving.wake((self.name,))

    async def settle(self) -> None:
        """Wait until all that came is in the store."""
        while self.looking or self._storing is not None:
            await (asyncio.sleep(0) if self._storing is None else asyncio.wait([self._storing]))

    def move_out(self) -> Moved:
        """Give up its subscriptions, which go on."""
        if self._timer is not None:
            self._timer.cancel()
        sources, self._sources = self._sources, []
        return Moved(sources, self._heard, self._muted)

    async def close(self) -> int:
        """End its subscriptions."""
        self._closed = True
        for source in self.move_out().sources:
            await source.close()
        if self._storing is not None:
            await asyncio.wait([self._storing])
        return 0
