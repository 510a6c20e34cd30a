"""One step of a run whose target needs other calls first: a graph, run as its values come in.

A node starts as soon as its inputs are there. A call that returns another call has its graph joined
on; nothing here recurses, so neither a deep graph nor a deep recursion of tasks meets a limit.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from contextvars import copy_context
from types import CoroutineType
from typing import Any

from cascade.interfaces.errors import CyclicGraphError
from cascade.runtime.concurrency.eager_task import EagerTask
from cascade.runtime.evaluation.arguments import resolve, with_calls_evaluated
from cascade.runtime.evaluation.containers import CALL_TYPES
from cascade.runtime.evaluation.invocation import awaited, invoke, is_awaitable, note_failure
from cascade.runtime.evaluation.plan import Graph, Node, branches_of, plan
from cascade.runtime.state.run import Run
from cascade.spec.lazy_types import LazyResult

__all__ = ["GraphScheduler"]


class GraphScheduler:
    """The graph of one target on its way to the target's value."""

    __slots__ = (
        "_completed",
        "_in_flight",
        "_ready",
        "_root",
        "_run",
        "_unprepared",
        "_wake",
    )

    def __init__(self, run: Run, target: LazyResult[Any]) -> None:
        """Plan the graph.

        Raises:
            CyclicGraphError: the target needs itself; nothing has been run.
        """
        self._run = run
        self._ready: deque[Node] = deque()
        self._unprepared: list[LazyResult[Any]] = []
        self._in_flight: dict[EagerTask[Any], Node] = {}
        self._completed: list[EagerTask[Any]] = []
        self._wake: asyncio.Future[None] | None = None
        self._root = self._join(target, Graph())
        self._root.readers += 1  # the run

    def _join(self, call: LazyResult[Any], graph: Graph) -> Node:
        """Add a call, with what it needs, to its graph; return its node."""
        new = plan(call, graph)
        for node in new:
            if not node.waiting:
                self._ready.append(node)
            if node.call.task.prepare is not None:
                self._unprepared.append(node.call)
        return new[0]

    async def evaluate(self) -> Any:
        """Run the graph; return the target's value, which may be the call of a tail call."""
        try:
            while not self._root.done:
                if self._unprepared:
                    await self._prepare()
                if self._ready:
                    await self._start_ready()
                elif self._in_flight:
                    await self._wait_for_completion()
                else:
                    raise self._deadlock()  # noqa: TRY301 - after it, as after any failure, the others are stopped
        except BaseException as error:
            await self._cancel_in_flight(error)
            raise
        return self._root.value

    def _deadlock(self) -> CyclicGraphError:
        """Explain a cycle that arose on the way: a branch was chosen that needs the choice."""
        nodes = self._root.graph.nodes.values()
        return CyclicGraphError([node.call.task.name for node in nodes if not node.done])

    async def _prepare(self) -> None:
        while self._unprepared:
            call = self._unprepared.pop(0)
            if call.task.prepare is not None:
                await call.task.prepare(self._run, call)

    async def _start_ready(self) -> None:
        """Start every node that can start, until one joins on calls to prepare."""
        run = self._run
        ready = self._ready
        while ready and not self._unprepared:
            node = ready.popleft()
            task = node.call.task
            alone = not (ready or self._in_flight)
            try:
                args, kwargs = resolve(node.call, self._values_for(node))
                outcome = invoke(run, task, args, kwargs)
                if type(outcome) is not CoroutineType and is_awaitable(outcome):
                    outcome = awaited(outcome)
                if type(outcome) is CoroutineType:
                    if not alone:
                        self._spawn(node, outcome)
                        continue
                    outcome = await outcome
            except Exception as error:
                note_failure(error, task, run)
                raise
            self._take(node, outcome)
            if run.tick() > run.next_yield_at:
                await run.yield_to_loop()

    def _values_for(self, node: Node) -> list[Any]:
        """Return the values that a node needs; one that it was the last to need is let go."""
        values = []
        for need in node.needs:
            values.append(need.value)
            need.readers -= 1
            if not need.readers:
                need.drop_unwanted()
        return values

    # --- side by side -------------------------------------------------------------------------

    def _spawn(self, node: Node, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Run a node's coroutine beside the others, from now on."""
        eager: EagerTask[Any] = EagerTask(coroutine, self._run.loop, copy_context())
        eager.start()
        self._in_flight[eager] = node
        if eager.done():
            self._complete(eager)
        else:
            eager.add_done_callback(self._note_completion)

    def _note_completion(self, eager: asyncio.Future[Any]) -> None:
        self._completed.append(eager)  # type: ignore[arg-type]  # only eager tasks carry this callback
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def _wait_for_completion(self) -> None:
        if not self._completed:
            self._wake = self._run.loop.create_future()
            await self._wake
        completed, self._completed = self._completed, []
        for eager in completed:
            self._complete(eager)

    def _complete(self, eager: EagerTask[Any]) -> None:
        node = self._in_flight.pop(eager)
        try:
            value = eager.result()
        except Exception as error:
            note_failure(error, node.call.task, self._run)
            raise
        self._take(node, value)

    async def _cancel_in_flight(self, reason: BaseException) -> None:
        """Cancel and await what still runs; what goes wrong meanwhile is noted on the reason."""
        for eager in self._in_flight:
            eager.remove_done_callback(self._note_completion)
            eager.cancel()
        while any(not eager.done() for eager in self._in_flight):
            try:
                await asyncio.wait(self._in_flight)
            except (
                asyncio.CancelledError
            ):  # the run ends already; its tasks are awaited all the same
                continue
        for eager, node in self._in_flight.items():
            error = None if eager.cancelled() else eager.exception()
            if error is not None:
                reason.add_note(f"meanwhile, in task {node.call.task.name!r}: {error!r}")

    # --- values -------------------------------------------------------------------------------

    def _take(self, node: Node, value: Any) -> None:
        """Take what a node's task returned: its value, or a call to go on with."""
        task = node.call.task
        value = with_calls_evaluated(value, task)
        if type(value) in CALL_TYPES and (task.chooses or node is not self._root):
            self._forward(node, value)
        else:
            self._finish(node, value)
        if task.chooses:
            node.graph.let_go(branches_of(node.call))

    def _finish(self, node: Node, value: Any) -> None:
        """Hand a node's value on to whoever waits for it."""
        node.value = value
        node.done = True
        for dependent in node.dependents:
            dependent.waiting -= 1
            if not dependent.waiting:
                self._ready.append(dependent)
        for target in node.forwards_to:
            self._finish(target, value)
        if not node.readers:
            node.drop_unwanted()

    def _forward(self, node: Node, call: LazyResult[Any]) -> None:
        """Let a node's value be that of a call: of a branch it chose, or one that its task returned.

        A branch is written in the node's own graph, and shares what was evaluated there; what a task
        returns is a graph of its own.
        """
        graph = node.graph if node.call.task.chooses else Graph()
        successor = graph.nodes.get(id(call))
        if successor is None:
            successor = self._join(call, graph)
        if node is self._root:
            self._root = successor
            successor.readers += 1
            return
        targets = [node] if node.is_wanted or not node.forwards_to else node.forwards_to
        successor.forwards_to = [*successor.forwards_to, *targets]
        if successor.done:
            for target in targets:
                self._finish(target, successor.value)
