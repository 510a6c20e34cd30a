"""The state of one run that all of its agents share: its parameters, open resources, and time.

The engine that a run belongs to keeps none of this.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Protocol, TypeVar

from cascade.interfaces.errors import NoConnectorError
from cascade.interfaces.topics import Filters
from cascade.runtime.concurrency.clock import LoopClock, is_simulated
from cascade.runtime.observation.events import TaskSkipped
from cascade.runtime.resources.scope import Scope
from cascade.runtime.state.services import EngineServices, tell_of_resource
from cascade.spec.lazy_types import LazyResult
from cascade.spec.task import Task

__all__ = ["NOT_JOURNALED", "Run", "StepJournal"]

NOT_JOURNALED = object()
"""What the journal of a durable agent gives for a call that has no value yet."""


T = TypeVar("T")


class StepJournal(Protocol):
    """What keeps, for a durable agent, what must not be done twice when its step runs again."""

    def here(self) -> str:
        """Return the place of the call that is under way."""

    def value_of(self, place: str, task: Task[..., Any]) -> Any:
        """Return the value that the call at a place has given already, or `NOT_JOURNALED`."""

    async def keep(self, place: str, task: Task[..., Any], value: Any, *, now: bool) -> None:
        """Have a value written before the step waits, or at once."""

    async def under_way(self, work: Coroutine[Any, Any, T]) -> T:
        """Await something that the step does, and count it meanwhile."""

    def limit(self, seconds: float) -> AbstractAsyncContextManager[asyncio.Timeout]:
        """Return a time-out that began when the step first came here."""

    async def attempt(self) -> int:
        """Return the number of the attempt that goes on here, once its time has come."""

    async def wait_for_attempt(self, number: int, seconds: float) -> None:
        """Take note that the attempt before has failed, and wait before the next one."""


class Run:
    """One execution of one target.

    Attributes:
        id: names the run within its engine.
        services: what it shares with the other runs of its engine.
        loop: the event loop it runs on; its clock is the run's clock.
        clock: tells its time.
        journal: what keeps the values of a step of a durable agent, where the run has one.
        params: the parameters it was given.
        listen: filters on which each of its agents keeps signals from its start.
        priority: where tasks wait for the same, those of the highest are first.
        unread: how many signals its agents left in their mailboxes.
        simulated: the loop again where its time is simulated, else None.
    """

    __slots__ = (
        "_random",
        "_scope",
        "clock",
        "id",
        "journal",
        "listen",
        "loop",
        "params",
        "priority",
        "services",
        "simulated",
        "unread",
    )

    def __init__(
        self,
        services: EngineServices,
        run_id: str,
        params: Mapping[str, Any],
        listen: tuple[Filters, ...] = (),
        priority: int = 0,
    ) -> None:
        """Begin on the loop that runs now."""
        self.services = services
        self.id = run_id
        self.loop = asyncio.get_running_loop()
        self.params = params
        self.listen = listen
        self.priority = priority
        self.unread = 0
        self._scope: Scope | None = None
        self.simulated: Any = self.loop if is_simulated(self.loop) else None
        self.clock = LoopClock(self.loop)
        self.journal: StepJournal | None = None
        self._random: random.Random | None = None

    @property
    def is_simulated(self) -> bool:
        """Whether the loop's time is simulated."""
        return self.simulated is not None

    @property
    def scope(self) -> Scope:
        """The resources that are open until the run ends."""
        if self._scope is None:
            tell = partial(tell_of_resource, self.services.events, self.id)
            self._scope = self.services.scope.inner("run", self.builtin_resource, tell)
        return self._scope

    def random_for(self, name: str) -> random.Random:
        """Return an agent's random numbers: a stream for each seed of the engine and name.

        The agent that is named like the run shares them with the run's resources.
        """
        if name == self.id and self._random is not None:
            return self._random
        seed = self.services.seed
        stream = random.Random(None if seed is None else f"{seed}/{name}")
        if name == self.id:
            self._random = stream
        return stream

    def builtin_resource(self, name: str) -> Any:
        """Return what comes with the run, by a name in `cascade.spec.resource.BUILTIN_RESOURCES`.

        Raises:
            KeyError: there is none of that name.
            NoConnectorError: the engine has no connector.
        """
        if name == "clock":
            return self.clock
        if name == "_internal_connector":
            if self.services.connector is None:
                raise NoConnectorError
            return self.services.connector
        if name == "params":
            return self.params
        if name == "rng":
            return self.random_for(self.id)
        raise KeyError(name)

    def tell_skipped(self, call: LazyResult[Any], reason: str) -> None:
        """Say that a call is not run, if anybody listens."""
        events = self.services.events
        if events.listeners:
            task, now = call.task, self.loop.time()
            events.emit(TaskSkipped(self.id, now, task.name, task.id, reason, call))

    @property
    def has_resources(self) -> bool:
        """Whether any may be open, which has to be closed."""
        return self._scope is not None

    async def close(self, failure: BaseException | None) -> None:
        """Close the resources; what the run raised is thrown into these.

        Raises:
            Exception: as `Scope.close`.
        """
        if self._scope is not None:
            await self._scope.close(failure)
