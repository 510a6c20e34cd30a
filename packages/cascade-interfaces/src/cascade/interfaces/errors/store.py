"""What goes wrong with durable agents, and between them and the store that they lie in."""

from __future__ import annotations

from collections.abc import Sequence

from cascade.interfaces.errors.base import CascadeError

__all__ = [
    "AgentExistsError",
    "AgentFailedError",
    "AgentFinishedError",
    "LeaseLostError",
    "NoStoreError",
    "StateNotKeptError",
    "StoreError",
    "StoreUnavailableError",
]


class StoreError(CascadeError, RuntimeError):
    """A store that cannot be opened, read or written; its text says why, and what to do."""


class StoreUnavailableError(StoreError):
    """A store that was not to be reached for too long; nothing is wrong with what it was to do."""


class LeaseLostError(StoreError):
    """A checkpoint of an agent that somebody else has taken, or that is not to go on.

    Attributes:
        name: the agent's name.
        epoch: the epoch that the checkpoint was made in.
    """

    def __init__(self, name: str, epoch: int) -> None:
        """Name the agent, and the epoch that is over."""
        super().__init__(
            f"the lease on agent {name!r} is lost: epoch {epoch} is over, or the agent has ended; "
            "nothing of this checkpoint was stored, and who holds the agent now goes on from the last one"
        )
        self.name = name
        self.epoch = epoch


class AgentExistsError(StoreError):
    """There is a durable agent of that name already.

    Attributes:
        name: the agent's name.
    """

    def __init__(self, name: str) -> None:
        """Name the agent."""
        super().__init__(f"there is an agent {name!r} already; choose another name")
        self.name = name


class StateNotKeptError(StoreError):
    """A fork from an earlier state that the store does not have.

    Attributes:
        name: the agent's name.
        step: the number of the state.
    """

    def __init__(self, name: str, step: int, kept: Sequence[int]) -> None:
        """Name the agent, the state, and those that there are."""
        super().__init__(
            f"of the agent {name!r} no state of step {step} is kept, but of "
            f"{', '.join(map(str, kept))}; engine.agents.settings.history says how many are"
        )
        self.name = name
        self.step = step


class AgentFinishedError(StoreError):
    """A signal to an agent that has ended, and will not take it.

    Attributes:
        name: the agent's name.
    """

    def __init__(self, name: str) -> None:
        """Name the agent."""
        super().__init__(
            f"the agent {name!r} has ended and takes no signals; start another one, or retry this one"
        )
        self.name = name


class NoStoreError(CascadeError, RuntimeError):
    """A durable agent on an engine without a store."""

    def __init__(self) -> None:
        """Say how to give it one."""
        super().__init__(
            "this engine has no store for durable agents; give it one: Engine(store='agents.db')"
        )


class AgentFailedError(CascadeError, RuntimeError):
    """A durable agent that has come to no value.

    Attributes:
        name: the agent's name.
        status: how it stands: ``failed``, ``cancelled``, ``stuck`` or ``blocked``.
        reason: why.
    """

    def __init__(self, name: str, status: str, reason: str) -> None:
        """Name the agent, and say what to do."""
        super().__init__(
            f"the agent {name!r} is {status}: {reason}; engine.agents.retry({name!r}) has it go on "
            "from its last commit"
        )
        self.name = name
        self.status = status
        self.reason = reason
