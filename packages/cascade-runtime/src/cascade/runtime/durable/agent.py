"""A durable agent while it is driven: an agent whose steps are committed to a store.

Between two steps its state is one call. Within a step its `Journal` keeps what must not be done twice
when the step runs again.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cascade.common.messaging import bus
from cascade.interfaces.errors import EncodeError
from cascade.interfaces.store import AgentStatus, Checkpoint, DurableAgent, Sleep
from cascade.interfaces.topics import Filters
from cascade.runtime.concurrency.clock import unix_time
from cascade.runtime.durable.journal import Journal
from cascade.runtime.durable.mailbox import StoredMailbox
from cascade.runtime.durable.outgoing import Outgoing, Post, StoredClock, StoredConnector
from cascade.runtime.durable.run import StoredRun
from cascade.runtime.durable.values import write_value
from cascade.runtime.state.agent import Agent
from cascade.spec.codec import encode

if TYPE_CHECKING:
    from cascade.runtime.durable.driving import Driving
    from cascade.runtime.durable.ear import Ear

__all__ = ["Left", "StoredAgent", "Unwritable"]


_LARGE = 256 * 1024  # bytes that a step may write without being told of


class Unwritable(Exception):  # noqa: N818 - it carries its cause to whoever drives the agent
    """A step's next call cannot be written: the agent stays at its last commit."""


class Left(Exception):  # noqa: N818 - nothing is wrong
    """A step has come to its commit, and the agent is to go on elsewhere."""


class StoredAgent(Agent):
    """An agent that a store keeps, driven by this process for as long as it has the lease.

    Attributes:
        record: as it was claimed.
        store: where it lies.
        call: the call of the step that is under way.
        settings: how its engine holds it.
        said: what it and others of its engine say just now.
        consumed: the numbers of the signals that the step took, in no order.
        is_lost: whether it was told that somebody else drives it.
        leaves: whether it goes on elsewhere once its step has come to its commit.
        ear: what hears for it from now on, if it is to leave memory and listens by a connector.
        sleep: how it is left to the store, if it is to leave memory.
        journal: what the step has so far.
        post: what it has sent, and no commit has taken along yet.
    """

    __slots__ = (
        "_attempts",
        "_committing",
        "_filters",
        "_on_sent",
        "_step_random",
        "_taken_up_with",
        "call",
        "consumed",
        "ear",
        "is_lost",
        "journal",
        "leaves",
        "post",
        "record",
        "said",
        "settings",
        "sleep",
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
        run.agent = self
        run.journal = self.journal = Journal(self, record.journal)
        run.connector = StoredConnector(self, run.services.connector)
        run.clock = StoredClock(self, run.loop)
        self.record, self.store, self.call = record, driving.store, call
        self.steps = record.step
        self.settings = driving.settings
        self.said, self._on_sent = driving.said, driving.wake
        self.consumed: set[int] = set()
        self.post = Post(self)
        self.sleep: Sleep | None = None
        self.ear: Ear | None = None
        self.is_lost = self.leaves = False
        self._committing = 0
        self._attempts = record.attempts
        self._taken_up_with = self.journal.awaited
        """What the step waited for when it was left: its mailbox hears that until the step ends."""

        kept = [each for each in record.filters if each not in self._taken_up_with]
        self._filters = dict.fromkeys(kept)
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

    async def open(self, ears: dict[str, Ear]) -> None:
        """Listen to what it listened to, and take what lies in its mailbox."""
        mailbox = self.mailbox
        if (ear := ears.get(self.name)) is not None:
            await ear.settle()
            del ears[self.name]  # in the same turn, or a message could come between
            mailbox.take_over(ear.move_out())
        for topic_filter in tuple(self._filters):
            if not mailbox.hears((topic_filter,)):
                await self.listen((topic_filter,))
        if not mailbox.hears(self._taken_up_with):
            await mailbox.listen_for_this_step(self._taken_up_with)
        await mailbox.fetch_soon()

    def hear(self, filters: Filters) -> None:
        """Have its mailbox in the store hear these filters, too, from the next commit on."""
        self._filters.update(dict.fromkeys(filters))

    # --- within a step ------------------------------------------------------------------------

    async def park(self, *, waits: bool = False) -> None:
        """Commit what the step has so far, since it may be about to wait, or waits for sure."""
        journal = self.journal
        journal.touch()
        journal.encode_values()
        awaited = [each for each in self.mailbox.awaited() if each not in self._filters]
        journal.note_awaited(tuple(dict.fromkeys([*self._taken_up_with, *awaited])))
        hears = (*self._filters, *journal.awaited)
        waits = waits and self._attempts > 1
        if waits or journal.has_unwritten or not self.post.is_empty or hears != self.record.filters:
            await self._commit(filters=hears, waits=waits)

    @property
    def is_proven(self) -> bool:
        """Whether it has come to the end of a step, or to a wait, since it was taken up."""
        return not self._attempts

    @property
    def is_writing(self) -> bool:
        """Whether a commit is under way, or about to be."""
        return self._committing > 0 or not self.post.is_empty

    # --- commits ------------------------------------------------------------------------------

    async def checkpoint(self, call: Any) -> None:
        """Commit the step that has come to its end: the next one begins with this call.

        Raises:
            Unwritable: the call would not come back as it is.
            Left: it is committed, and the agent leaves.
        """
        if call is self.call:  # the step that was taken up
            return
        try:
            data = encode(call)
        except EncodeError as error:
            raise Unwritable from error
        if len(data) > _LARGE:
            self.run.services.warn_once(
                call.task.function,
                "durable.large_state",
                agent=self.name,
                task=call.task.name,
                kilobytes=len(data) // 1024,
            )
        self.call = call
        if self._taken_up_with:
            self._taken_up_with = ()
            await self.mailbox.end_step()
        await self._commit(call=data, filters=tuple(self._filters))
        if self.leaves:
            raise Left

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
        self.post.take()
        await self._commit(status=status, error=reason)

    async def rest(self) -> None:
        """Keep the lease, and leave memory, with what the step has so far in the store."""
        self.journal.encode_values()
        if self.journal.has_unwritten:
            await self._commit()

    async def release(self) -> None:
        """Give the lease back: somebody else may go on, with what the step has so far."""
        self.journal.encode_values()
        await self._commit(releases=True, sleep=self.sleep)

    async def _commit(
        self,
        *,
        call: bytes | None = None,
        status: AgentStatus = "ready",
        filters: tuple[str, ...] | None = None,
        releases: bool = False,
        **more: Any,
    ) -> None:
        """Commit a `Checkpoint` with these fields, after what the agent says to others is published."""
        if filters == self.record.filters:
            filters = None  # as before: stores do a step that changes nothing else by the group
        ends_step = call is not None or status == "finished"
        letters, outgoing = self.post.take()
        written = self.journal.take_unwritten()
        checkpoint = Checkpoint(
            self.name,
            self.record.epoch,
            unix_time(),
            call=call,
            status=status,
            consumed=tuple(self.consumed) if ends_step else (),
            letters=letters,
            history=self.settings.history,
            journal={} if ends_step else written,
            filters=filters,
            releases=releases or status != "ready",
            **more,
        )
        self._committing += 1
        try:
            for message in outgoing:
                await self._publish(message)
            sent_to = await self.store.commit(checkpoint)
        finally:
            self._committing -= 1
        self._note_commit(checkpoint, ends_step=ends_step)
        self._on_sent(sent_to)

    def _note_commit(self, checkpoint: Checkpoint, *, ends_step: bool) -> None:
        if checkpoint.filters is not None:
            self.record = replace(self.record, filters=checkpoint.filters)
        if checkpoint.waits or ends_step:
            self._attempts = 0
        if ends_step:
            self.journal.clear()
            self.consumed.difference_update(checkpoint.consumed)

    async def _publish(self, message: Outgoing) -> None:
        """Say to those who are no durable agents of this store what these get by the commit."""
        connector = self.run.services.connector
        if connector is not None:
            await self.said.publish(connector, message, self.record)
