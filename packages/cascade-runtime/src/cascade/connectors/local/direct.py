"""What takes the messages of a subscription as a plain function: no task, no context, no queue of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from typing import Any

from cascade.connectors.local.message import DRAIN, IDLE, Message
from cascade.connectors.local.recipient import AnyRecipient, LoopDelivery
from cascade.interfaces.protocols import Receiver
from cascade.runtime.concurrency.bounded_queue import BoundedQueue
from cascade.runtime.concurrency.futures import release

__all__ = ["DirectRecipient"]


class DirectRecipient(AnyRecipient):
    """Hands messages to a `Receiver`, inside their delivery; it is never in the middle of one."""

    __slots__ = ("_accept", "_caught_up", "_delivery", "_held", "_receiver")

    def __init__(self, receiver: Receiver, delivery: LoopDelivery) -> None:
        """Begin to take messages."""
        self._receiver = receiver
        self._delivery = delivery
        self._accept: Callable[..., bool] | None = receiver.accept
        self._held: deque[Message] | None = None  # what waits for the retained messages
        self._caught_up: asyncio.Future[None] | None = None

    @property
    def send(self) -> None:
        """Return nothing: `run` needs none."""
        return

    @property
    def queue(self) -> BoundedQueue[Any] | None:
        """What the receiver keeps messages in."""
        queue: BoundedQueue[Any] | None = self._receiver.queue
        return queue

    def run(self, _send: Any, message: Message) -> Any:
        """Hand over a message."""
        if self._accept is None:
            return self._run_held(message)
        if not self._accept(message, self._delivery.time.is_over):
            self._delivery.over_capacity.append((self._receiver.queue, message))
        return IDLE

    def suspend(self, waits_for: Any) -> None:
        """Never called: `run` waits for nothing."""
        raise NotImplementedError

    def applies_back_pressure(self) -> bool:
        """Return whether its publishers have to wait until the queue has capacity again."""
        queue = self.queue
        return queue is not None and queue.policy == "wait" and queue.over_capacity()

    def may_refuse_or_hold(self, before: int) -> bool:
        """Return whether the publisher of a message, behind so many, has to hear what becomes of it."""
        queue = self.queue
        return queue is not None and queue.policy == "wait" and before + len(queue) >= queue.limit

    def backlog(self) -> int:
        """Return how many messages lie here before the next one; those in the receiver not counted."""
        return len(self._held or ())

    # --- retained messages --------------------------------------------------------------------

    def hold_retained(self, messages: Collection[Message]) -> None:
        """Put retained messages ahead of everything live."""
        self._held = deque(messages)
        self._accept = None

    def _run_held(self, message: Message) -> Any:
        """Keep a message behind the retained ones, or hand over what is held; discard it at the end."""
        if self._held is None:
            return IDLE
        if message is not DRAIN:
            self._held.append(message)
            return IDLE
        held, self._held = self._held, None
        self._accept = self._receiver.accept
        for each in held:  # what one of them closes takes no more
            self.run(None, each)
        if self._caught_up is not None:
            release(self._caught_up)
        return IDLE

    async def caught_up(self) -> None:
        """Wait until the receiver has every retained message, or the subscription ends."""
        if self._held is not None:
            self._caught_up = self._delivery.loop.create_future()
            await self._caught_up

    # --- the end ------------------------------------------------------------------------------

    def close(self) -> Collection[Message]:
        """Take no more messages; return what was held back."""
        left, self._held, self._accept = self._held or (), None, None
        if self._caught_up is not None:
            release(self._caught_up)
        return left

    def done(self) -> bool:
        """Return whether it may be forgotten once it is closed."""
        return True

    async def stop(self) -> None:
        """Do nothing: nothing is under way."""

    def abandon(self) -> None:
        """Do nothing: nothing is under way."""
