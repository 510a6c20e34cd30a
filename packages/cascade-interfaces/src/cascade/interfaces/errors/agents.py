"""What goes wrong with durable agents as their users see it."""

from __future__ import annotations

from cascade.interfaces.errors.base import CascadeError

__all__ = ["AgentFailedError", "NoStoreError"]


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
