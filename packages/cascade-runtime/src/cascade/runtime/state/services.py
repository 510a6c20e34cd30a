"""What an engine owns and all of its runs use; nothing here belongs to a single run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Hashable, Mapping
from functools import partial
from os import PathLike
from typing import Any

from cascade.common.messaging import bus
from cascade.interfaces.cache import Cache, CachedValue
from cascade.interfaces.errors import NoConnectorError, ResourceError
from cascade.interfaces.executor import Executor, Mode
from cascade.interfaces.protocols import Connector, OverflowPolicy
from cascade.runtime.admission.controller import AdmissionController
from cascade.runtime.concurrency.bounded_queue import check_bounds
from cascade.runtime.concurrency.fairness import Turns
from cascade.runtime.concurrency.thread_call import AbandonedCalls
from cascade.runtime.observation.events import EventStream, ResourceClosed, ResourceOpened
from cascade.runtime.resources.scope import Scope
from cascade.runtime.state.cache import cache_in
from cascade.spec.resource import BUILTIN_RESOURCES, ResourceDefinition

__all__ = ["EngineServices", "tell_of_resource"]


class EngineServices:
    """The connector, the executor and all else that the runs of one engine share.

    Attributes:
        connector: the way in and out, or None.
        executor: where ``thread`` and ``process`` tasks run.
        resources: the registered resources, by name.
        scope: the resources that are open until the engine is closed.
        abandoned: calls whose threads still run though nobody waits for them any more.
        shutdown_timeout: seconds that closing waits for those.
        events: what the engine says about itself; ``events.listen(callback)``.
        admission: the constraints and capacities that tasks pass.
        cache: what ``with_cache`` remembers.
        frames: the evaluations that are under way.
        in_flight: the keys whose values are being looked up or computed, each with what it comes to; None
            where that fails.
        evaluate: ``evaluate(frame, value)`` evaluates a call in a frame.
        evaluate_items: ``evaluate_items(frame, calls, window)`` evaluates the calls of a mapping.
        turns: shares the event loop among agents that never wait.
        max_queued: signals that a mailbox of a run holds.
        overflow: what a full mailbox does with one more.
        status_topic: where the engine says how it is, if it reports.
        seed: what the random numbers of the runs follow from; None: from nothing.
        overrides_builtin_resource: whether a registered resource replaces one of those that come
            with every run.
        needs_slow_path: whether that is so, anybody listens, any constraint holds, or there are
            durable agents; if not, tasks without policies are called directly.
    """

    def __init__(
        self,
        *,
        connector: Connector | None,
        executor: Executor,
        capacities: Mapping[str, float],
        cache: Cache | str | PathLike[str] | None,
        evaluate: Callable[[Any, Any], Coroutine[Any, Any, Any]],
        evaluate_items: Callable[[Any, list[Any], int], Coroutine[Any, Any, list[Any]]],
        max_queued: int,
        overflow: OverflowPolicy,
        seed: int | None,
        shutdown_timeout: float,
    ) -> None:
        """Take what the engine was given, and make the rest.

        Raises:
            ValueError: max_queued is below 1, overflow is not a policy, or shutdown_timeout is below 0.
            TypeError: cache is none, and no place of one.
        """
        check_bounds(max_queued, overflow)
        if not shutdown_timeout >= 0:
            raise ValueError(
                f"shutdown_timeout is a number of seconds >= 0, not {shutdown_timeout!r}"
            )
        self.connector = connector
        self.executor = executor
        self.resources: dict[str, ResourceDefinition[Any]] = {}
        self.abandoned = AbandonedCalls()
        self.shutdown_timeout = shutdown_timeout
        self.events = EventStream(self._refresh_fast_path)
        self.scope = Scope(
            self.resources,
            self._builtin_resource,
            executor,
            self.abandoned,
            shutdown_timeout,
            tell=partial(tell_of_resource, self.events, ""),
        )
        takes: Collection[Mode] = getattr(executor, "takes_demands_of", ())
        self.admission = AdmissionController(capacities, self._on_constraints, takes)
        self.frames: set[Any] = set()
        self.cache = cache_in(cache)
        self.in_flight: dict[str, asyncio.Future[CachedValue | None]] = {}
        self._said: set[tuple[str, Hashable]] = set()
        self.evaluate, self.evaluate_items = evaluate, evaluate_items
        self.turns = Turns()
        self.max_queued = max_queued
        self.overflow: OverflowPolicy = overflow
        self.status_topic: str | None = None
        self.seed = seed
        self.overrides_builtin_resource = False
        self.needs_slow_path = False
        self._had_constraints = False
        self._drives_durable_agents = False

    def drives_durable_agents(self, *, drives: bool) -> None:
        """Take note that steps have to pass the journal, or need not any more."""
        self._drives_durable_agents = drives
        self._refresh_fast_path()

    def register(self, definition: ResourceDefinition[Any]) -> None:
        """Make a resource known by its name; it replaces another one of that name."""
        self.resources[definition.name] = definition
        self._refresh_fast_path()

    def warn_once(self, about: Hashable, message_id: str, **facts: object) -> None:
        """Say something through the message bus, unless this engine has said so about the same."""
        if (message_id, about) not in self._said:
            self._said.add((message_id, about))
            bus.warning(message_id, **facts)

    def _builtin_resource(self, name: str) -> Any:
        """Return what comes with the engine, for resources that live as long.

        Raises:
            KeyError: there is none of that name.
            NoConnectorError: the engine has no connector.
            ResourceError: it comes with each run.
        """
        if name == "_internal_connector":
            if self.connector is None:
                raise NoConnectorError
            return self.connector
        if name in BUILTIN_RESOURCES:
            raise ResourceError(
                f"a resource with scope='engine' needs {name!r}, which comes with each run; "
                "give it scope='run'"
            )
        raise KeyError(name)

    def _on_constraints(self) -> None:
        """Have constraints count what runs already, where they are the first."""
        admission = self.admission
        had_any, self._had_constraints = self._had_constraints, admission.has_constraints
        if admission.has_constraints and not had_any:
            self._count_running()
        self._refresh_fast_path()

    def _count_running(self) -> None:
        suspended = {frame.awaited_by for frame in self.frames}
        for frame in self.frames:
            for position, task, future in frame.running():
                if position not in suspended:
                    self.admission.count_running(position, task, frame.run.id, future)

    def _refresh_fast_path(self) -> None:
        self.overrides_builtin_resource = not BUILTIN_RESOURCES.isdisjoint(self.resources)
        self.needs_slow_path = (
            bool(self.events.listeners)
            or self.admission.has_constraints
            or self.overrides_builtin_resource
            or self._drives_durable_agents
        )


def tell_of_resource(
    events: EventStream,
    run_id: str,
    definition: ResourceDefinition[Any],
    opened: bool,
    error: BaseException | None,
) -> None:
    """Tell whoever listens of a resource of a run, or of the engine, that was opened or closed."""
    if not events.listeners:
        return
    now, name, scope = asyncio.get_running_loop().time(), definition.name, definition.scope
    if opened:
        events.emit(ResourceOpened(run_id, now, name, scope))
    else:
        events.emit(ResourceClosed(run_id, now, name, scope, error))
