"""Crashes of durable agents, at every place where a process can die, on simulated time.

A process that dies between two changes of its store leaves what the last one left. So a run of agents
is repeated for each change: once the process dies before it, once after it, and another process goes
on. The values have to be those of the run without a crash::

    def test_orders_survive():
        report = crash_everywhere({"order-1": order("a lamp"), "clerk": clerk("order-1")})
        assert report.differences == []

What happens outside the store, such as a payment, may happen again after a crash; give the functions
something that counts it, and look at that afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cascade.common.messaging import bus
from cascade.interfaces.errors import SimulationError, StoreError
from cascade.interfaces.protocols import Connector
from cascade.interfaces.store import ENDED, Store
from cascade.runtime.engine import Engine
from cascade.simulation import run_simulated
from cascade.stores.memory import MemoryStore

__all__ = ["CrashReport", "Difference", "crash_everywhere"]

_CHANGES = (
    "create",
    "claim",
    "commit",
    "deliver",
    "decide",
)  # operations on a store that change it
_MAX_SECONDS = 365 * 24 * 3600.0  # of simulated time that the agents of one run may take


@dataclass(frozen=True, slots=True)
class Difference:
    """A crash after which an agent came to something else."""

    operation: int
    """The number of the change of the store at which the process died, from 1."""

    when: Literal["before", "after"]
    name: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class CrashReport:
    """What a run of agents came to, and what it came to with crashes."""

    operations: int
    """How many changes of the store the run without a crash took."""

    crashes: int
    values: Mapping[str, str]
    """What each agent came to without a crash: its status and value."""

    differences: list[Difference]


class _Mortal:
    """A store as a process has it that dies at one of its operations."""

    def __init__(
        self, store: Store, dies_at: int | None, when: Literal["before", "after"] = "before"
    ) -> None:
        self._store = store
        self._dies_at = dies_at
        self._when = when
        self.operations = 0
        self.died = asyncio.Event()

    def twin(self) -> None:
        """Return None: it dies as a whole."""

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._store, name)
        return self._counted(operation, name) if callable(operation) else operation

    def _counted(
        self, operation: Callable[..., Coroutine[Any, Any, Any]], name: str
    ) -> Callable[..., Coroutine[Any, Any, Any]]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            if self.died.is_set() and name != "aclose":
                raise StoreError("this process has died")
            if name not in _CHANGES:
                return await operation(*args, **kwargs)
            if self.operations + 1 == self._dies_at and self._when == "before" and name != "claim":
                self._die()
            result = await operation(*args, **kwargs)
            if name == "claim" and not result:  # it only looked
                return result
            self.operations += 1
            if self.operations == self._dies_at:
                self._die()
            return result

        return call

    def _die(self) -> None:
        self.died.set()
        raise StoreError("this process dies here")


def crash_everywhere(
    agents: Mapping[str, Any],
    *,
    connector: Callable[[], Connector] | None = None,
    prepare: Callable[[Engine], None] | None = None,
) -> CrashReport:
    """Run durable agents to their ends, and again with a crash at each change of their store.

    Args:
        agents: the call that each begins with, by its name; all have to come to an end.
        connector: makes a connector for each process, where the agents need one.
        prepare: is given each engine before it runs, to register resources.

    Raises:
        SimulationError: the agents do not come to an end.

    Examples:
        >>> crash_everywhere({})
        CrashReport(operations=1, crashes=2, values={}, differences=[])
    """

    def live(store: Store, dies_at: int | None, when: Literal["before", "after"]) -> int | None:
        """Run one process; return the number of its operations if it came to the end, else None."""
        with bus.divert(lambda _message: None):
            return run_simulated(_live(_Mortal(store, dies_at, when), agents, connector, prepare))

    store = MemoryStore()
    operations = live(store, None, "before")
    if operations is None:
        raise SimulationError("the agents did not come to an end")
    values = run_simulated(_ended(store))
    differences = []
    for number in range(1, operations + 1):
        for when in ("before", "after"):
            store = MemoryStore()
            if live(store, number, when) is None and live(store, None, when) is None:
                raise SimulationError(f"no end after a crash {when} operation {number}")
            found = run_simulated(_ended(store))
            differences += [
                Difference(number, when, name, expected, found.get(name, "(not there)"))
                for name, expected in values.items()
                if found.get(name) != expected
            ]
    return CrashReport(operations, 2 * operations, values, differences)


async def _live(
    store: _Mortal,
    agents: Mapping[str, Any],
    connector: Callable[[], Connector] | None,
    prepare: Callable[[Engine], None] | None,
) -> int | None:
    mortal: Any = store
    engine = Engine(store=mortal, connector=None if connector is None else connector())
    if prepare is not None:
        prepare(engine)
    try:
        async with engine, asyncio.timeout(_MAX_SECONDS):
            await engine.agents.start(agents)
            while not store.died.is_set():
                left = await engine.agents.list(statuses=["ready"], limit=1)
                if not left:
                    return store.operations
                await asyncio.sleep(1.0)
    except (StoreError, TimeoutError):
        if not store.died.is_set():
            raise
    return None


async def _ended(store: Store) -> dict[str, str]:
    """Return what each agent came to."""
    return {
        record.name: f"{record.status}: {record.error or (record.result or b'').decode()}"
        for record in await store.list(statuses=ENDED)
    }
