"""A ``recv`` that waits in a mailbox, and goes on inside the delivery of its signal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextvars import Context
from typing import Any

from cascade.interfaces.topics import Filters
from cascade.runtime.concurrency.current_task import current_tasks
from cascade.runtime.signals.source import Signal, Source

__all__ = ["Waiter"]


class Waiter(asyncio.Future[Signal | None]):
    """A ``recv`` that waits; it gets a signal, or None when its time is over.

    One task awaits it, and goes on in the next turn of the loop as with any future. `resume` spares
    it the turn.
    """

    __slots__ = ("_go_on", "_within", "deadline", "filters", "many", "own", "timer")

    _go_on: Callable[[Waiter], object] | None
    _within: Context | None

    filters: Filters
    many: bool
    deadline: float | None
    timer: asyncio.TimerHandle | None
    own: Sequence[Source]

    def add_done_callback(
        self, go_on: Callable[[Any], object], /, *, context: Context | None = None
    ) -> None:
        """Take how the task that awaits this goes on; asyncio calls it when the task suspends."""
        self._go_on, self._within = go_on, context

    def set_result(self, signal: Signal | None, /) -> None:
        """Give it a signal, or None; the task goes on in the next turn of the loop."""
        super().set_result(signal)
        self._schedule()

    def set_exception(self, error: type | BaseException, /) -> None:
        """Have the task raise an error, in the next turn of the loop."""
        super().set_exception(error)
        self._schedule()

    def cancel(self, msg: Any = None) -> bool:
        """Leave the mailbox at once; the task hears of it in the next turn of the loop."""
        if not super().cancel(msg):
            return False
        self._schedule()
        return True

    def _schedule(self) -> None:
        if self._go_on is not None:
            self.get_loop().call_soon(self._go_on, self, context=self._within)

    def resume(self, signal: Signal | None) -> None:
        """Give it a signal, or None, and let its task run until it waits again, right here.

        Raises:
            BaseException: an interrupt that the task met; what else it raises is its own.
        """
        super().set_result(signal)
        if self._go_on is None:  # nobody has come to await it yet
            return
        loop = self.get_loop()
        delivering = current_tasks.get(loop)
        if delivering is None:  # inside a timer
            self._within.run(self._go_on, self)  # type: ignore[union-attr]  # comes with the other
            return
        current_tasks.pop(loop, None)
        try:
            self._within.run(self._go_on, self)  # type: ignore[union-attr]  # as above
        finally:
            current_tasks[loop] = delivering

    def give_up(self) -> None:
        """Let the ``recv`` go on without a signal: the time is over."""
        if not self.done():
            self.resume(None)
