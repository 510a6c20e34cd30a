"""The state of one run: its parameters, open resources, mailboxes, random numbers, and time.

The engine that a run belongs to keeps none of this.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from cascade.interfaces.errors import NoConnectorError
from cascade.interfaces.topics import Filters
from cascade.runtime.concurrency.clock import LoopClock, is_simulated
from cascade.runtime.concurrency.fairness import time_source
from cascade.runtime.resources.scope import Scope
from cascade.runtime.signals.mailbox import Mailbox
from cascade.runtime.state.services import EngineServices

__all__ = ["Run"]


class Run:
    """One execution of one target.

    Attributes:
        id: names the run within its engine.
        services: what it shares with the other runs of its engine.
        loop: the event loop it runs on; its clock is the run's clock.
        params: the parameters it was given.
        steps: how many steps it has begun.
        is_simulated: whether the loop's time is simulated.
        tick: the clock that measures time slices; see `cascade.runtime.concurrency.fairness`.
        next_yield_at: when, by ``tick``, the loop is due a turn.
    """

    __slots__ = (
        "_clock",
        "_mailboxes",
        "_random",
        "_scope",
        "_slice",
        "id",
        "is_simulated",
        "loop",
        "next_yield_at",
        "params",
        "services",
        "steps",
        "tick",
    )

    def __init__(self, services: EngineServices, run_id: str, params: Mapping[str, Any]) -> None:
        """Begin on the loop that runs now."""
        self.services = services
        self.id = run_id
        self.loop = asyncio.get_running_loop()
        self.params = params
        self._scope: Scope | None = None
        self.steps = 0
        self.tick, self._slice = time_source(self.loop)
        self.is_simulated = is_simulated(self.loop)
        self.next_yield_at = self.tick() + self._slice
        self._mailboxes: dict[Filters, Mailbox] | None = None
        self._clock: LoopClock | None = None
        self._random: random.Random | None = None

    @property
    def scope(self) -> Scope:
        """The resources that are open until the run ends."""
        if self._scope is None:
            self._scope = Scope(self.services.resources, self.builtin_resource)
        return self._scope

    @property
    def clock(self) -> LoopClock:
        """The run's clock."""
        if self._clock is None:
            self._clock = LoopClock(self.loop)
        return self._clock

    @property
    def random(self) -> random.Random:
        """The run's own random numbers: a stream for each seed of the engine and id of the run."""
        if self._random is None:
            seed = self.services.seed
            self._random = random.Random(None if seed is None else f"{seed}/{self.id}")
        return self._random

    def begin_time_slice(self) -> None:
        """Begin a new time slice: the event loop has just had a turn."""
        if not self.is_simulated:  # there every turn counts its steps anew
            self.next_yield_at = self.tick() + self._slice

    async def yield_to_loop(self) -> None:
        """Yield to the event loop for one turn."""
        sharers = await self.services.time_slice.yield_to_loop()
        self.next_yield_at = self.tick() + self._slice / sharers

    # --- what is always there -----------------------------------------------------------------

    def builtin_resource(self, name: str) -> Any:
        """Return what comes with the run, by one of the names in `cascade.spec.resource.BUILTIN_RESOURCES`.

        Raises:
            KeyError: there is none of that name.
            NoConnectorError: the engine has no connector.
        """
        if name == "clock":
            return self._clock or self.clock
        if name == "_run":
            return self
        if name == "_internal_connector":
            if self.services.connector is None:
                raise NoConnectorError
            return self.services.connector
        if name == "params":
            return self.params
        if name == "rng":
            return self.random
        raise KeyError(name)

    # --- signals ------------------------------------------------------------------------------

    def mailbox(self, filters: Filters) -> Mailbox | None:
        """Return the open mailbox on these filters, if there is one."""
        return None if self._mailboxes is None else self._mailboxes.get(filters)

    async def open_mailbox(self, filters: Filters) -> Mailbox:
        """Return the mailbox on these filters; it takes signals in from now until the run ends."""
        if self._mailboxes is None:
            self._mailboxes = {}
        mailbox = self._mailboxes.get(filters)
        if mailbox is None:
            engine = self.services
            connector = self.builtin_resource("_internal_connector")
            mailbox = self._mailboxes[filters] = Mailbox(
                filters, engine.max_queued, engine.overflow
            )
            await mailbox.open(connector)
        return mailbox

    async def __aenter__(self) -> Self:
        """Begin; everything is opened at first need."""
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        failure: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Close the mailboxes, then the resources; what the run raised is thrown into these.

        Raises:
            Exception: as `Scope.close`.
        """
        try:
            for mailbox in (self._mailboxes or {}).values():
                await mailbox.close()
        finally:
            if self._scope is not None:
                await self._scope.close(failure)
