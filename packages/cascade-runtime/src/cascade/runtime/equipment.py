"""What an engine owns and all of its runs use."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from cascade.interfaces.protocols import Connector, Executor, OverflowPolicy
from cascade.runtime.bounded_queue import check_bounds
from cascade.runtime.events import EventStream
from cascade.runtime.gate import Gate
from cascade.runtime.turns import Turns
from cascade.spec.resource import AMBIENT, ResourceDefinition

__all__ = ["Equipment"]


class Equipment:
    """What an engine owns and all of its runs use; nothing here belongs to a single run.

    Attributes:
        connector: the way in and out, or None.
        executor: where ``thread`` and ``process`` tasks run.
        resources: the registered resources, by name.
        events: what the engine says about itself; ``events.listen(callback)``.
        gate: the constraints and capacities that tasks pass.
        cache: what ``with_cache`` remembers.
        turns: shares the loop among runs that never wait.
        max_queued: signals that a mailbox of a run holds.
        overflow: what a full mailbox does with one more.
        seed: what the random numbers of the runs follow from; None: from nothing.
        replaces_ambient: whether a registered resource stands in for one that comes with every run.
        is_watched: whether that is so, anybody listens, or any constraint holds; if not, tasks take
            the short way.
    """

    def __init__(
        self,
        *,
        connector: Connector | None,
        executor: Executor,
        capacities: Mapping[str, float],
        cache: MutableMapping[Any, Any],
        max_queued: int,
        overflow: OverflowPolicy,
        seed: int | None,
    ) -> None:
        """Put it together.

        Raises:
            ValueError: max_queued is below 1, or overflow is not a policy.
        """
        check_bounds(max_queued, overflow)
        self.connector = connector
        self.executor = executor
        self.resources: dict[str, ResourceDefinition[Any]] = {}
        self.events = EventStream(self._look_around)
        self.gate = Gate(capacities, self._look_around)
        self.cache = cache
        self.turns = Turns()
        self.max_queued = max_queued
        self.overflow: OverflowPolicy = overflow
        self.seed = seed
        self.replaces_ambient = False
        self.is_watched = False

    def _look_around(self) -> None:
        self.replaces_ambient = not AMBIENT.isdisjoint(self.resources)
        self.is_watched = (
            bool(self.events.listeners) or self.gate.has_constraints or self.replaces_ambient
        )
