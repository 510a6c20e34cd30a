"""What one task holds of an engine: a place among those that run, and units of its capacities."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextvars import ContextVar
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias

from cascade.spec.task import Task

__all__ = ["Key", "Ticket", "exact", "held"]

Key: TypeAlias = tuple[Any, ...]
"""What applies to a task: tasks with the same one never overtake each other."""


class Ticket:
    """One invocation before, while and after it is admitted.

    What its function evaluates borrows the units that it holds, one call at a time; so it never waits
    for itself.

    Attributes:
        controller: who admits it.
        task: what it is for.
        targets: the targets of constraints that it is among.
        demands: units of the engine's capacities, as they are written.
        counts: whether it counts as running.
        suspended: how many evaluations its function awaits.
        is_admitted: whether it has been admitted.
        priority: that of its run; where several wait for the same, the highest is first.
    """

    __slots__ = (
        "_borrowed",
        "_lender",
        "_lent",
        "_own",
        "controller",
        "counts",
        "demands",
        "is_admitted",
        "priority",
        "suspended",
        "targets",
        "task",
    )

    def __init__(
        self,
        controller: Any,
        task: Task[..., Any],
        run_id: str,
        lender: Ticket | None,
        priority: int = 0,
    ) -> None:
        """Hold nothing yet; the lender is the invocation that evaluates this one, if any."""
        self.controller = controller
        self.task = task
        self.targets = ("global", f"task/{task.name}", f"run/{run_id}")
        self.demands: Mapping[str, Decimal] = {
            name: exact(units)
            for name, units in task.policies.demands.items()
            if name in controller.capacities.total
        }
        self.counts = False
        self.suspended = 0
        self.is_admitted = False
        self.priority = priority
        self._lender = lender
        self._own: dict[str, Decimal] = {}
        self._borrowed: list[tuple[Ticket, str, Decimal]] = []
        self._lent: defaultdict[str, Decimal] = defaultdict(Decimal)

    @property
    def may_borrow(self) -> bool:
        """Whether whoever waits for its capacities may wait for those that evaluate it."""
        return any(self._lendable(capacity) for capacity in self.demands)

    def _lendable(self, capacity: str) -> list[tuple[Ticket, Decimal]]:
        """Return who could lend of a capacity, the nearest first, and how much."""
        found = []
        lender = self._lender
        while lender is not None:
            units = lender.demands.get(capacity, Decimal()) - lender._lent[capacity]  # noqa: SLF001 - its own class
            if units > 0:
                found.append((lender, units))
            lender = lender._lender  # noqa: SLF001 - its own class
        return found

    def missing(self) -> dict[str, Decimal]:
        """Return what it needs beyond what it can borrow."""
        missing = {}
        for capacity, units in self.demands.items():
            lendable = sum((each for _, each in self._lendable(capacity)), Decimal())
            missing[capacity] = max(Decimal(), units - lendable)
        return missing

    def take(self) -> Mapping[str, Decimal]:
        """Borrow what can be, and return what has to come from the engine."""
        self.is_admitted = True
        for capacity, units in self.demands.items():
            left = units
            for lender, lendable in self._lendable(capacity):
                part = min(left, lendable)
                if part:
                    lender._lent[capacity] += part  # noqa: SLF001 - its own class
                    self._borrowed.append((lender, capacity, part))
                    left -= part
            self._own[capacity] = left
        return self._own

    def repay(self) -> Mapping[str, Decimal]:
        """Return what was borrowed to who lent it, and the rest to the caller."""
        for lender, capacity, units in self._borrowed:
            lender._lent[capacity] -= units  # noqa: SLF001 - its own class
        self._borrowed = []
        own, self._own = self._own, {}
        return own


held: ContextVar[Ticket | None] = ContextVar("cascade_held_ticket", default=None)
"""The ticket of the invocation that this code is a part of, where it has one."""


@lru_cache(maxsize=1024)
def exact(units: float) -> Decimal:
    """Return a number of units as it is written: 0.7 + 0.1 + 0.2 are then 1, and no demand waits for ever."""
    return Decimal(str(units))
