"""How an engine holds durable agents: what ``engine.agents.settings`` is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

__all__ = ["DurableSettings"]


@dataclass
class DurableSettings:
    """How an engine holds durable agents; the agents of one store may be held in different ways."""

    lease: float = 15.0
    """Seconds after which others take up the agents of an engine that has died."""

    hibernates_after: float = 60.0
    """Seconds that an agent waits before it leaves memory, if it can; a signal or its hour brings it back."""

    most_awake: int = 5_000
    """Agents in memory, beyond which those that wait leave it at once."""

    takes_up_all: bool = True
    """Whether it drives whatever nobody drives, or those agents alone that ``run`` is given here."""

    labels: Collection[str] | None = None
    """Only agents with one of these labels are driven; None for all."""

    history: int = 0
    """How many earlier states of each agent that it drives are kept, to `fork` from."""
