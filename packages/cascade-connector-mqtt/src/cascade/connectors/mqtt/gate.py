"""Where publish and subscribe wait while the connection is away: first come, first served.

Once the connection is back those who waited go first, in the order in which they came, and whoever comes
meanwhile goes behind them.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from cascade.interfaces.errors import ConnectorError

__all__ = ["Gate"]


class Gate:
    """Closed at first.

    Attributes:
        is_open: whether the connection is there, with all that belongs to it.
    """

    def __init__(
        self,
        timeout: float,
        unavailable: Callable[[str], ConnectorError],
        on_timeout: Callable[[], None],
    ) -> None:
        """Wait for ``timeout`` seconds in each outage; then ``unavailable`` says why not longer.

        ``on_timeout`` is called at that moment.
        """
        self._loop = asyncio.get_running_loop()
        self._timeout = timeout
        self._unavailable = unavailable
        self._on_timeout = on_timeout
        self._line = asyncio.Lock()  # a fair one: it goes to whoever has waited longest
        self._waiting = 0
        self._change: asyncio.Future[None] | None = None  # what the first in line waits for
        self._timer: asyncio.TimerHandle | None = None
        self._may_wait = True
        self._shut: Callable[[str], ConnectorError] | None = None
        self.is_open = False

    async def enter(self, action: str) -> None:
        """Go through, or wait until the gate is open.

        Raises:
            ConnectorError: it did not open in time, or never will.
        """
        if self.is_open and not self._waiting:
            return
        self._waiting += 1
        try:
            async with self._line:
                while not self.is_open:
                    self._check(action)
                    self._change = self._loop.create_future()
                    await self._change
        finally:
            self._waiting -= 1

    def _check(self, action: str) -> None:
        if self._shut is not None:
            raise self._shut(action)
        if not self._may_wait:
            raise self._unavailable(action)

    def open(self) -> None:
        """Let everybody through; the outage is over."""
        self.is_open = True
        self._may_wait = True
        self._stop_timer()
        self._wake_first()

    def close(self) -> None:
        """Let nobody through; an outage begins, or goes on."""
        self.is_open = False
        if self._timer is not None or not self._may_wait:
            return
        if self._timeout == 0:
            self._time_out()
        elif self._timeout != math.inf:
            self._timer = self._loop.call_later(self._timeout, self._time_out)

    def shut(self, why: Callable[[str], ConnectorError]) -> None:
        """Let nobody through any more, and let nobody wait; ``why`` makes the error of an action."""
        self.is_open = False
        self._shut = why
        self._stop_timer()
        self._wake_first()

    def _time_out(self) -> None:
        self._timer = None
        self._may_wait = False
        self._on_timeout()
        self._wake_first()

    def _wake_first(self) -> None:
        if self._change is not None and not self._change.done():
            self._change.set_result(None)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
