"""What takes the messages of one event loop, and what it shares with the loop's dispatcher."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeAlias

from cascade.connectors.local.message import Message
from cascade.connectors.local.over_capacity import OverCapacity
from cascade.runtime.concurrency.bounded_queue import BoundedQueue
from cascade.runtime.concurrency.fairness import DeliverySlice

__all__ = ["AnyRecipient", "Delivery", "LoopDelivery", "Recipients"]


class AnyRecipient(Protocol):
    """What takes a message: a subscription's task, or a group that hands it on to one of its members.

    ``run(send, message)`` returns `IDLE`, or the future that the callback waits for and that
    `suspend` is to be called with.
    """

    __slots__ = ()

    @property
    def run(self) -> Any:
        """How to hand over a message."""

    @property
    def send(self) -> Any:
        """What to hand to ``run`` with it."""

    @property
    def queue(self) -> BoundedQueue[Any] | None:
        """What waits for its callback."""

    def suspend(self, waits_for: Any) -> None:
        """Go on with the event loop: the callback waits for something."""
        raise NotImplementedError

    def applies_back_pressure(self) -> bool:
        """Return whether its publishers have to wait until the queue has capacity again."""
        return False

    def may_refuse_or_hold(self, before: int) -> bool:  # noqa: ARG002 - subscriptions use it
        """Return whether the publisher of a message, behind so many, has to hear what becomes of it."""
        return False


Recipients: TypeAlias = tuple[AnyRecipient, ...]
"""Those of one event loop that a message goes to, in the order they subscribed."""

Delivery: TypeAlias = tuple[Message, Recipients]
"""One message on its way to those of this loop who subscribed before it was published."""


class LoopDelivery(NamedTuple):
    """What the callback tasks of one event loop share with its dispatcher."""

    loop: asyncio.AbstractEventLoop
    over_capacity: OverCapacity
    schedule_drain: Callable[[Any], None]
    """Has the loop send `DRAIN` to a task."""

    time: DeliverySlice
    """How long those may go on whom the delivery under way wakes."""
