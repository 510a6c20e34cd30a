"""A place in the order of delivery that a publisher waits for.

Behind its message a publisher leaves a `Turn`, where it cannot deliver the message itself: on another
event loop, or while deliveries wait for the loop's next turn. When the turn has come, everything
before it has been delivered, and the publisher learns which queues were full.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from cascade.connectors.local.message import IDLE, Message
from cascade.connectors.local.recipient import AnyRecipient
from cascade.runtime.concurrency.bounded_queue import BoundedQueue
from cascade.runtime.concurrency.futures import release

__all__ = ["Turn", "wait_for_capacity"]

_POLL_INTERVAL = 1.0  # seconds between two looks whether a loop that somebody waits for has ended


class Turn(AnyRecipient):
    """What is delivered behind a publisher's message, and tells when its turn has come."""

    __slots__ = ("_full", "_loop", "_reached", "_refused", "_take_full", "queue", "send")

    queue: None
    send: None

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        take_full: Callable[[], tuple[list[BoundedQueue[Any]], Exception | None]],
    ) -> None:
        """Wait, on the loop that runs now, for a message that is delivered on another one, or later.

        Args:
            loop: where it is delivered.
            take_full: returns the queues that it found full, and its refusal if any.
        """
        self._loop = loop
        self._take_full = take_full
        self._reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._full: list[BoundedQueue[Any]] = []
        self._refused: Exception | None = None
        self.queue = None
        self.send = None

    def run(self, _send: None, _message: Message) -> Any:
        """Let the publisher go on."""
        self._full, self._refused = self._take_full()
        waiting = self._reached.get_loop()
        if waiting is self._loop:
            release(self._reached)
        elif not waiting.is_closed():
            waiting.call_soon_threadsafe(release, self._reached)
        return IDLE

    def suspend(self, waits_for: Any) -> None:
        """Never called: `run` waits for nothing."""
        raise NotImplementedError

    async def wait(self) -> None:
        """Wait for the turn, and then until the queues that were full have capacity again.

        Raises:
            QueueFullError: a recipient with the policy ``error`` refused the message.
        """
        loop = self._loop
        while not (self._reached.done() or loop.is_closed()):
            await asyncio.wait([self._reached], timeout=_POLL_INTERVAL)
        for queue in self._full:
            await wait_for_capacity(queue, loop)
        if self._refused is not None:
            raise self._refused


async def wait_for_capacity(queue: BoundedQueue[Any], loop: asyncio.AbstractEventLoop) -> None:
    """Wait for capacity; a loop that ends says nothing, so look now and then whether it is there."""
    while queue.over_capacity() and not loop.is_closed():
        with suppress(TimeoutError):
            async with asyncio.timeout(_POLL_INTERVAL):
                await queue.hold_producer()
