"""What a run would do, without doing it: as far as parameters and cached values reach.

The graph is walked as it would be evaluated, but a task's function is never called: its value is the one
that the cache remembers, or `UNKNOWN`. What is asked of an unknown value (a choice, the items of a mapping)
is left undecided.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, TypeAlias

from cascade.runtime.evaluation.arguments import find_calls, resolve
from cascade.runtime.evaluation.caching import UP_TO_DATE, remembered
from cascade.runtime.evaluation.graph import Graph
from cascade.runtime.evaluation.plan import plan
from cascade.runtime.state.agent import Agent
from cascade.runtime.state.run import Run
from cascade.runtime.state.services import EngineServices
from cascade.spec.containers import CALL_TYPES
from cascade.spec.lazy_types import LazyResult
from cascade.spec.quoting import Quoted
from cascade.spec.task import ITEMS

__all__ = ["DryRun", "Planned", "dry_run"]

State: TypeAlias = Literal["would run", "cached", "skipped", "undecided"]


@dataclass(frozen=True, slots=True)
class Planned:
    """One call, and what would become of it."""

    state: State
    call: LazyResult[Any]
    """With its arguments, as far as they are known; ``…`` stands for what is not."""

    reason: str = ""

    @property
    def task(self) -> str:
        """The task's name."""
        return self.call.task.name

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.state:<10} {self.call!r}" + (f": {self.reason}" if self.reason else "")


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a run would do, in an order in which it could."""

    planned: tuple[Planned, ...]

    def __iter__(self) -> Iterator[Planned]:
        """Go through the calls."""
        return iter(self.planned)

    @property
    def counts(self) -> Mapping[State, int]:
        """How many calls there are of each state."""
        return Counter(each.state for each in self.planned)

    def __str__(self) -> str:
        """Say it in a line for each call, and one for all."""
        total = ", ".join(f"{count} {state}" for state, count in self.counts.items())
        return "\n".join([*map(str, self.planned), f"in all: {total or 'nothing would run'}"])


async def dry_run(
    services: EngineServices, target: LazyResult[Any], params: Mapping[str, Any]
) -> DryRun:
    """Return what a run of a target would do; nothing is run or connected, and no resource is opened.

    The cache is looked at, and closed again. What a task returns later, a tail call, is not known before.

    Raises:
        CyclicGraphError: a call needs itself.
        UnknownParameterError: a parameter is not given that is needed in any case.
    """
    plan(target, Graph(), None)
    run = Run(services, "dry-run", params)
    walk = _Walk(Agent(run, run.id))
    try:
        await walk.evaluate(target)
    finally:
        await services.cache.aclose()
    return DryRun(tuple(walk.planned))


class _Undecided(BaseException):
    """Something was asked of a value that is not known."""


class _Unknown:
    """A value that is not known: it can be handed on, and nothing else."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "…"

    def _ask(self, *_: object) -> NoReturn:
        raise _Undecided

    __bool__ = __hash__ = __iter__ = __eq__ = __getattr__ = __len__ = _ask


UNKNOWN: Any = _Unknown()


class _Walk:
    """Goes through one run; to the functions of choices, mappings and combinators it is the frame."""

    def __init__(self, agent: Agent) -> None:
        self.planned: list[Planned] = []
        self._agent = agent
        self._values: dict[int, tuple[LazyResult[Any], Any]] = {}

    async def evaluate(self, root: Any, _attempt: int | None = None) -> Any:
        """Return a call's value, or `UNKNOWN`; a chain may be deep, so it does not recurse."""
        waiting = [root]
        while waiting:
            call = waiting[-1]
            missing = [
                each
                for each in find_calls(call)
                if not isinstance(each, Quoted) and id(each) not in self._values
            ]
            if id(call) in self._values or not missing:
                waiting.pop()
                if id(call) not in self._values:
                    self._values[id(call)] = call, await self._value_of(call)
            else:
                waiting += reversed(missing)
        return self._values[id(root)][1]

    async def _value_of(self, call: LazyResult[Any]) -> Any:
        """Return the value of a call whose inputs have been looked at."""
        needed = find_calls(call)
        inputs = [
            each.value if isinstance(each, Quoted) else self._values[id(each)][1] for each in needed
        ]
        args, kwargs = resolve(call, inputs) if needed else (call.args, call.kwargs)
        is_known = not any(each is UNKNOWN for each in inputs)
        role = call.task.role
        if role == "function":
            return await self._value_of_function(LazyResult(call.task, args, kwargs), is_known)
        if role in {"choice", "mapping", "combinator"}:
            return await self._value_of_part(LazyResult(call.task, args, kwargs))
        if role in {"collection", "items"}:
            return args[0] if is_known else UNKNOWN
        return await self._value_of_builtin(LazyResult(call.task, args, kwargs), is_known)

    async def _value_of_function(self, call: LazyResult[Any], is_known: bool) -> Any:
        policies, reason = call.task.policies, ""
        if policies.cache is not None and not is_known:
            reason = "its arguments are not known before"
        elif policies.cache is not None:
            found = await remembered(self._agent, call)
            if found is not None and policies.outputs:
                self._plan("skipped", call, UP_TO_DATE)
            elif found is not None:
                self._plan("cached", call)
            if found is not None:
                return found.value
            reason = "the cache has no value for it"
            if policies.outputs:
                reason = "its outputs are not there, or not known to be as it would write them"
        self._plan("would run", call, reason)
        return UNKNOWN

    async def _value_of_part(self, call: LazyResult[Any]) -> Any:
        """Return the value of what asks for values: a choice, a mapping, a combinator."""
        task = call.task
        frame = {"frame": self} if "frame" in task.injections else {}
        try:
            value = task.function(*call.args, **call.kwargs, **frame)
            if task.role == "combinator":
                return await value
            return await self.evaluate(value) if type(value) in CALL_TYPES else value
        except _Undecided:
            if task.role != "combinator":  # whose call has been told of
                self._plan("undecided", call, "it depends on what is not known before")
            return UNKNOWN

    async def _value_of_builtin(self, call: LazyResult[Any], is_known: bool) -> Any:
        """Return the value of a part of the language, where that has no effect: a parameter, a variable."""
        task = call.task
        wanted = {each.name for each in task.injections.values()}
        if not is_known or wanted - {"params"} or task.prepare is not None:
            self._plan("would run", call)
            return UNKNOWN
        params = dict.fromkeys(task.injections, self._agent.run.params)
        return task.function(*call.args, **call.kwargs, **params)

    def _plan(self, state: State, call: LazyResult[Any], reason: str = "") -> None:
        self.planned.append(Planned(state, call, reason))

    # --- what functions ask of a frame ------------------------------------------------------------

    @property
    def run(self) -> _Walk:
        """Itself, for `tell_skipped` and `services`."""
        return self

    @property
    def services(self) -> _Walk:
        """Itself, for `evaluate_items`."""
        return self

    def tell_skipped(self, call: LazyResult[Any], reason: str) -> None:
        """Take note of a call whose condition is false."""
        self._plan("skipped", call, reason)

    def evaluate_items(self, _frame: object, calls: list[Any], _window: int) -> LazyResult[Any]:
        """Return the call of all items, as without a window."""
        return LazyResult(ITEMS, (calls,), {})

    def limit(self, _seconds: float) -> asyncio.Timeout:
        """Return a time-out that never comes."""
        return asyncio.timeout(None)

    async def attempt(self) -> int:
        """Return the number of the first attempt."""
        return 1

    async def wait_before_retry(self, *_: object) -> NoReturn:
        """Stop: an attempt failed without any function being called."""
        raise _Undecided
