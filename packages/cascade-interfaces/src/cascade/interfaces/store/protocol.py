"""What a store of durable agents does."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from cascade.interfaces.store.records import (
    AgentStatus,
    Arrivals,
    Checkpoint,
    DurableAgent,
    Letter,
    PastState,
    StoredSignal,
    Swept,
)

__all__ = ["Store"]


class Store(Protocol):
    """Keeps durable agents; `cascade.testing.stores` states all of this as a test suite.

    Every method may be called by any number of tasks of one event loop at the same time; what they
    change is durable when they return. Several stores of several processes may share what lies
    beneath.
    """

    async def open(self) -> None:
        """Open it, and bring what lies there to this version. Calling it again does nothing.

        Raises:
            StoreError: it cannot be opened, or was written by a newer version.
        """

    async def aclose(self) -> None:
        """Finish what was begun, and close it."""

    def twin(self) -> Store | None:
        """Return another store on the same data, for another thread; None if a process has but one."""

    async def create(self, agents: Sequence[DurableAgent]) -> list[DurableAgent]:
        """Enter agents, and hand them the dead letters that wait for their names.

        Returns:
            For each, in order, what lies there now: the one that was given, or one of that name that
            was there before and stays as it is.
        """

    async def load(self, name: str) -> DurableAgent | None:
        """Return an agent, or None."""

    async def signals(self, name: str, after: int = 0) -> list[StoredSignal]:
        """Return what lies in a mailbox with a number above ``after``, in order."""

    async def arrived(self, owner: str, after: int = 0) -> Arrivals:
        """Return which agents of an owner have signals above a number, whoever sent them."""

    async def others_wrote(self) -> None:
        """Return when other stores on the same data have put letters into mailboxes since the last call.

        It may be late, or for nothing, and does not return where there are no others.
        """

    async def claim(
        self,
        owner: str,
        now: float,
        until: float,
        *,
        limit: int = 100,
        names: Collection[str] | None = None,
        labels: Collection[str] | None = None,
    ) -> list[DurableAgent]:
        """Take agents that are ready, that nobody holds, and that are awake or due.

        Each epoch and count of attempts rises by 1.

        Args:
            owner: who takes them.
            now: a lease that ends before holds nothing any more.
            until: when the leases of this owner end, those that it has among them, unless they end later.
            limit: how many at most; those first that nobody has held for longest.
            names: these alone.
            labels: those with one of these labels alone.
        """

    async def renew(self, owner: str, until: float) -> set[str]:
        """Prolong all leases of an owner, and never shorten them; return the names of what it holds."""

    async def commit(self, checkpoint: Checkpoint) -> set[str]:
        """Commit a checkpoint; return the names of the agents whose mailboxes got a letter.

        A letter wakes an agent that sleeps.

        A letter to a name that is not there, or has ended, is kept as a dead letter. A letter whose id
        lies in a mailbox already changes nothing there.

        Raises:
            LeaseLostError: the epoch is not the agent's, or it is not ready: nothing was changed.
            StoreError: it could not be written, or, where a server was away for too long, it is not known
                whether it was; the agent's next claim tells.
        """

    async def deliver(self, letters: Sequence[Letter], at: float) -> set[str]:
        """Put letters of others into mailboxes; return as `commit` does."""

    async def decide(
        self, name: str, status: AgentStatus, at: float, *, reason: str | None = None
    ) -> DurableAgent | None:
        """Set a status from outside; the owner can commit no more. ``ready`` sets the attempts to 0.

        The reason becomes its error. To one that had ended and is ready again, dead letters are handed as
        by `create`.

        Returns:
            The agent as it lies there now; None if there is none of that name.
        """

    async def history(self, name: str) -> list[PastState]:
        """Return the earlier states of an agent that are kept, the oldest first."""

    async def fork(
        self, name: str, new_name: str, at: float, *, step: int | None = None
    ) -> DurableAgent:
        """Copy an agent's state, filters and unread signals under a new name, which nobody holds.

        The copy is ready, whatever the agent is, and without result and error; dead letters to its name
        come after the copied signals. It has no history.

        Args:
            name: the agent.
            new_name: the name of the copy.
            at: the time.
            step: the number of the state that the copy begins with, the present one or one of its history,
                which comes without a journal; None: the present one.

        Raises:
            AgentExistsError: there is one of the new name.
            StateNotKeptError: there is no such state.
            StoreError: there is none of that name.
        """

    async def list(
        self,
        *,
        statuses: Collection[AgentStatus] | None = None,
        prefix: str = "",
        after: str = "",
        limit: int = 1000,
    ) -> list[DurableAgent]:
        """Return agents by name, in order of their names, those behind ``after``."""

    async def sweep(self, ended_before: float, letters_before: float) -> Swept:
        """Remove agents that ended, and dead letters that came, before these times; all that is theirs, too."""
