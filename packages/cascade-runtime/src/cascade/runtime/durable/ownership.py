"""The agents that one engine holds: taken up, kept by renewing its leases, put to sleep, given back."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from cascade.common.messaging import bus
from cascade.interfaces.errors import LeaseLostError
from cascade.interfaces.store import Checkpoint, DurableAgent, Store
from cascade.runtime.concurrency.clock import is_simulated, unix_time
from cascade.runtime.durable.driving import MOST_ATTEMPTS, Driving, Evaluate, drive, tell_lost
from cascade.runtime.durable.hibernation import fall_asleep, may_sleep
from cascade.runtime.durable.leaving import leave_in_order
from cascade.runtime.durable.renewal import Renewal
from cascade.runtime.durable.settings import DurableSettings
from cascade.runtime.durable.telling import reported
from cascade.runtime.state.services import EngineServices

__all__ = ["Ownership"]

_POLL = 1.0  # seconds between two looks for what nobody drives
_BATCH = 100  # agents that are taken up at once


class Ownership:
    """What one engine drives.

    Attributes:
        driving: what the agents share that it drives.
        driven: the asyncio task of each of them, by name.
        owner: the name under which it holds them.
    """

    def __init__(
        self,
        store: Store,
        services: EngineServices,
        evaluate: Evaluate,
        owner: str,
        settings: DurableSettings,
    ) -> None:
        """Hold nothing yet, under the name of an owner; ``open`` begins to take up what nobody drives."""
        self.driving = Driving(store, services, evaluate, self.wake, settings)
        self.driven: dict[str, asyncio.Task[None]] = {}
        self._store = store
        self.owner = owner
        self._settings = settings
        self._loops: list[asyncio.Task[None]] = []
        self._renewal: Renewal | None = None
        self._wanted = asyncio.Event()
        self._is_open = False
        self._suspect = ""
        """The last one that was begun with its last attempt."""

        self._seen = 0
        """The number of the last signal that was looked for in all mailboxes."""

    # --- opening and closing ------------------------------------------------------------------

    def open(self) -> None:
        """Begin to take up what nobody drives, and to renew leases."""
        loop = asyncio.get_running_loop()
        self._is_open = True
        loops = (self._renew(), self._look(), self._hear_of_others())
        self._loops = [loop.create_task(each) for each in loops]
        twin = None if is_simulated(loop) else self._store.twin()
        if twin is not None:
            self._renewal = Renewal(twin, self.owner, lambda: self._settings.lease)
            self._renewal.start()

    async def drain(self, seconds: float) -> int:
        """Take up nothing more, and leave agents in good order; return how many were late for that."""
        self._is_open = False
        return await leave_in_order(self.driven, self.driving.awake, seconds)

    async def close(self) -> None:
        """Leave all agents where they are, for others to take up."""
        self._is_open = False
        for task in (*self._loops, *self.driven.values()):
            task.cancel()
        if self._loops:
            await asyncio.wait([*self._loops, *self.driven.values()])
        self._loops = []
        await self._let_sleepers_go([*self.driving.ears])
        if self._renewal is not None:
            await self._renewal.stop()
            self._renewal = None
        with reported("give leases back"):
            await self._release_all()

    async def _release_all(self) -> None:
        """Give back what is still held, such as what was being claimed when this was closed."""
        now = unix_time()
        for record in await self._owned(await self._store.renew(self.owner, now)):
            await self._release(record)

    async def _owned(self, names: Iterable[str]) -> Sequence[DurableAgent]:
        """Return those of some agents that this engine holds, as they lie in the store."""
        records = [await self._store.load(name) for name in names]
        return [each for each in records if each is not None and each.owner == self.owner]

    # --- taking up ----------------------------------------------------------------------------

    def look_soon(self) -> None:
        """Look for what is ready and nobody drives."""
        self._wanted.set()

    async def take_up(self, names: Sequence[str] | None = None) -> int:
        """Claim agents and begin to drive them; return how many."""
        if not self._is_open:
            return 0
        now = unix_time()
        records = await self._store.claim(
            self.owner,
            now,
            now + self._settings.lease,
            limit=_BATCH,
            names=names,
            labels=self._settings.labels,
        )
        begun = 0
        for record in records:
            if self._may_begin(record):
                self._begin(record)
                begun += 1
            else:
                await self._release(record)
        return begun

    def _may_begin(self, record: DurableAgent) -> bool:
        """Return whether an agent may begin, or has to wait for another one, or for another engine.

        One step may end its process again and again, and all that were taken up with it seem to do the
        same. So who has one attempt left makes it while no other such agent is there.
        """
        if not self._is_open:
            return False
        if record.attempts == MOST_ATTEMPTS:
            suspect = self.driving.awake.get(self._suspect)
            if self._suspect in self.driven and not (suspect is not None and suspect.is_proven):
                return False
            self._suspect = record.name
        return True

    async def _release(self, record: DurableAgent) -> None:
        with suppress(LeaseLostError):
            checkpoint = Checkpoint(record.name, record.epoch, unix_time(), releases=True)
            await self._store.commit(checkpoint)

    async def take_up_all(self) -> int:
        """Take up what is ready and nobody drives; return how many that were.

        Where memory is full that is one batch; the rest follows when others have left it, or at the next
        look.
        """
        taken = 0
        while found := await self.take_up():
            taken += found
            if self._is_full:
                break
        return taken

    @property
    def _is_full(self) -> bool:
        """Whether as many are in memory as may be, or more."""
        return len(self.driven) >= self._settings.most_awake

    def _begin(self, record: DurableAgent) -> None:
        self._keep(record.name, self._drive(record, self.driven.get(record.name)))

    def _keep(self, name: str, driving: Coroutine[Any, Any, None]) -> None:
        loop = asyncio.get_running_loop()
        task = self.driven[name] = loop.create_task(driving, name=f"durable agent {name!r}")
        task.add_done_callback(partial(self._note_end, name))

    async def _drive(self, record: DurableAgent, before: asyncio.Task[None] | None) -> None:
        """Drive an agent, after whoever drove it here under a lease that was lost meanwhile."""
        if before is not None:
            before.cancel()
            await asyncio.wait([before])
        await drive(record, self.driving)

    async def _drive_again(self, name: str) -> None:
        """Drive an agent that slept under a lease of this engine."""
        for record in await self._owned([name]):
            await drive(record, self.driving)
        await self._let_sleepers_go([name])  # if somebody else has decided about it

    async def _let_sleepers_go(self, names: Iterable[str]) -> None:
        """Hear no more for agents that sleep here."""
        for name in names:
            ear = self.driving.ears.pop(name, None)
            if ear is not None:
                await ear.close()

    def _note_end(self, name: str, task: asyncio.Task[None]) -> None:
        was_full = self._is_full
        if self.driven.get(name) is task:
            del self.driven[name]
        if was_full and not self._is_full:
            self.look_soon()
        ear = self.driving.ears.get(name)
        if ear is not None and ear.is_called:  # while it fell asleep; else the store did not answer
            task.get_loop().call_later(0.0 if task.cancelled() else _POLL, self.wake, [name])
        if not task.cancelled() and (error := task.exception()) is not None:
            bus.error("durable.background_failed", what=f"drive {name!r}", error=error)

    async def end(self, name: str) -> None:
        """End the driving of an agent that has ended, and hear no more for it."""
        self.stop(name)
        await self._let_sleepers_go([name])

    def stop(self, name: str) -> None:
        """End the driving of an agent, if it is driven here."""
        if name in self.driven:
            self.driven[name].cancel()

    def wake(self, names: Iterable[str]) -> None:
        """Have agents take what came into their mailboxes; one that sleeps is taken up."""
        awake, ears = self.driving.awake, self.driving.ears
        for name in names:
            if name in ears:
                ears[name].is_called = True
                if name not in self.driven and self._is_open:
                    self._keep(name, self._drive_again(name))
            elif name in awake:
                awake[name].mailbox.fetch_soon()
            elif name not in self.driven:
                self.look_soon()

    # --- loops --------------------------------------------------------------------------------

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._settings.lease / 3)
            with reported("renew leases"):
                held = await self._store.renew(self.owner, unix_time() + self._settings.lease)
                for name in self.driving.awake.keys() - held:
                    agent = self.driving.awake[name]
                    if agent.sleep is None:  # else it gives its lease back itself
                        tell_lost(agent)
                        self.stop(name)
                await self._let_sleepers_go(self.driving.ears.keys() - held - self.driven.keys())
                resting = self.driven.keys() | self.driving.ears.keys()
                for record in await self._owned(held - resting):
                    self._begin(record)  # the store failed while it was driven

    async def _look(self) -> None:
        while True:
            due: float | None = None
            with reported("take up agents"):
                slept = self._put_to_sleep(
                    0.0 if self._is_full else self._settings.hibernates_after
                )
                is_room = not (slept and self._is_full)  # else when these have left memory
                if is_room and self._settings.takes_up_all:
                    await self.take_up_all()
                due = await self._look_into_mailboxes()
            await self._until_something_is_to_do(due)

    async def _hear_of_others(self) -> None:
        while True:
            with reported("hear of letters"):
                await self._store.others_wrote()
                self.look_soon()
                continue
            await asyncio.sleep(_POLL)

    async def _look_into_mailboxes(self) -> float | None:
        """Have agents take what came from elsewhere; return when the next sleeper is due."""
        arrivals = await self._store.arrived(self.owner, self._seen)
        self._seen = arrivals.number
        self.wake(arrivals.names)
        return arrivals.due

    async def _until_something_is_to_do(self, due: float | None) -> None:
        jitter = 1.0 if is_simulated(asyncio.get_running_loop()) else random.uniform(0.8, 1.2)
        seconds = _POLL * jitter
        if due is not None and (left := due - unix_time()) > 0:  # else it is for another engine
            seconds = min(seconds, left)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wanted.wait()
        self._wanted.clear()

    def _put_to_sleep(self, idle: float) -> int:
        """Have those leave memory that have waited for so many seconds; return how many these are."""
        ready = [agent for agent in self.driving.awake.values() if may_sleep(agent, idle)]
        for agent in ready:
            fall_asleep(agent, self.driving)
            self.stop(agent.name)
        return len(ready)
