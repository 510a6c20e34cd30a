"""A durable agent while it is driven: an agent whose steps are committed to a store.

Between two steps its state is one call. Within a step a journal keeps, by the place of each call, what
must not be done twice when the step runs again: what was sent, until when it sleeps, and, where the step
waits, the values that its tasks have given so far.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from cascade.common.messaging import bus
from cascade.interfaces.errors import AgentFinishedError, EncodeError, LeaseLostError
from cascade.interfaces.store import ENDED, AgentStatus, Checkpoint, DurableAgent, Letter
from cascade.interfaces.topics import Filters, name_of_inbox
from cascade.runtime.concurrency.clock import unix_time
from cascade.runtime.durable.mailbox import StoredMailbox
from cascade.runtime.durable.outgoing import Outgoing, StoredClock, StoredConnector
from cascade.runtime.durable.run import StoredRun
from cascade.runtime.durable.values import read_value, write_payload, write_value
from cascade.runtime.durable.waiting import UNTIL
from cascade.runtime.state.agent import Agent
from cascade.runtime.state.position import place_of, position
from cascade.runtime.state.run import NOT_JOURNALED
from cascade.spec.codec import encode
from cascade.spec.task import Task

if TYPE_CHECKING:
    from cascade.runtime.durable.driving import Driving

__all__ = ["StoredAgent", "Unwritable"]


class Unwritable(Exception):  # noqa: N818 - it carries its cause to whoever drives the agent
    """A step's next call cannot be written: the agent stays at its last commit."""


class StoredAgent(Agent):
    """An agent that a store keeps, driven by this process for as long as it has the lease.

    Attributes:
        record: as it was claimed.
        store: where it lies.
        call: the call of the step that is under way.
        said: what it and others of its engine say just now.
        consumed: the numbers of the signals that the step took, in no order.
    """

    __slots__ = (
        "_filters",
        "_journal",
        "_letters",
        "_on_sent",
        "_outgoing",
        "_sending",
        "_step_random",
        "_unwritten",
        "_values",
        "call",
        "consumed",
        "record",
        "said",
        "store",
    )

    run: StoredRun

    def __init__(self, run: StoredRun, record: DurableAgent, call: Any, driving: Driving) -> None:
        """Go on where it left.

        Args:
            run: its run.
            record: as it was claimed.
            call: the call that it goes on with.
            driving: what it shares with others that this engine drives.
        """
        super().__init__(run, record.name)
        run.agent, run.journal = self, self
        run.connector = StoredConnector(self, run.services.connector)
        run.clock = StoredClock(self, run.loop)
        self.record, self.store, self.call = record, driving.store, call
        self.steps = record.step
        self.said, self._on_sent = driving.said, driving.wake
        self.consumed: set[int] = set()
        self._journal = dict(record.journal)
        self._unwritten: dict[str, bytes] = {}
        self._values: dict[str, tuple[Task[..., Any], Any]] = {}
        self._letters: list[Letter] = []
        self._outgoing: list[Outgoing] = []
        self._sending: asyncio.Task[None] | None = None
        self._filters = dict.fromkeys(record.filters)
        self._step_random: tuple[int, random.Random] | None = None

    @property
    def random(self) -> random.Random:
        """Random numbers by agent and step, so that a step that runs again has the same."""
        if self._step_random is None or self._step_random[0] != self.steps:
            seed = f"{self.run.services.seed}/{self.name}/{self.steps}"
            self._step_random = self.steps, random.Random(seed)
        return self._step_random[1]

    # --- its mailbox --------------------------------------------------------------------------

    @property
    def mailbox(self) -> StoredMailbox:
        """Its mailbox."""
        if self._mailbox is None:
            self._mailbox = StoredMailbox(self)
        return self._mailbox  # type: ignore[return-value]  # made above

    def mailbox_on(self, _connector: Any) -> StoredMailbox:
        """Return its mailbox."""
        return self.mailbox

    async def open(self) -> None:
        """Listen to what it listened to, and take what lies in its mailbox."""
        for topic_filter in self.record.filters:
            await self.listen((topic_filter,))
        await self.mailbox.fetch_soon()

    def hear(self, filters: Filters) -> None:
        """Have its mailbox in the store hear these filters, too, from the next commit on."""
        self._filters.update(dict.fromkeys(filters))

    # --- within a step ------------------------------------------------------------------------

    def journaled(self, task: Task[..., Any]) -> tuple[str, Any]:
        """Return the place of the call that is under way, and its value if the journal has one."""
        place = place_of(position.get())
        data = self._journal.get(place)
        return place, NOT_JOURNALED if data is None else read_value(task, data)

    async def remember(self, place: str, task: Task[..., Any], value: Any, *, now: bool) -> None:
        """Have a value journaled before the step waits, or at once."""
        self._values[place] = task, value
        if now:
            await self.park()

    def time_left(self, seconds: float) -> float:
        """Return how much is left of a time that began when the step first came to this place."""
        place = f"{place_of(position.get())}{UNTIL}"
        known = self._journal.get(place)
        if known is not None:
            return max(0.0, float(known) - unix_time())
        self._write(place, repr(unix_time() + seconds).encode())
        return seconds

    async def send(self, message: Outgoing) -> None:
        """Send with the next commit, unless the step has sent the same before.

        Raises:
            EncodeError: the payload is nothing that JSON can say.
            AgentFinishedError: it is for a durable agent that has ended.
        """
        place = place_of(position.get())
        topic, sent = message.topic, f"{place}!sent"
        data, known = write_payload(topic, message.payload), self._journal.get(sent)
        if known == data:
            return
        to, sent_as = name_of_inbox(topic), f"{self.name}@{place}"
        if known is not None:
            bus.warning("durable.sent_otherwise", agent=self.name, topic=topic, place=place)
            sent_as += f"#{blake2b(data, digest_size=8).hexdigest()}"
        receiver = None if to is None else await self.store.load(to)
        if receiver is not None and receiver.status in ENDED:
            raise AgentFinishedError(receiver.name)
        self._write(sent, data)
        self._letters.append(Letter(topic, data, to, sent_as))
        self._outgoing.append(message)
        self.run.loop.call_soon(self._send_out)

    def _send_out(self) -> None:
        """Commit what was sent, unless a commit has taken it along: the step may wait for an answer."""
        if self._letters and self._sending is None:
            self._sending = self.run.loop.create_task(self._park_to_send())

    async def _park_to_send(self) -> None:
        try:
            while self._letters:
                await self.park()
        except LeaseLostError:
            return  # the next commit says so to whoever drives it
        except Exception as error:  # noqa: BLE001 - nobody awaits this; the step's own commit fails too
            bus.error("durable.store_failed", agent=self.name, error=error)
        finally:
            self._sending = None

    def _write(self, place: str, data: bytes) -> None:
        self._journal[place] = self._unwritten[place] = data

    async def park(self) -> None:
        """Commit what the step has so far, since it is about to wait."""
        for place, (task, value) in self._values.items():
            try:
                self._write(place, write_value(task, value))
            except EncodeError as error:
                self.run.services.warn_once(
                    task.function, "durable.not_journaled", task=task.name, reason=str(error)
                )
        self._values = {}
        hears = tuple(dict.fromkeys([*self._filters, *self.mailbox.awaited()]))
        if self._unwritten or self._letters or hears != self.record.filters:
            await self._commit(filters=hears)

    # --- commits ------------------------------------------------------------------------------

    async def checkpoint(self, call: Any) -> None:
        """Commit the step that has come to its end: the next one begins with this call.

        Raises:
            Unwritable: the call would not come back as it is.
        """
        if call is self.call:  # the step that was taken up
            return
        try:
            data = encode(call)
        except EncodeError as error:
            raise Unwritable from error
        self.call = call
        await self._commit(call=data, filters=tuple(self._filters))

    async def finish(self, value: Any) -> None:
        """Commit the last step with its value."""
        result, reason = None, None
        try:
            result = write_value(self.call.task, value)
        except EncodeError as error:
            reason = f"its value was not kept: {error}"
            bus.warning("durable.result_lost", agent=self.name, reason=str(error))
        await self._commit(status="finished", result=result, error=reason)

    async def fail(self, status: AgentStatus, reason: str) -> None:
        """Commit that it does not go on, and why; what the step has sent, has happened."""
        self._letters, self._outgoing = [], []
        await self._commit(status=status, error=reason)

    async def release(self) -> None:
        """Give the lease back: somebody else may go on from the last commit."""
        self._letters, self._outgoing, self._unwritten = [], [], {}
        await self._commit(releases=True)

    async def _commit(
        self,
        *,
        call: bytes | None = None,
        status: AgentStatus = "ready",
        filters: tuple[str, ...] | None = None,
        result: bytes | None = None,
        error: str | None = None,
        releases: bool = False,
    ) -> None:
        if filters == self.record.filters:
            filters = None  # as before: stores do a step that changes nothing else by the group
        ends_step = call is not None or status == "finished"
        consumed = tuple(self.consumed) if ends_step else ()
        letters, self._letters = self._letters, []
        outgoing, self._outgoing = self._outgoing, []
        written, self._unwritten = self._unwritten, {}
        sent_to = await self.store.commit(
            Checkpoint(
                self.name,
                self.record.epoch,
                unix_time(),
                call=call,
                status=status,
                consumed=consumed,
                letters=letters,
                journal={} if ends_step else written,
                filters=filters,
                result=result,
                error=error,
                releases=releases or status != "ready",
            )
        )
        if filters is not None:
            self.record = replace(self.record, filters=filters)
        if ends_step:
            self._journal, self._values = {}, {}
            self.consumed.difference_update(consumed)
        self._on_sent(sent_to)
        for message in outgoing:
            await self._publish(message)

    async def _publish(self, message: Outgoing) -> None:
        """Say to those who are no durable agents of this store what these have got by the commit."""
        connector = self.run.services.connector
        if connector is not None:
            await self.said.publish(connector, message, self.record)
