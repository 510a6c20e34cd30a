"""What durable agents lie in: the `Store` protocol, and the records that go through it.

An agent's whole state between two steps is one call, as JSON. A store keeps that, the agent's mailbox,
and who is driving it. All times are Unix time in seconds, and are given by the caller.

* `protocol`: what a store does
* `records`: agents, letters, checkpoints
"""

from cascade.interfaces.store.protocol import Store
from cascade.interfaces.store.records import (
    ENDED,
    AgentStatus,
    Arrivals,
    Checkpoint,
    DurableAgent,
    Letter,
    PastState,
    Sleep,
    StoredSignal,
    Swept,
)

__all__ = [
    "ENDED",
    "AgentStatus",
    "Arrivals",
    "Checkpoint",
    "DurableAgent",
    "Letter",
    "PastState",
    "Sleep",
    "Store",
    "StoredSignal",
    "Swept",
]
