"""An event loop on simulated time: waiting costs nothing, and the same program runs in the same order.

* `time` is exactly the deadline that was reached last, in seconds from 0.
* What is ready runs in the order it became ready; timers of one instant run in the order they were set.
* When nothing is ready, time jumps to the next timer. Without one the program is deadlocked, and a
  `DeadlockError` names who waits for what. A livelock, where time does not advance,
  is stopped by a `RunawayError`.
* Threads, processes, sockets and files have a time of their own, so asking for them is a
  `NonDeterminismError`.

A `Pace` holds simulated time back for somebody who watches; the order of things stays the same.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from contextvars import Context
from heapq import heapify, heappop, heappush
from itertools import count
from math import inf, isnan
from random import Random
from threading import get_ident
from typing import Any, TypeAlias, TypeVarTuple, Unpack

from cascade.interfaces.errors import DeadlockError, NonDeterminismError, RunawayError
from cascade.runtime.simulation.counted import CountedFuture, make_counted_task
from cascade.runtime.simulation.deadlock_report import names_of, who_waits
from cascade.runtime.simulation.handles import Handle, Timer
from cascade.runtime.simulation.pacing import Pace
from cascade.runtime.simulation.real_io import refuse_real_io

__all__ = ["VirtualLoop"]

_Ts = TypeVarTuple("_Ts")

_MAX_TURNS = 100_000  # of the loop within one instant; an avalanche of events takes some hundreds
_MAX_STEPS = 5_000_000  # of runs within one instant
_MANY_EMPTY = 10_000  # instants without timers from which on their weight is worth removing


def _raise_interrupt() -> None:
    raise KeyboardInterrupt


_Timers: TypeAlias = Timer | dict[Timer, None]
"""Those of one instant: mostly one, and then it lies there without a container."""


@refuse_real_io
class VirtualLoop(asyncio.BaseEventLoop):
    """An `asyncio` event loop whose time is simulated; give it to `asyncio.Runner`.

    Examples:
        >>> async def nap() -> float:
        ...     await asyncio.sleep(3600)
        ...     return asyncio.get_running_loop().time()
        >>> with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        ...     runner.run(nap())
        3600.0
    """

    # What asyncio's loop keeps, and its type stubs leave out.
    _ready: deque[asyncio.Handle]
    _stopping: bool
    _closed: bool
    _check_closed: Callable[[], None]

    def __init__(self, pace: Pace | None = None, schedule: Random | None = None) -> None:
        """Begin at 0 seconds.

        Args:
            pace: holds time back; as fast as possible if left out.
            schedule: shuffles what is ready in one turn and the timers of one instant; in the order they
                became ready or were set if left out.
        """
        super().__init__()
        self._schedule = schedule
        self._pace = pace
        self._now = 0.0
        self._instants: list[float] = []  # a heap: each instant that has timers, or had some
        self._timers: dict[float, _Timers] = {}  # by instant, in the order they were set
        self._turns = 0  # of this instant
        self._steps = 0  # of this turn
        self._steps_before = 0  # of earlier turns of this instant
        self._thread = get_ident()
        self.count_future = count().__next__
        self.count_task = count().__next__
        make_task: Any = make_counted_task  # the stubs know no options
        self.set_task_factory(make_task)

    def create_future(self) -> asyncio.Future[Any]:
        """Make a future whose hash is the same in every run."""
        return CountedFuture(loop=self)

    # --- time ---------------------------------------------------------------------------------

    def time(self) -> float:
        """Return the simulated time in seconds."""
        return self._now

    def tick(self) -> int:
        """Count a step of a run; return how many there were in this turn of the loop."""
        self._steps += 1
        return self._steps

    def call_soon(
        self,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Call a callback in the next turn."""
        if self._closed:
            self._check_closed()
        handle = Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_soon_threadsafe(
        self,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Do as `call_soon`, which is the same within the one thread of a simulation.

        Raises:
            NonDeterminismError: called from another thread, which comes whenever it likes.
        """
        if get_ident() != self._thread:
            raise NonDeterminismError("a callback from another thread")
        return self.call_soon(callback, *args, context=context)

    def run_forever(self) -> None:
        """Run until stopped, in this thread from now on."""
        self._thread = get_ident()
        super().run_forever()

    def interrupt(self) -> None:
        """Raise `KeyboardInterrupt` in the loop's next turn; from any thread."""
        self._ready.append(Handle(_raise_interrupt, (), self, None))  # which no thread disturbs

    def call_later(
        self,
        delay: float,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call a callback after so many simulated seconds."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call a callback at an instant, in simulated seconds; one that is past is now.

        Raises:
            ValueError: the instant is not a number.
        """
        if self._closed:
            self._check_closed()
        if when <= self._now:
            when = self._now
        elif isnan(when):
            raise ValueError("a timer needs an instant in seconds, not nan")
        timer = Timer(when, callback, args, self, context)
        same = self._timers.setdefault(when, timer)
        if same is timer:
            heappush(self._instants, when)
            if len(self._instants) > _MANY_EMPTY + 2 * len(self._timers):
                self._instants = list(self._timers)
                heapify(self._instants)
        elif isinstance(same, Timer):
            self._timers[when] = {same: None, timer: None}
        else:
            same[timer] = None
        return timer

    def forget_timer(self, timer: Timer) -> None:
        """Take a timer out that was cancelled; its instant stays in the heap until time comes by."""
        when = timer._when  # noqa: SLF001 - an event loop looks into its handles
        same = self._timers[when]
        if not isinstance(same, Timer):
            del same[timer]
            if same:
                return
        del self._timers[when]

    # --- turns --------------------------------------------------------------------------------

    def _run_once(self) -> None:
        """Run what is ready, or else let time go on to the next timer and run what is due then."""
        ready = self._ready
        if not ready and not self._stopping:
            self._advance()
        self._turns += 1
        self._steps_before += self._steps
        self._steps = 0
        if self._turns > _MAX_TURNS or self._steps_before > _MAX_STEPS:
            self._begin_instant()  # so that those who are cancelled now can end
            raise RunawayError(self._now, names_of(ready))
        if self._schedule is not None:
            self._shuffle(self._schedule)
        for _ in range(len(ready)):
            handle: Any = ready.popleft()
            if handle._cancelled:  # noqa: SLF001 - an event loop looks into its handles
                continue
            try:
                handle._context.run(handle._callback, *handle._args)  # noqa: SLF001 - as above
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:  # noqa: BLE001 - the edge: it ends no other callback
                self.call_exception_handler(
                    {
                        "message": f"Exception in callback {handle!r}",
                        "exception": error,
                        "handle": handle,
                    }
                )

    def _advance(self) -> None:
        """Let time go on to the next timer, and make ready what is due then."""
        while self._instants and (when := self._instants[0]) < inf:
            if when in self._timers:
                if when > self._now:
                    if self._pace is not None and not self._pace.wait_until(when, self._ready):
                        return
                    self._now = when
                    self._begin_instant()
                heappop(self._instants)
                same = self._timers.pop(when)
                due: Iterable[Timer] = (same,) if isinstance(same, Timer) else same
                for timer in due:
                    timer._scheduled = False  # noqa: SLF001 - it is out of the timers now
                self._ready.extend(due)
                return
            heappop(self._instants)
        raise DeadlockError(self._now, who_waits(self))

    def _shuffle(self, schedule: Random) -> None:
        """Have what is ready run in another order; another thread may add to it meanwhile."""
        ready = self._ready
        order = [ready.popleft() for _ in range(len(ready))]
        schedule.shuffle(order)
        ready.extendleft(reversed(order))

    def _begin_instant(self) -> None:
        self._turns = 0
        self._steps = self._steps_before = 0

    def _process_events(self, _events: object) -> None:
        """Do nothing: there is no selector."""

    def _write_to_self(self) -> None:
        """Do nothing: the loop never blocks."""
