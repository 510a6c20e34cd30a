"""What a combinator is given: how to evaluate the call that it encloses, as often as it likes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias, TypeVar

from cascade.runtime.evaluation.arguments import find_calls, resolve
from cascade.runtime.evaluation.attempts import (
    announce_retry,
    attempt_to_go_on_with,
    wait_for_attempt,
)
from cascade.runtime.evaluation.graph import Graph, Node
from cascade.runtime.state.agent import Frame, NestedFrame
from cascade.runtime.state.position import attempting, position
from cascade.spec.lazy_types import LazyResult
from cascade.spec.policies import Retry

__all__ = ["enclose"]

T = TypeVar("T")

_Outcome: TypeAlias = tuple[LazyResult[Any], Any, Exception | None]
"""A call, and the value or the failure that it came to."""

_EvaluatePart: TypeAlias = Callable[[Frame, LazyResult[Any], Graph], Coroutine[Any, Any, Any]]


def enclose(combinator: Node, evaluate_part: _EvaluatePart) -> Coroutine[Any, Any, Any]:
    """Run a combinator, whose needs are there: first those of its arguments, then what is handed in."""
    call, needs = combinator.call, combinator.needs
    count = len(find_calls(call))
    args, kwargs = resolve(call, [need.value for need in needs[:count]])
    outcomes = {id(each.call): (each.call, each.value, each.failure) for each in needs[count:]}
    for need in needs:
        need.readers -= 1
        if not need.readers:
            need.drop_unwanted()
    enclosure = _Enclosure(combinator, outcomes, evaluate_part)
    return call.task.function(*args, **kwargs, frame=enclosure)  # type: ignore[no-any-return]  # as its role says


class _Enclosure:
    """The call inside a combinator, evaluated afresh each time, in a frame of its own."""

    __slots__ = ("_evaluate_part", "_node", "_outcomes")

    def __init__(
        self, node: Node, outcomes: Mapping[int, _Outcome], evaluate_part: _EvaluatePart
    ) -> None:
        """Take the combinator's node, and what other calls came to that stand outside as well."""
        self._node = node
        self._outcomes = outcomes
        self._evaluate_part = evaluate_part

    async def evaluate(self, call: Any, attempt: int | None = None) -> Any:
        """Return the call's value, evaluated afresh; what stands outside as well is handed in."""
        node = self._node
        if id(call) in self._outcomes:
            _, value, failure = self._outcomes[id(call)]
            if failure is not None:
                raise failure
            return value
        frame = NestedFrame(node.frame, f"{node.place}/", attempt)
        handed_in = {key: _there_already(node, each) for key, each in self._outcomes.items()}
        graph = Graph(f"{frame.here}/", 0, node, handed_in)
        before, frames = position.set(frame), frame.run.services.frames
        frames.add(frame)
        try:
            with attempting(frame, frame.agent):
                value = await self._evaluate_part(frame, call, graph)
                return await frame.run.services.evaluate(frame, value)
        finally:
            frame.at = None
            frames.discard(frame)
            position.reset(before)

    async def wait_before_retry(self, policy: Retry, attempt: int, error: Exception) -> None:
        """Tell of an attempt that failed, and wait as long as the policy says."""
        name = self._node.call.args[0].value.task.name
        seconds = announce_retry(self._node.frame, name, policy, attempt, error)
        await self._counted(wait_for_attempt(self._node.frame.run, attempt + 1, seconds))

    async def attempt(self) -> int:
        """Return the number of the attempt to begin with."""
        return await self._counted(attempt_to_go_on_with(self._node.frame.run))

    async def _counted(self, work: Coroutine[Any, Any, T]) -> T:
        """Await what a durable agent has to count as under way: no call of a task is."""
        journal = self._node.frame.run.journal
        return await (work if journal is None else journal.under_way(work))

    def limit(self, seconds: float) -> AbstractAsyncContextManager[asyncio.Timeout]:
        """Return a time-out; that of a durable agent began when it first came here."""
        journal = self._node.frame.run.journal
        return asyncio.timeout(seconds) if journal is None else journal.limit(seconds)


def _there_already(combinator: Node, outcome: _Outcome) -> Node:
    """Return a node for a call that was evaluated further out."""
    call, value, failure = outcome
    node = Node(call, combinator.graph, combinator.frame)
    node.value, node.failure = value, failure
    node.readers = 1  # the frame: a value is not let go before it ends
    node.done = True
    return node
