"""What a task passes before it starts: live constraints, and the engine's capacities.

Tasks that have to wait stand in line here, in the order they came. Whenever something changes (an
order comes, goes or expires, a task ends, a rate has a start to give), the line is looked at again;
nothing polls. A task held by its own constraint does not hold back others.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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

    scope: str
    constraint: GlobalConstraint
    tokens: float = 0.0
    refilled: float = 0.0
    """Loop time of the last refill."""

    def expired(self) -> bool:
        expires_at = self.constraint.expires_at
        return expires_at is not None and unix_time() >= expires_at


@dataclass(slots=True, eq=False)
class _Waiting:
    """A task in the line."""

    task: Task[..., Any]
    run_id: str
    admitted: asyncio.Future[None] = field(repr=False)

    def holds(self, task: Task[..., Any], run_id: str) -> bool:
        """Tell whether that task must not overtake this one."""
        if task.name == self.task.name and run_id == self.run_id:
            return True
        return bool(task.policies.demands.keys() & self.task.policies.demands.keys())


class AdmissionController:
    """Holds tasks back as constraints and capacities say."""

    def __init__(self, capacities: Mapping[str, float], on_change: Callable[[], None]) -> None:
        """Begin open.

        Args:
            capacities: units that tasks may demand, by name.
            on_change: called when the gate begins or ceases to have constraints.
        """
        self._total = dict(capacities)
        self._free = dict(capacities)
        self._orders: dict[str, dict[str, _ActiveConstraint]] = {}
        self._running: Counter[str] = Counter()  # by each scope that a task is in
        self._queue: list[_Waiting] = []
        self._timer: asyncio.TimerHandle | None = None
        self._on_change = on_change

    @property
    def has_constraints(self) -> bool:
        """Whether any constraint is in force."""
        return bool(self._orders)

    # --- orders -------------------------------------------------------------------------------

    async def on_constraint(self, topic: str, payload: Any) -> None:
        """Take a constraint from the connector; a malformed one is reported and ignored."""
        scope = topic.removeprefix(f"{CONSTRAINT_TOPIC}/")
        if not clears(payload):
            try:
                constraint = read_constraint(payload)
            except InvalidConstraintError as error:
                bus.error("engine.constraint_malformed", topic=topic, reason=str(error))
                return
            burst = float(constraint.burst)
            order = _ActiveConstraint(scope, constraint, burst, asyncio.get_running_loop().time())
            self._orders.setdefault(scope, {})[constraint.id] = order
        else:
            self._orders.pop(scope, None)
        self._on_change()
        self._admit_waiting()

    def drop_constraints(self) -> None:
        """Drop all orders: the engine no longer hears whether they still hold."""
        self._orders.clear()
        self._on_change()
        self._set_timer()

    def _orders_for(self, task: Task[..., Any], run_id: str) -> list[_ActiveConstraint]:
        scopes = _scopes(task, run_id)
        return [order for scope in scopes for order in self._orders.get(scope, {}).values()]

    def _drop_expired(self) -> None:
        for scope, orders in list(self._orders.items()):
            for order_id in [i for i, order in orders.items() if order.expired()]:
                del orders[order_id]
            if not orders:
                del self._orders[scope]
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
                self.release(task, run_id)  # it was let in at the very moment of its cancellation
            raise

    def release(self, task: Task[..., Any], run_id: str) -> None:
        """Give back what the task held."""
        for scope in _scopes(task, run_id):
            self._running[scope] -= 1
            if not self._running[scope]:
                del self._running[scope]
        for capacity, units in task.policies.demands.items():
            self._free[capacity] += units
        if self._queue:
            self._admit_waiting()

    def _admit(self, task: Task[..., Any], run_id: str) -> None:
        self._running.update(_scopes(task, run_id))
        for capacity, units in task.policies.demands.items():
            self._free[capacity] -= units
        for order in self._orders_for(task, run_id):
            if order.constraint.type == "rate_limit":
                order.tokens -= 1

    def _check_demands(self, task: Task[..., Any]) -> None:
        for capacity, units in task.policies.demands.items():
            total = self._total.get(capacity)
            if total is None:
                raise InvalidTaskError(
                    f"the task {task.name!r} demands {capacity!r}, a capacity that this engine does not have; "
                    f"give it one: Engine(capacities={{{capacity!r}: …}}).{near_name(capacity, self._total)}"
                )
            if units > total:
                raise InvalidTaskError(
                    f"the task {task.name!r} demands {units:g} of {capacity!r}, and the engine has {total:g}"
                )

    def _reason_to_hold(self, task: Task[..., Any], run_id: str) -> str | None:
        for order in self._orders_for(task, run_id):
            constraint = order.constraint
            if constraint.type == "pause":
                return f"paused by {constraint.id!r}"
            if constraint.type == "concurrency" and self._running[order.scope] >= (
                constraint.n or 0
            ):
                return f"concurrency limit {constraint.id!r}"
            if constraint.type == "rate_limit" and self._refill(order) < 1:
                return f"rate limit {constraint.id!r}"
        for capacity, units in task.policies.demands.items():
            if units > self._free[capacity]:
                return f"capacity {capacity!r}"
        return None

    def _refill(self, order: _ActiveConstraint) -> float:
        now = asyncio.get_running_loop().time()
        constraint = order.constraint
        gained = (now - order.refilled) * parse_rate(constraint.rate or "")
        order.tokens = min(float(constraint.burst), order.tokens + gained)
        order.refilled = now
        return order.tokens + 1e-9  # a timer may come a rounding error early

    # --- the line -----------------------------------------------------------------------------

    def _admit_waiting(self) -> None:
        """Let in, in order, everyone who may start now."""
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
        """Look again when the next order expires or the next rate has a start to give."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._queue:
            return
        waits = [
            wait
            for scope in self._orders.values()
            for o in scope.values()
            for wait in self._waits(o)
        ]
        if waits:
            self._timer = asyncio.get_running_loop().call_later(
                max(0.0, min(waits)), self._admit_waiting
            )

    def _waits(self, order: _ActiveConstraint) -> list[float]:
        """Return in how many seconds the order may let somebody in."""
        waits = []
        constraint = order.constraint
        if constraint.expires_at is not None:
            waits.append(constraint.expires_at - unix_time())
        if constraint.type == "rate_limit" and order.tokens < 1:
            waits.append((1 - order.tokens) / parse_rate(constraint.rate or ""))
        return waits


def _scopes(task: Task[..., Any], run_id: str) -> tuple[str, str, str]:
    """Return the scopes that a task of a run is in."""
    return "global", f"task/{task.name}", f"run/{run_id}"
