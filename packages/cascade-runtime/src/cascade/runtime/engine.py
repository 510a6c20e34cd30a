"""The engine: opens what its runs share, begins runs, and closes everything after the last one."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import AsyncExitStack
from itertools import count
from os import PathLike
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, Unpack, overload

from cascade.interfaces.cache import Cache
from cascade.interfaces.errors import InvalidResourceError, NoStoreError
from cascade.interfaces.errors.frames import hide_own_frames
from cascade.interfaces.protocols import Connector, Executor, OverflowPolicy, SubscriptionHandle
from cascade.interfaces.store import Store
from cascade.interfaces.topics import as_filters
from cascade.runtime.concurrency.bounded_queue import DEFAULT_LIMIT
from cascade.runtime.concurrency.shared_opening import SharedOpening
from cascade.runtime.evaluation.evaluator import as_call, evaluate, evaluate_and_tell, evaluate_in
from cascade.runtime.evaluation.items import evaluate_items
from cascade.runtime.observation.events import EventStream
from cascade.runtime.observation.telemetry import Telemetry, TelemetrySettings
from cascade.runtime.options import Listen, RunOptions
from cascade.runtime.state.agent import Agent
from cascade.runtime.state.connection import connector_at, join, leave
from cascade.runtime.state.execution import executor_in
from cascade.runtime.state.run import Run
from cascade.runtime.state.services import EngineServices
from cascade.spec.constraint import CONSTRAINT_TOPIC
from cascade.spec.resource import ResourceDefinition
from cascade.spec.task import Task

if TYPE_CHECKING:
    from cascade.runtime.durable.agents import DurableAgents
    from cascade.runtime.evaluation.dry_run import DryRun

__all__ = ["Engine"]

R = TypeVar("R")

_NO_PARAMS: Mapping[str, Any] = MappingProxyType({})  # one for all: a parked agent counts bytes


class Engine:
    """Evaluates targets; any number of runs at once.

    Entered as ``async with`` it connects once for all its runs; otherwise with the first run, and
    disconnects with the last. Of engines that share a connector the last one out disconnects it.

    Attributes:
        name: what telemetry calls this engine.

    Examples:
        >>> import asyncio
        >>> import cascade as cs
        >>> half = cs.task(lambda n: n / 2).with_demands(gpu=1)
        >>> asyncio.run(cs.Engine(capacities={"gpu": 2}).run(half.map([1, 2, 3])))
        [0.5, 1.0, 1.5]
    """

    def __init__(
        self,
        *,
        connector: Connector | str | None = None,
        store: Store | str | PathLike[str] | None = None,
        executor: Executor | str | None = None,
        capacities: Mapping[str, float] | None = None,
        cache: Cache | str | PathLike[str] | None = None,
        max_queued: int = DEFAULT_LIMIT,
        overflow: OverflowPolicy = "wait",
        name: str | None = None,
        seed: int | None = None,
        shutdown_timeout: float = 30.0,
        telemetry: TelemetrySettings | bool = False,
    ) -> None:
        """Make an engine; nothing is connected or started yet.

        Args:
            connector: for `recv`, `send` and constraints, which without one raise `NoConnectorError`; or its
                URL, such as ``mqtt://localhost``.
            store: where durable agents lie: a store, an SQLite file, or a URL, ``postgresql://…``.
            executor: where plain functions run, or its URL, ``dask://…``; an own `PoolExecutor` if left out.
            capacities: units that tasks may demand with ``with_demands``, by name.
            cache: where ``with_cache`` keeps values: a cache, a folder, or a URL; else a `MemoryCache`.
            max_queued: signals that a mailbox holds for each filter.
            overflow: what a full mailbox does with one more.
            name: what telemetry calls this engine; a random one if left out.
            seed: makes the random numbers of a run (the resource ``rng``) a function of it and the run's name.
            shutdown_timeout: seconds that closing waits for threads that nobody waits for; then it says
                so, and leaves open what they use.
            telemetry: report over the connector what happens; see `cascade.runtime.observation.telemetry`.

        Raises:
            ValueError: max_queued is below 1, overflow is no policy, or shutdown_timeout is below 0.
            TypeError: cache is none, and no place of one.
        """
        self._services = EngineServices(
            connector=connector_at(connector) if isinstance(connector, str) else connector,
            executor=executor_in(executor),
            capacities=capacities or {},
            cache=cache,
            evaluate=evaluate_in,
            evaluate_items=evaluate_items,
            max_queued=max_queued,
            overflow=overflow,
            seed=seed,
            shutdown_timeout=shutdown_timeout,
        )
        self.name = name or f"engine-{secrets.token_hex(4)}"
        self._telemetry_settings = TelemetrySettings() if telemetry is True else telemetry
        self._telemetry: Telemetry | None = None
        self._owns_executor, self._run_numbers = executor is not self._services.executor, count(1)
        self._users = SharedOpening(f"the engine {self.name!r}", self._start, self._stop)
        self._is_joined = False
        self._constraints: SubscriptionHandle | None = None
        self._agents: DurableAgents | None = None
        if store is not None:
            from cascade.runtime.durable.opening import agents_in  # noqa: PLC0415 - most have none

            self._agents = agents_in(store, self._services, self.name, evaluate)

    @property
    def connector(self) -> Connector | None:
        """The way in and out, or None."""
        return self._services.connector

    @property
    def events(self) -> EventStream:
        """What the engine says about itself: ``engine.events.listen(callback)``."""
        return self._services.events

    @property
    def agents(self) -> DurableAgents:
        """The durable agents of this engine; without a store a `NoStoreError`."""
        if self._agents is None:
            raise NoStoreError
        return self._agents

    def register(self, definition: ResourceDefinition[Any]) -> None:
        """Make a resource known by its name, for runs that begin later.

        Raises:
            InvalidResourceError: it was not made with ``@resource``.
        """
        if not isinstance(definition, ResourceDefinition):
            raise InvalidResourceError(f"{definition!r} is no resource; put @cs.resource above it")
        self._services.register(definition)

    @overload
    async def run(
        self,
        target: Task[..., R],
        params: Mapping[str, Any] | None = None,
        *,
        dry_run: Literal[False] = False,
        **options: Unpack[RunOptions],
    ) -> R: ...
    @overload
    async def run(
        self,
        target: R,
        params: Mapping[str, Any] | None = None,
        *,
        dry_run: Literal[False] = False,
        **options: Unpack[RunOptions],
    ) -> R: ...
    @overload
    async def run(
        self,
        target: Any,
        params: Mapping[str, Any] | None = None,
        *,
        dry_run: Literal[True],
        **options: Unpack[RunOptions],
    ) -> DryRun: ...
    async def run(
        self,
        target: Any,
        params: Mapping[str, Any] | None = None,
        *,
        listen: Listen = (),
        name: str | None = None,
        priority: int = 0,
        durable: bool = False,
        attach: bool = False,
        dry_run: bool = False,
    ) -> Any:
        """Run a target and return its value.

        Args:
            target: a call, a list, tuple or dict of calls, or a task, which is called with
                ``params`` as keyword arguments.
            params: what `param` and the resource ``params`` give.
            listen: filters on which each agent of the run keeps signals, from before its first step.
            name: the run's id; a number of its own if left out.
            priority: where tasks of several runs wait for the same, those of the highest are first.
            durable: start the agent of that name in the store, take it up where it left, or give the
                value that it came to. The target is a plain call of a task.
            attach: take up whatever agent has the name, also one that began with another call.
            dry_run: run nothing, and return what would run, as far as parameters and cached values reach.

        Raises:
            NoStoreError: it is durable, and the engine has no store.
            AgentExistsError: a durable agent of that name began with another call.
            AgentFailedError: the durable agent has come to no value.
            ValueError: a durable agent has no name, or is not to be run at all; or ``attach`` is given for
                a run that is not durable.
            InvalidTaskError: the target is nothing that can be run.
            Exception: whatever a task raises, with notes that name task and run.
        """
        given = params or _NO_PARAMS
        call = as_call(target, given)
        if dry_run:
            if durable:
                raise ValueError("what a durable agent has come to lies in its store: no dry run")
            from cascade.runtime.evaluation.dry_run import dry_run as look  # noqa: PLC0415 - few ask

            return await look(self._services, call, given)
        listened = (listen,) if isinstance(listen, str) else listen
        filters = tuple(as_filters(each) for each in listened) if listened else ()
        if durable:
            if priority:
                raise ValueError("a durable agent has no priority: whoever takes it up has its own")
            return await self._run_durable(name, call, given, listen=filters, attach=attach)
        if attach:
            raise ValueError("attach=True takes up a durable agent: durable=True goes with it")
        await self._users.enter()
        try:
            run_id = name or f"run-{next(self._run_numbers)}"
            agent = Agent(Run(self._services, run_id, given, filters, priority), run_id)
            if not self.events.listeners:
                return await evaluate(agent, call)
            shown = f"{target.name}(…)" if isinstance(target, Task) else repr(target)
            return await evaluate_and_tell(agent, call, shown)
        except BaseException as error:
            hide_own_frames(error)
            raise
        finally:
            await self._users.leave()

    async def _run_durable(self, *agent: Any, **options: Any) -> Any:
        agents = self.agents
        await self._users.enter()
        try:
            return await agents.run(*agent, **options)
        finally:
            await self._users.leave()

    async def __aenter__(self) -> Self:
        """Connect, and stay so until the block ends."""
        await self._users.enter()
        return self

    async def __aexit__(self, *_failure: object) -> None:
        """Disconnect."""
        await self._users.leave()

    # --- opening and closing ------------------------------------------------------------------

    async def _start(self) -> None:
        if self.connector is not None:
            await self._listen(self.connector)
        if self._agents is not None:
            await self._agents.open()

    async def _listen(self, connector: Connector) -> None:
        if self._telemetry_settings:
            self._telemetry = Telemetry(self.name, self.events, connector, self._telemetry_settings)
            self._telemetry.offer_will()
            self._services.status_topic = self._telemetry.status_topic
        await join(connector)
        self._is_joined = True
        take = self._services.admission.on_constraint
        self._constraints = await connector.subscribe(f"{CONSTRAINT_TOPIC}/#", take)
        if self._telemetry is not None:
            await self._telemetry.start()

    async def _stop(self) -> None:
        """Close everything, last opened first, each also where another does not close."""
        async with AsyncExitStack() as closing:
            if self._is_joined and self.connector is not None:
                self._is_joined = False
                closing.push_async_callback(leave, self.connector)
            if self._owns_executor:
                closing.push_async_callback(self._services.executor.aclose)
            closing.push_async_callback(self._services.cache.aclose)
            closing.callback(self._services.admission.drop_constraints)
            if self._constraints is not None:
                closing.push_async_callback(self._constraints.unsubscribe)
            if self._telemetry is not None:
                closing.push_async_callback(self._telemetry.stop)
            self._constraints = self._telemetry = None
            closing.push_async_callback(self._services.scope.close, None)
            services = self._services
            closing.push_async_callback(services.abandoned.wait, services.shutdown_timeout)
            if self._agents is not None:
                closing.push_async_callback(self._agents.close)
