"""Admission: what a task passes before it starts, live constraints and the engine's capacities.

Tasks that have to wait stand in lines, those of runs of a higher priority first, and else in the order
they came. Whenever something changes (a constraint comes, goes or expires, a task ends, a token bucket
fills), the heads of the lines are looked at again, the oldest first; nothing polls. A task that its own
constraint throttles does not hold back others. While a task awaits ``cs.evaluate`` it does not count as
running, and lends its capacities to what it evaluates.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

from cascade.interfaces.errors import InvalidConstraintError
from cascade.interfaces.executor import Mode
from cascade.runtime.admission.active import ActiveConstraint, ActiveConstraints
from cascade.runtime.admission.capacities import Capacities
from cascade.runtime.admission.floods import Allowance, MalformedReports
from cascade.runtime.admission.lines import Lines
from cascade.runtime.admission.ticket import Ticket, held
from cascade.spec.constraint import CONSTRAINT_TOPIC
from cascade.spec.task import Task

__all__ = ["AdmissionController"]

_REVIEW_AFTER = (
    0.02  # seconds: how long a flood of constraints is gathered before the lines are looked at
)


class AdmissionController:
    """Admits tasks as constraints and capacities allow: by priority, and first in, first out.

    A concurrency limit counts what runs; a rate limit is a token bucket that holds ``burst`` tokens.
    Tasks of one priority that the same constraints apply to never overtake each other, nor do those
    that demand the same capacity.
    """

    def __init__(
        self,
        capacities: Mapping[str, float],
        on_change: Callable[[], None],
        executor_takes: Collection[Mode] = (),
    ) -> None:
        """Begin without constraints.

        Args:
            capacities: units that tasks may demand, by name.
            on_change: called when it begins or ceases to have constraints.
            executor_takes: modes of tasks that may demand more, which their executor is to find.
        """
        self.capacities = Capacities(capacities, executor_takes)
        self._free = dict(self.capacities.total)
        self._active = ActiveConstraints()
        self._malformed = MalformedReports()
        self._reviews = Allowance(rate=1 / _REVIEW_AFTER, burst=100)
        self._review: asyncio.TimerHandle | None = None
        self.counted: dict[Any, Ticket] = {}
        """The tickets of what runs, by its position."""
        self._running: Counter[str] = Counter()  # by each target that a task is among
        self._lines = Lines(self._active)
        self._timer: asyncio.TimerHandle | None = None
        self._on_change = on_change

    @property
    def has_constraints(self) -> bool:
        """Whether any constraint is in force."""
        return bool(self._active)

    # --- constraints -------------------------------------------------------------------------------

    async def on_constraint(self, topic: str, payload: Any) -> None:
        """Take a constraint from the connector; one that cannot be used is reported and ignored."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        target = topic.removeprefix(f"{CONSTRAINT_TOPIC}/")
        self._drop_expired()
        had_any = target in self._active
        try:
            self._active.take(target, payload, now)
        except InvalidConstraintError as error:
            self._malformed.tell(topic, error, now)
            return
        if had_any != (target in self._active):
            self._lines.constraints_changed()
        self._on_change()
        if self._reviews.take(now):
            self._admit_waiting()
        elif self._review is None:  # a flood: once for many of them
            self._review = loop.call_later(_REVIEW_AFTER, self._admit_waiting)

    def drop_constraints(self) -> None:
        """Drop all constraints: the engine no longer hears whether they still hold."""
        self._active.clear()
        self._lines.constraints_changed()
        self._malformed.tell_untold()
        self._on_change()
        self._set_timer()
        if self._review is not None:
            self._review.cancel()
            self._review = None

    def _active_for(self, ticket: Ticket) -> list[ActiveConstraint]:
        return self._active.among(ticket.targets) if self._active else []

    def _drop_expired(self) -> None:
        if self._active.drop_expired():
            self._lines.constraints_changed()
            self._on_change()

    # --- tasks --------------------------------------------------------------------------------

    async def acquire(
        self,
        task: Task[..., Any],
        run_id: str,
        on_hold: Callable[[str], None],
        priority: int = 0,
    ) -> Ticket:
        """Wait until the task may start; `release` must follow.

        Args:
            task: who wants to start.
            run_id: of which run.
            on_hold: told the reason, if it has to wait.
            priority: that of the run.

        Raises:
            DemandError: it demands a capacity that the engine does not have, or more than all.
        """
        self.capacities.check(task)
        outer = held.get()
        lender = None if outer is None or outer.controller is not self else outer
        ticket = Ticket(self, task, run_id, lender, priority)
        await self.enter(ticket, on_hold)
        return ticket

    async def enter(self, ticket: Ticket, on_hold: Callable[[str], None]) -> None:
        """Wait until a task may start, or start again."""
        self._drop_expired()
        reason = self._reason_to_hold(ticket)
        if reason is None and (ticket.may_borrow or not self._lines.has_before(ticket)):
            self._admit(ticket)
            return
        on_hold(reason or "others wait before it")
        await self._wait_in_line(ticket, is_first=ticket.may_borrow)

    async def _wait_in_line(self, ticket: Ticket, *, is_first: bool) -> None:
        """Wait to be admitted; who is first has a line of its own, before all others."""
        waiting = self._lines.add(ticket, is_first=is_first)
        if self._timer is None:
            self._set_timer()
        try:
            await waiting.admitted
        except asyncio.CancelledError:
            if waiting.admitted.done() and not waiting.admitted.cancelled():
                self.release(ticket)  # it was admitted at the very moment of its cancellation
            else:
                waiting.admitted.cancel()
                self._admit_waiting()
            raise

    def count_running(
        self, position: Any, task: Task[..., Any], run_id: str, future: asyncio.Future[Any] | None
    ) -> None:
        """Count what runs already where the first constraint comes, unless it is counted.

        Args:
            position: where it runs.
            task: what runs.
            run_id: of which run.
            future: done when it has ended; where there is none, `let_go` is to be called.
        """
        if position in self.counted or task.policies.demands or task.role != "function":
            return
        ticket = self.counted[position] = Ticket(self, task, run_id, None)
        ticket.is_admitted = True
        self._count(ticket)
        if future is not None:
            future.add_done_callback(lambda _: self.let_go(position))

    def let_go(self, position: Any) -> None:
        """Count no longer what `count_running` has counted, if it has."""
        ticket = self.counted.pop(position, None)
        if ticket is not None:
            self.release(ticket)

    def release(self, ticket: Ticket) -> None:
        """Release what the task holds; again, it changes nothing."""
        ticket.is_admitted = False
        if ticket.counts:
            self._stop_counting(ticket)
        for capacity, units in ticket.repay().items():
            self._free[capacity] += units
        self._admit_waiting()

    def suspend(self, ticket: Ticket) -> None:
        """Let a task that awaits others not count as running, until `resume`."""
        ticket.suspended += 1
        if ticket.counts:
            self._stop_counting(ticket)
            self._admit_waiting()

    async def resume(self, ticket: Ticket) -> None:
        """Let a task go on: it passes before all that wait to start."""
        ticket.suspended -= 1
        if ticket.suspended or ticket.counts:
            return
        if self._reason_to_hold(ticket) is None:
            self._count(ticket)
        else:
            await self._wait_in_line(ticket, is_first=True)

    def _count(self, ticket: Ticket) -> None:
        ticket.counts = True
        self._running.update(ticket.targets)

    def _stop_counting(self, ticket: Ticket) -> None:
        ticket.counts = False
        for target in ticket.targets:
            self._running[target] -= 1
            if not self._running[target]:
                del self._running[target]

    def _admit(self, ticket: Ticket) -> None:
        self._count(ticket)
        if ticket.is_admitted:  # it only goes on
            return
        for capacity, units in ticket.take().items():
            self._free[capacity] -= units
        for active in self._active_for(ticket):
            if active.constraint.type == "rate_limit":
                active.tokens -= 1

    def _reason_to_hold(self, ticket: Ticket) -> str | None:
        for active in self._active_for(ticket):
            constraint = active.constraint
            if constraint.type == "concurrency" and self._running[active.target] >= (
                constraint.n or 0
            ):
                return f"concurrency limit {constraint.id!r}"
            if ticket.is_admitted:
                continue
            if constraint.type == "pause":
                return f"paused by {constraint.id!r}"
            if (
                constraint.type == "rate_limit"
                and active.refill(asyncio.get_running_loop().time()) < 1
            ):
                return f"rate limit {constraint.id!r}"
        if not ticket.is_admitted:
            for capacity, units in ticket.missing().items():
                if units > self._free[capacity]:
                    return f"capacity {capacity!r}"
        return None

    # --- the lines -----------------------------------------------------------------------------

    def _admit_waiting(self) -> None:
        """Admit, in the order they came, all that may start now."""
        self._review = None
        if not self._lines:
            return
        self._drop_expired()
        self._lines.admit(self._admits)
        self._set_timer()

    def _admits(self, ticket: Ticket) -> bool:
        """Admit a task if nothing holds it."""
        if self._reason_to_hold(ticket) is not None:
            return False
        self._admit(ticket)
        return True

    def _set_timer(self) -> None:
        """Look again when the next constraint expires or the next token bucket has a token."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._lines:
            return
        loop = asyncio.get_running_loop()
        waits = self._active.waits(loop.time())
        if waits:
            self._timer = loop.call_later(max(0.0, min(waits)), self._admit_waiting)
