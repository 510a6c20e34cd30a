"""What lies in a store of durable agents, and what is brought there. All times are Unix time in seconds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

__all__ = [
    "ENDED",
    "AgentStatus",
    "Arrivals",
    "Checkpoint",
    "DurableAgent",
    "Letter",
    "PastState",
    "Sleep",
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
    """How often it was claimed since its step began or came to wait, but for leases that were given back."""

    owner: str | None = None
    """Who holds it; None for nobody, and always once it is not ``ready``."""

    lease_until: float | None = None
    """When the leases of its owner end."""

    filters: tuple[str, ...] = ()
    """What its mailbox listens to."""

    asleep: bool = False
    """Whether it lies here alone: nobody takes it up before a letter comes, or its ``wake_at``."""

    wake_at: float | None = None
    """When it is taken up though no letter came; None: never, or it is awake."""

    journal: Mapping[str, bytes] = field(default_factory=dict)
    """Values of calls of the step that is under way, by their place."""

    result: bytes | None = None
    error: str | None = None
    """Why it failed, is stuck or blocked."""

    created_at: float = 0.0
    changed_at: float = 0.0


@dataclass(frozen=True, slots=True)
class PastState:
    """A state that an agent had before its present one."""

    step: int
    """The number of its step: `DurableAgent.step` as it was then."""

    call: bytes
    """The call that the step went on with."""

    ended_at: float
    """When the step was committed."""


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


@dataclass(frozen=True, slots=True)
class Sleep:
    """How an agent that waits is left to its store, which holds it until there is something to do."""

    seen: int
    """The number of the last signal that its owner has seen: if there is a later one, it stays awake."""

    until: float | None = None
    """When it is to be taken up though no letter came; None: only a letter wakes it."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What came into the mailboxes of one owner's agents, and when the next sleeper is due."""

    number: int
    """That of the last signal of all mailboxes."""

    names: Collection[str]
    """Whose mailboxes have signals above the number that was asked about."""

    due: float | None
    """The earliest ``wake_at`` of all that sleep."""


@dataclass(slots=True)
class Checkpoint:
    """What an agent's owner commits: everything of it or nothing.

    `status`, `result` and `error` are the agent's from now on, whatever they were. Its letters find its
    own mailbox as the checkpoint leaves it.
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

    result: bytes | None = None
    error: str | None = None
    releases: bool = False
    """Whether the lease is given back; the claim then counts as no attempt."""

    waits: bool = False
    """Whether it came as far as it can without others, within a step: attempts are 0."""

    history: int = 0
    """With ``call``: how many of the states before it are kept from now on, the last ones; 0: the state
    that ends here is not."""

    sleep: Sleep | None = None
    """With ``releases``: that nobody takes it up before it has something to do."""

    @property
    def is_plain_step(self) -> bool:
        """Whether it moves on, and changes nothing else but mailboxes; stores do those by the group."""
        return (
            self.call is not None
            and self.status == "ready"
            and self.filters is None
            and not self.releases
            and not self.waits
            and not self.journal
            and not self.history
            and self.result is None
            and self.error is None
        )

    @property
    def falls_asleep(self) -> Sleep | None:
        """How it is left to its store, if it is."""
        return self.sleep if self.releases and self.status == "ready" else None


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removed."""

    agents: int = 0
    letters: int = 0
