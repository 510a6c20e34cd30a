"""What durable agents lie in: the `Store` protocol, and the records that go through it.

An agent's whole state between two steps is one call, as JSON. A store keeps that, the agent's mailbox,
and who is driving it. All times are Unix time in seconds, and are given by the caller.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

__all__ = [
    "ENDED",
    "AgentStatus",
    "Checkpoint",
    "DurableAgent",
    "Letter",
    "Store",
    "StoredSignal",
    "Swept",
]

AgentStatus = Literal["ready", "finished", "failed", "cancelled", "stuck", "blocked"]
"""``ready`` has steps to come, whether somebody drives it or not; ``stuck`` failed to commit too often;
``blocked`` cannot be taken up by this code. Only ``ready`` ones are claimed; ``finished``, ``failed`` and
``cancelled`` ones have ended."""

ENDED: frozenset[AgentStatus] = frozenset({"finished", "failed", "cancelled"})
"""The statuses of agents that have ended: they take no letters, and are swept after a time."""


@dataclass(frozen=True, slots=True)
class DurableAgent:
    """An agent as it lies in a store."""

    name: str
    start: bytes
    """The call that it began with."""

    call: bytes
    """The call that it goes on with."""

    label: str = ""
    """Which workers may drive it; empty for any."""

    params: bytes = b"{}"
    status: AgentStatus = "ready"
    step: int = 0
    """How many steps it has committed."""

    epoch: int = 0
    """Rises with every claim: what an older one commits is refused."""

    attempts: int = 0
    """How often it was claimed since its last step was committed, but for leases that were given back."""

    owner: str | None = None
    """Who holds it; None for nobody, and always once it is not ``ready``."""

    lease_until: float | None = None
    """When the leases of its owner end."""

    filters: tuple[str, ...] = ()
    """What its mailbox listens to."""

    wake_at: float | None = None
    """When a wait of its step ends, if it has one."""

    journal: Mapping[str, bytes] = field(default_factory=dict)
    """Values of calls of the step that is under way, by their place."""

    result: bytes | None = None
    error: str | None = None
    """Why it failed, is stuck or blocked."""

    created_at: float = 0.0
    changed_at: float = 0.0


@dataclass(slots=True)
class Letter:
    """A signal on its way to durable mailboxes.

    Treat it as frozen, and a `Checkpoint` too: to enforce that would cost each step 3 µs.
    """

    topic: str
    payload: bytes
    to: str | None = None
    """The name of the one agent it is for; None: for all that have not ended and whose filters match
    the topic. Shared filters (``$share/…``) match nothing here: those are a connector's."""

    id: str | None = None
    """The ``call_id`` of what sent it; a mailbox holds one letter of an id, and so do the dead letters
    to a name."""


@dataclass(frozen=True, slots=True)
class StoredSignal:
    """A letter in a mailbox."""

    number: int
    """Its place in the order of all that came to this mailbox; none comes twice, and some are left out."""

    topic: str
    payload: bytes
    id: str | None = None


@dataclass(slots=True)
class Checkpoint:
    """What an agent's owner commits: everything of it or nothing.

    `status`, `wake_at`, `result` and `error` are the agent's from now on, whatever they were. Its letters
    find its own mailbox as the checkpoint leaves it.
    """

    name: str
    epoch: int
    """As claimed."""

    at: float
    call: bytes | None = None
    """The call of the next step: `DurableAgent.step` rises, the journal is emptied, attempts are 0. None
    within a step."""

    status: AgentStatus = "ready"
    consumed: Collection[int] = ()
    """Numbers of signals that are taken out of its mailbox."""

    letters: Sequence[Letter] = ()
    journal: Mapping[str, bytes] = field(default_factory=dict)
    """Values that are added to the journal, after it was emptied."""

    filters: tuple[str, ...] | None = None
    """What the mailbox listens to from now on; None: as before."""

    wake_at: float | None = None
    result: bytes | None = None
    error: str | None = None
    releases: bool = False
    """Whether the lease is given back; the claim then counts as no attempt."""

    @property
    def is_plain_step(self) -> bool:
        """Whether it moves on, and changes nothing else but mailboxes; stores do those by the group."""
        return (
            self.call is not None
            and self.status == "ready"
            and self.filters is None
            and not self.releases
            and not self.journal
            and self.wake_at is None
            and self.result is None
            and self.error is None
        )


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removed."""

    agents: int = 0
    letters: int = 0


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
        """Take agents that are ready and that nobody holds; each epoch and count of attempts rises by 1.

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

    async def fork(self, name: str, new_name: str, at: float) -> DurableAgent:
        """Copy an agent's state, filters and unread signals under a new name, which nobody holds.

        The copy is ready, whatever the agent is, and without result and error; dead letters to its name
        come after the copied signals.

        Raises:
            AgentExistsError: there is one of the new name.
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
        """Remove agents that ended, with all that is theirs, and dead letters that came, before these times."""
