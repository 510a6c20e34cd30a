"""What an engine has of what tasks may demand, and what is left to its executor to find."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from cascade.interfaces.errors import DemandError, near_name
from cascade.interfaces.executor import Mode
from cascade.runtime.admission.ticket import exact
from cascade.spec.task import Task

__all__ = ["Capacities"]


class Capacities:
    """All units that an engine has.

    Attributes:
        total: units that tasks may demand, by name.
    """

    def __init__(self, units: Mapping[str, float], executor_takes: Collection[Mode]) -> None:
        """Take what there is, and the modes of tasks that may demand more, which their executor finds."""
        self.total = {name: exact(each) for name, each in units.items()}
        self._executor_takes = executor_takes

    def not_here(self, task: Task[..., Any]) -> dict[str, float]:
        """Return what a task demands and the engine does not have: its executor is to find it."""
        demands = task.policies.demands
        if not demands:
            return {}
        return {name: units for name, units in demands.items() if name not in self.total}

    def check(self, task: Task[..., Any]) -> None:
        """Look at what a task demands.

        Raises:
            DemandError: the engine does not have it, or not so much, and it is not left to the executor.
        """
        for capacity, units in task.policies.demands.items():
            total = self.total.get(capacity)
            if total is None and task.mode in self._executor_takes:
                continue
            if total is None:
                raise DemandError(
                    f"the task {task.name!r} demands {capacity!r}, a capacity that this engine does not have; "
                    f"give it one: Engine(capacities={{{capacity!r}: …}}).{near_name(capacity, self.total)}"
                )
            if exact(units) > total:
                raise DemandError(
                    f"the task {task.name!r} demands {units:g} of {capacity!r}, and the engine has {total:g}"
                )
