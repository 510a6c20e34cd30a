"""What goes wrong between durable agents and the store that they lie in."""

from __future__ import annotations

from cascade.interfaces.errors.base import CascadeError

__all__ = ["AgentExistsError", "AgentFinishedError", "LeaseLostError", "StoreError"]


class StoreError(CascadeError, RuntimeError):
    """A store that cannot be opened, read or written; its text says why, and what to do."""


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
