"""What durable agents say over the connector, so that others of their store do not hear it twice.

They have it by the store already. In this process it is known by its topic and identity while it is
published; over a network a property beside the payload names who said it.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from cascade.interfaces.properties import received, to_send
from cascade.interfaces.protocols import Connector
from cascade.interfaces.store import DurableAgent, Store
from cascade.runtime.durable.outgoing import Outgoing

__all__ = ["Said"]

_PROPERTY = "cascade-agent"


class Said:
    """What the durable agents of one engine say just now."""

    def __init__(self, store: Store) -> None:
        """Begin with nothing."""
        self._store = store
        self._now: Counter[tuple[str, int]] = Counter()

    async def publish(self, connector: Connector, message: Outgoing, speaker: DurableAgent) -> None:
        """Publish what an agent has committed."""
        key = (message.topic, id(message.payload))
        self._now[key] += 1
        before = to_send.set((*to_send.get(), (_PROPERTY, _mark_of(speaker))))
        try:
            await connector.publish(*message)
        finally:
            to_send.reset(before)
            self._now[key] -= 1
            if not self._now[key]:
                del self._now[key]

    async def has(self, topic: str, payload: Any) -> bool:
        """Return whether a message that a callback has comes by the store as well."""
        if (topic, id(payload)) in self._now:
            return True
        beside = received.get()
        marks = [value for name, value in (beside[-1] if beside else ()) if name == _PROPERTY]
        if not marks:
            return False
        speaker = await self._store.load(marks[-1].rpartition("@")[0])
        return speaker is not None and _mark_of(speaker) == marks[-1]


def _mark_of(agent: DurableAgent) -> str:
    """Return what names an agent of this store, and none of another that is called alike."""
    return f"{agent.name}@{agent.created_at!r}"
