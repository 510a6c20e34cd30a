"""What travels beside a payload: names and values, such as the trace that a message belongs to.

Nothing in a workflow reads them. A connector that carries them has a true attribute
``carries_properties``; one whose transport has no place for them (the bus in memory, MQTT 3.1.1)
leaves them out, and nobody pays for what it has not.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, NamedTuple, TypeAlias

__all__ = ["Carried", "Properties", "received", "to_send"]

Properties: TypeAlias = tuple[tuple[str, str], ...]
"""Names and values, in order; a name may come more than once (MQTT 5.0 §3.3.2.3.7)."""


class Carried(NamedTuple):
    """A payload and what came beside it, on their way through queues; no callback gets to see one."""

    payload: Any
    properties: Properties


to_send: ContextVar[Properties] = ContextVar("cascade_properties_to_send", default=())
"""What goes with every message that is published in this context."""

received: ContextVar[tuple[Properties, ...]] = ContextVar("cascade_properties_received", default=())
"""What came with a message, for each message that had any.

In a callback: with the message it runs for. In a run: with what `recv` gave last; a `recv` whose
signals had none leaves it as it is, so who wants to know empties it before.
"""
