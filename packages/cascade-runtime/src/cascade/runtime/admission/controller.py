"""Admission: what a task passes before it starts, live constraints and the engine's capacities.

Tasks that have to wait stand in a queue, in the order they came. Whenever something changes (a
constraint comes, goes or expires, a task ends, a token bucket fills), the queue is looked at again;
nothing polls. A task that its own constraint throttles does not hold back others.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from cascade.common.messaging import bus
from cascade.interfaces.errors import InvalidConstraintError, InvalidTaskError, near_name
from cascade.interfaces.payloads import clears
from cascade.runtime.admission.constraints import read_constraint
from cascade.runtime.concurrency.clock import unix_time
from cascade.spec.constraint import CONSTRAINT_TOPIC, GlobalConstraint, parse_rate
from cascade.spec.task import Task

__all__ = ["AdmissionController"]


@dataclass(slots=True)
class _ActiveConstraint:
    """A constraint in force, with what it has to remember."""

    target: str
    constraint: GlobalConstraint
    tokens: float = 0.0
    refilled: float = 0.0
    """Loop time of the last refill."""

    def expired(self) -> bool:
        expires_at = self.constraint.expires_at
        return expires_at is not None and unix_time() >= expires_at


@dataclass(slots=True, eq=False)
class _Waiting:
    """A task in the queue."""

    task: Task[..., Any]
    run_id: str
    admitted: asyncio.Future[None] = field(repr=False)

    def holds(self, task: Task[..., Any], run_id: str) -> bool:
        """Return whether that task must not overtake this one."""
        if task.name == self.task.name and run_id == self.run_id:
            return True
        return bool(task.policies.demands.keys() & self.task.policies.demands.keys())


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
        self._total = {name: _exact(units) for name, units in capacities.items()}
        self._free = dict(self._total)
        self._active: dict[str, dict[str, _ActiveConstraint]] = {}
        self._running: Counter[str] = Counter()  # by each target that a task is among
        self._queue: list[_Waiting] = []
        self._timer: asyncio.TimerHandle | None = None
        self._on_change = on_change

    @property
    def has_constraints(self) -> bool:
        """Whether any constraint is in force."""
        return bool(self._active)

    # --- constraints -------------------------------------------------------------------------------

    async def on_constraint(self, topic: str, payload: Any) -> None:
        """Take a constraint from the connector; a malformed one is reported and ignored."""
        target = topic.removeprefix(f"{CONSTRAINT_TOPIC}/")
        if not clears(payload):
            try:
                constraint = read_constraint(payload)
            except InvalidConstraintError as error:
                bus.error("engine.constraint_malformed", topic=topic, reason=str(error))
                return
            burst = float(constraint.burst)
            active = _ActiveConstraint(target, constraint, burst, asyncio.get_running_loop().time())
            self._active.setdefault(target, {})[constraint.id] = active
        else:
            self._active.pop(target, None)
        self._on_change()
        self._admit_waiting()

    def drop_constraints(self) -> None:
        """Drop all constraints: the engine no longer hears whether they still hold."""
        self._active.clear()
        self._on_change()
        self._set_timer()

    def _active_for(self, task: Task[..., Any], run_id: str) -> list[_ActiveConstraint]:
        targets = _targets_of(task, run_id)
        return [active for target in targets for active in self._active.get(target, {}).values()]

    def _drop_expired(self) -> None:
        for target, by_id in list(self._active.items()):
            for constraint_id in [i for i, active in by_id.items() if active.expired()]:
                del by_id[constraint_id]
            if not by_id:
                del self._active[target]
                self._on_change()

    # --- tasks --------------------------------------------------------------------------------

    async def acquire(
        self, task: Task[..., Any], run_id: str, on_hold: Callable[[str], None]
    ) -> None:
        """Wait until the task may start; `leave` must follow.

        Args:
            task: who wants to start.
            run_id: of which run.
            on_hold: told the reason, if it has to wait.

        Raises:
            InvalidTaskError: it demands a capacity that the engine does not have, or more than all.
        """
        self._check_demands(task)
        self._drop_expired()
        reason = self._reason_to_hold(task, run_id)
        if reason is None and not any(ahead.holds(task, run_id) for ahead in self._queue):
            self._admit(task, run_id)
            return
        on_hold(reason or "others wait before it")
        waiting = _Waiting(task, run_id, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._set_timer()
        try:
            await waiting.admitted
        except asyncio.CancelledError:
            if waiting in self._queue:
                self._queue.remove(waiting)
            elif not waiting.admitted.cancelled():
                self.release(task, run_id)  # it was admitted at the very moment of its cancellation
            raise

    def release(self, task: Task[..., Any], run_id: str) -> None:
        """Release what the task held."""
        for target in _targets_of(task, run_id):
            self._running[target] -= 1
            if not self._running[target]:
                del self._running[target]
        for capacity, units in task.policies.demands.items():
            self._free[capacity] += _exact(units)
        if self._queue:
            self._admit_waiting()

    def _admit(self, task: Task[..., Any], run_id: str) -> None:
        self._running.update(_targets_of(task, run_id))
        for capacity, units in task.policies.demands.items():
            self._free[capacity] -= _exact(units)
        for active in self._active_for(task, run_id):
            if active.constraint.type == "rate_limit":
                active.tokens -= 1

    def _check_demands(self, task: Task[..., Any]) -> None:
        for capacity, units in task.policies.demands.items():
            total = self._total.get(capacity)
            if total is None:
                raise InvalidTaskError(
                    f"the task {task.name!r} demands {capacity!r}, a capacity that this engine does not have; "
                    f"give it one: Engine(capacities={{{capacity!r}: …}}).{near_name(capacity, self._total)}"
                )
            if _exact(units) > total:
                raise InvalidTaskError(
                    f"the task {task.name!r} demands {units:g} of {capacity!r}, and the engine has {total:g}"
                )

    def _reason_to_hold(self, task: Task[..., Any], run_id: str) -> str | None:
        for active in self._active_for(task, run_id):
            constraint = active.constraint
            if constraint.type == "pause":
                return f"paused by {constraint.id!r}"
            if constraint.type == "concurrency" and self._running[active.target] >= (
                constraint.n or 0
            ):
                return f"concurrency limit {constraint.id!r}"
            if constraint.type == "rate_limit" and self._refill(active) < 1:
                return f"rate limit {constraint.id!r}"
        for capacity, units in task.policies.demands.items():
            if _exact(units) > self._free[capacity]:
                return f"capacity {capacity!r}"
        return None

    def _refill(self, active: _ActiveConstraint) -> float:
        now = asyncio.get_running_loop().time()
        constraint = active.constraint
        gained = (now - active.refilled) * parse_rate(constraint.rate or "")
        active.tokens = min(float(constraint.burst), active.tokens + gained)
        active.refilled = now
        return active.tokens + 1e-9  # a timer may come a rounding error early

    # --- the queue -----------------------------------------------------------------------------

    def _admit_waiting(self) -> None:
        """Admit, in the order they came, all that may start now."""
        self._drop_expired()
        held: list[_Waiting] = []
        for waiting in self._queue:
            if waiting.admitted.done():
                continue
            if self._reason_to_hold(waiting.task, waiting.run_id) or any(
                other.holds(waiting.task, waiting.run_id) for other in held
            ):
                held.append(waiting)
            else:
                self._admit(waiting.task, waiting.run_id)
                waiting.admitted.set_result(None)
        self._queue = held
        self._set_timer()

    def _set_timer(self) -> None:
        """Look again when the next constraint expires or the next token bucket has a token."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._queue:
            return
        waits = [
            wait
            for target in self._active.values()
            for o in target.values()
            for wait in self._waits(o)
        ]
        if waits:
            self._timer = asyncio.get_running_loop().call_later(
                max(0.0, min(waits)), self._admit_waiting
            )

    def _waits(self, active: _ActiveConstraint) -> list[float]:
        """Return in how many seconds the constraint may admit somebody."""
        waits = []
        constraint = active.constraint
        if constraint.expires_at is not None:
            waits.append(constraint.expires_at - unix_time())
        if constraint.type == "rate_limit" and active.tokens < 1:
            waits.append((1 - active.tokens) / parse_rate(constraint.rate or ""))
        return waits


def _targets_of(task: Task[..., Any], run_id: str) -> tuple[str, str, str]:
    """Return the targets of constraints that a task of a run is among."""
    return "global", f"task/{task.name}", f"run/{run_id}"


@lru_cache(maxsize=1024)
def _exact(units: float) -> Decimal:
    """Return a number of units as it is written: 0.7 + 0.1 + 0.2 are then 1, and no demand waits for ever."""
    return Decimal(str(units))
