"""The full queues that deliveries met: whoever published looks there before it goes on."""

from __future__ import annotations

from typing import Any

from cascade.common.messaging import bus
from cascade.connectors.local.message import Message
from cascade.interfaces.errors import QueueFullError
from cascade.runtime.concurrency.bounded_queue import BoundedQueue

__all__ = ["OverCapacity"]


class OverCapacity(list[tuple[BoundedQueue[Any], Message]]):
    """Queues that were full, each with the message that found it so."""

    __slots__ = ()

    def report(
        self, message: Message | None = None, *, may_wait: bool = False
    ) -> tuple[list[BoundedQueue[Any]], QueueFullError | None]:
        """Refuse or warn where a queue was full, and forget it; what callbacks published cannot wait.

        Args:
            message: what the publisher itself has published.
            may_wait: whether it may wait for capacity.

        Returns:
            The queues that the publisher may wait for, and the refusal of ``message`` if any.
        """
        found = self.copy()
        self.clear()
        refused = None
        waiting = []
        for queue, late in found:
            if queue.policy != "error":
                waiting.append(queue)
                if not (may_wait and late is message):
                    queue.report_growth()
                continue
            error = QueueFullError(late[0], queue.name, queue.limit)
            if late is message:
                refused = error
            else:
                bus.error("queue.message_refused", topic=late[0], error=error)
        return waiting, refused
