"""Admission: what a task passes before it starts, live constraints and the engine's capacities.

Tasks that have to wait stand in lines, one for each task and run, in the order they came. Whenever
something changes (a constraint comes, goes or expires, a task ends, a token bucket fills), the heads
of the lines are looked at again, the oldest first; nothing polls. A task that its own constraint
throttles does not hold back others. While a task awaits ``cs.evaluate`` it does not count as running,
and lends its capacities to what it evaluates.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any, NamedTuple

from cascade.interfaces.errors import DemandError, InvalidConstraintError, near_name
from cascade.runtime.admission.active import ActiveConstraint, ActiveConstraints
from cascade.runtime.admission.floods import Allowance, MalformedReports
from cascade.runtime.admission.ticket import Key, Ticket, exact, held
from cascade.spec.constraint import CONSTRAINT_TOPIC
from cascade.spec.task import Task

__all__ = ["AdmissionController"]

_REVIEW_AFTER = (
    0.02  # seconds: how long a flood of constraints is gathered before the lines are looked at
)


class _Waiting(NamedTuple):
    """A task in a line."""

    number: int
    """Its place among all that wait."""

    ticket: Ticket
    admitted: asyncio.Future[None]


class AdmissionController:
    """Admits tasks as constraints and capacities allow, first in, first out for each key.

    A concurrency limit counts what runs; a rate limit is a token bucket that holds ``burst`` tokens.
    Tasks of one name and run never overtake each other, nor do tasks that demand the same capacity.
    """

    def __init__(self, capacities: Mapping[str, float], on_change: Callable[[], None]) -> None:
        """Begin without constraints.

        Args:
            capacities: units that tasks may demand, by name.
            on_change: called when it begins or ceases to have constraints.
        """
        self._total = {name: exact(units) for name, units in capacities.items()}
        self._free = dict(self._total)
        self._active = ActiveConstraints()
        self._malformed = MalformedReports()
        self._reviews = Allowance(rate=1 / _REVIEW_AFTER, burst=100)
        self._review: asyncio.TimerHandle | None = None
        self._running: Counter[str] = Counter()  # by each target that a task is among
        self._lines: dict[Key, deque[_Waiting]] = {}
        self._numbers = count()
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
        self._drop_expired()
        try:
            self._active.take(topic.removeprefix(f"{CONSTRAINT_TOPIC}/"), payload, now)
        except InvalidConstraintError as error:
            self._malformed.tell(topic, error, now)
            return
        self._on_change()
        if self._reviews.take(now):
            self._admit_waiting()
        elif self._review is None:  # a flood: once for many of them
            self._review = loop.call_later(_REVIEW_AFTER, self._admit_waiting)

    def drop_constraints(self) -> None:
        """Drop all constraints: the engine no longer hears whether they still hold."""
        self._active.clear()
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
            self._on_change()

    # --- tasks --------------------------------------------------------------------------------

    async def acquire(
        self, task: Task[..., Any], run_id: str, on_hold: Callable[[str], None]
    ) -> Ticket:
        """Wait until the task may start; `release` must follow.

        Args:
            task: who wants to start.
            run_id: of which run.
            on_hold: told the reason, if it has to wait.

        Raises:
            DemandError: it demands a capacity that the engine does not have, or more than all.
        """
        self._check_demands(task)
        outer = held.get()
        lender = None if outer is None or outer.controller is not self else outer
        ticket = Ticket(self, task, run_id, lender)
        await self.enter(ticket, on_hold)
        return ticket

    async def enter(self, ticket: Ticket, on_hold: Callable[[str], None]) -> None:
        """Wait until a task may start, or start again."""
        self._drop_expired()
        reason = self._reason_to_hold(ticket)
        if reason is None and (ticket.may_borrow or not self._waits_ahead(ticket)):
            self._admit(ticket)
            return
        on_hold(reason or "others wait before it")
        await self._wait_in_line(ticket, is_first=ticket.may_borrow)

    async def _wait_in_line(self, ticket: Ticket, *, is_first: bool) -> None:
        """Wait to be admitted; who is first has a line of its own, before all others."""
        number, key = (-1, (id(ticket),)) if is_first else (next(self._numbers), ticket.key)
        waiting = _Waiting(number, ticket, asyncio.get_running_loop().create_future())
        self._lines.setdefault(key, deque()).append(waiting)
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

    def _waits_ahead(self, ticket: Ticket) -> bool:
        """Return whether anybody waits whom the task must not overtake."""
        return any(
            key == ticket.key or not ticket.demands.keys().isdisjoint(line[0].ticket.demands)
            for key, line in self._lines.items()
        )

    def _check_demands(self, task: Task[..., Any]) -> None:
        for capacity, units in task.policies.demands.items():
            total = self._total.get(capacity)
            if total is None:
                raise DemandError(
                    f"the task {task.name!r} demands {capacity!r}, a capacity that this engine does not have; "
                    f"give it one: Engine(capacities={{{capacity!r}: …}}).{near_name(capacity, self._total)}"
                )
            if exact(units) > total:
                raise DemandError(
                    f"the task {task.name!r} demands {units:g} of {capacity!r}, and the engine has {total:g}"
                )

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
        heads = [
            (line[0].number, place, key) for place, (key, line) in enumerate(self._lines.items())
        ]
        heapify(heads)
        blocked: set[str] = set()
        while heads:
            _, place, key = heappop(heads)
            line = self._lines[key]
            first = line[0]
            if not first.admitted.done():
                ticket = first.ticket
                demands = ticket.demands.keys()
                if not demands.isdisjoint(blocked) or self._reason_to_hold(ticket):
                    blocked |= demands
                    continue
                self._admit(ticket)
                first.admitted.set_result(None)
            line.popleft()
            if line:
                heappush(heads, (line[0].number, place, key))
            else:
                del self._lines[key]
        self._set_timer()

    def _set_timer(self) -> None:
        """Look again when the next constraint expires or the next token bucket has a token."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._lines:
            return
        waits = self._active.waits()
        if waits:
            self._timer = asyncio.get_running_loop().call_later(
                max(0.0, min(waits)), self._admit_waiting
            )
