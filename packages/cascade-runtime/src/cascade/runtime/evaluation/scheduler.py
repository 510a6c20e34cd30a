"""One step of a frame whose call needs several others first: a graph, run as its values come in.

A node starts when its inputs are there. A call that returns another has its graph joined on; nothing
recurses. An agent that goes on, and what a combinator encloses, are evaluated in frames of their own.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from types import CoroutineType
from typing import Any

from cascade.interfaces.errors import CyclicGraphError
from cascade.runtime.concurrency.futures import release
from cascade.runtime.evaluation.arguments import resolve, with_calls_evaluated
from cascade.runtime.evaluation.attempts import awaited, is_awaitable
from cascade.runtime.evaluation.enclosure import enclose
from cascade.runtime.evaluation.graph import Graph, Node, concerned_by
from cascade.runtime.evaluation.in_flight import RUNS_ON, InFlight
from cascade.runtime.evaluation.invocation import invoke, note_failure
from cascade.runtime.evaluation.plan import plan
from cascade.runtime.state.agent import Agent, Frame
from cascade.runtime.state.position import Position
from cascade.spec.containers import ATOMS, CALL_TYPES
from cascade.spec.lazy_types import LazyResult
from cascade.spec.roles import GATHERING
from cascade.spec.task import Task

__all__ = ["GraphScheduler"]


class GraphScheduler:
    """A graph on its way to its root's value."""

    __slots__ = (
        "_agents",
        "_frame",
        "_in_flight",
        "_is_target",
        "_outer",
        "_ready",
        "_root",
        "_unprepared",
        "_watchers",
    )

    def __init__(
        self,
        frame: Frame,
        target: LazyResult[Any],
        graph: Graph | None = None,
        outer: GraphScheduler | None = None,
    ) -> None:
        """Plan the graph.

        It may be a part of another graph, which a combinator encloses, and which ``outer`` evaluates.

        Raises:
            CyclicGraphError: the target needs itself; nothing has been run.
        """
        self._frame = frame
        self._outer = outer
        self._ready: deque[Node] = deque()
        self._unprepared: list[Node] = []
        self._agents: dict[Agent, None] = {}
        self._in_flight = InFlight(frame.run.loop)
        self._watchers: dict[Node, list[asyncio.Future[None]]] = {}
        self._is_target = isinstance(frame, Agent) and not frame.waiting
        graph = graph or Graph(f"{frame.here}/")
        self._root = self._join(plan(target, graph, frame, is_target=self._is_target))
        self._root.readers += 1  # the frame

    def _join(self, new: list[Node]) -> Node:
        """Take on nodes that were planned; return the first."""
        for node in new:
            if not node.waiting:
                self._ready.append(node)
            if node.begins_agent:
                self._agents[node.frame.agent] = None
                self._unprepared.append(node)
            elif node.call.task.prepare is not None:
                self._unprepared.append(node)
        return new[0]

    async def evaluate(self) -> Any:
        """Run the graph; return the target's value, which may be the call of a tail call."""
        outer, self._frame.graph = self._frame.graph, self
        try:
            while not self._root.done:
                await self._prepare()
                if self._ready:
                    await self._start_ready()
                elif self._in_flight:
                    await self._in_flight.wait()
                    for node, ended in self._in_flight.take_ended():
                        self._complete(node, ended)
                else:
                    raise self._deadlock()  # noqa: TRY301 - after it, as after any failure, the others are stopped
        except BaseException as error:
            await self._stop(error)
            raise
        finally:
            self._frame.graph = outer
        return self._root.value

    def running(self) -> Iterator[tuple[Position, Task[..., Any], asyncio.Future[Any] | None]]:
        """Yield what runs; see `Frame.running`."""
        yield from self._in_flight.running()
        alone = self._frame.at
        if isinstance(alone, Node) and not alone.done and alone.at is None:
            yield self._frame, alone.call.task, None

    def _deadlock(self) -> CyclicGraphError:
        """Explain a cycle that arose on the way: a branch was chosen that needs the choice."""
        left = [node for node in self._root.graph.nodes.values() if not node.done]
        return CyclicGraphError([node.call.task.name for node in left])

    async def _prepare(self) -> None:
        """Open the mailboxes that have to be open before anything starts."""
        while self._unprepared:
            node = self._unprepared.pop(0)
            agent, task = node.frame.agent, node.call.task
            if node.begins_agent and task.role not in GATHERING:
                for filters in agent.run.listen:
                    await agent.listen(filters)
            if task.prepare is not None:
                await task.prepare(agent, node.call)

    async def _start_ready(self) -> None:
        """Start every node that can start, until one joins on calls to prepare."""
        time_slice = self._frame.agent.time_slice
        ready = self._ready
        while ready and not self._unprepared:
            node = ready.popleft()
            alone = not (ready or self._in_flight)
            try:
                outcome = self._call(node)
                if type(outcome) is CoroutineType:
                    if alone and node.call.task.role != "combinator":
                        outcome = await outcome
                    else:
                        outcome = self._in_flight.start(node, outcome)
                        if outcome is RUNS_ON:
                            continue
            except Exception as error:  # noqa: BLE001 - raised again, where it is not handed on
                self._fail(node, error)
            else:
                self._take(node, outcome)
            if time_slice.tick() > time_slice.ends_at:
                await time_slice.yield_to_loop()

    def _call(self, node: Node) -> Any:
        """Call a node's function: return its value, or a coroutine that gives it."""
        call, frame = node.call, node.frame
        outer = node.graph.outer
        if outer is not None and self._outer is not None and node.graph.is_foreign(call):
            return self._outer.fetch(call, outer)
        if call.task.role == "combinator":
            return enclose(node, self._evaluate_part)
        args, kwargs = resolve(call, self._values_for(node) if node.needs else ())
        self._frame.at = node
        outcome = invoke(frame, call.task, args, kwargs)
        if type(outcome) is CoroutineType or not is_awaitable(outcome):
            return outcome
        return awaited(outcome)

    def _values_for(self, node: Node) -> list[Any]:
        """Return the values that a node needs; one that it was the last to need is let go."""
        values = []
        for need in node.needs:
            if need.failure is not None:
                raise need.failure
            values.append(need.value)
            need.readers -= 1
            if not need.readers:
                need.drop_unwanted()
        return values

    # --- combinators --------------------------------------------------------------------------

    async def _evaluate_part(self, frame: Frame, call: LazyResult[Any], graph: Graph) -> Any:
        """Evaluate what a combinator encloses, a part of one of this scheduler's graphs."""
        return await GraphScheduler(frame, call, graph, self).evaluate()

    async def fetch(self, call: LazyResult[Any], graph: Graph) -> Any:
        """Return the value of a call of one of this scheduler's graphs, for a part of it that chose it."""
        node = graph.nodes.get(id(call))
        if node is None:
            node = self._join(plan(call, graph, self._frame))
            self._in_flight.wake()
        node.readers += 1
        if not node.done:
            watcher = self._frame.run.loop.create_future()
            self._watchers.setdefault(node, []).append(watcher)
            await watcher
        if node.failure is not None:
            raise node.failure
        return node.value

    # --- side by side -------------------------------------------------------------------------

    def _complete(self, node: Node, ended: asyncio.Future[Any]) -> None:
        try:
            value = ended.result()
        except Exception as error:  # noqa: BLE001 - raised again, where it is not handed on
            self._fail(node, error)
        else:
            self._take(node, value)

    async def _stop(self, reason: BaseException) -> None:
        """Cancel and await what still runs, and close the mailboxes of agents that began here."""
        await self._in_flight.cancel(reason)
        for agent in self._agents:
            await agent.close()

    # --- values -------------------------------------------------------------------------------

    def _take(self, node: Node, value: Any) -> None:
        """Take what a node's task returned: its value, or a call to go on with."""
        task = node.call.task
        is_choice = task.role == "choice" and node.holds
        if type(value) not in ATOMS:
            value = with_calls_evaluated(value, task)
        if type(value) in CALL_TYPES and (is_choice or node is not self._root):
            if node.begins_agent and not is_choice:
                self._in_flight.start_agent(node, value)
            else:
                self._forward(node, value)
        elif node.begins_agent and node.frame.agent.has_mailbox:
            self._in_flight.start_agent(node, None, value)
        else:
            self._finish(node, value)
        if node.graph.open:
            node.graph.let_go(node)

    def _finish(self, node: Node, value: Any) -> None:
        """Hand a node's value on to whoever waits for it."""
        node.value = value
        self._settle(node)
        for target in node.forwards_to:
            self._finish(target, value)
        if not node.readers:
            node.drop_unwanted()

    def _fail(self, node: Node, error: Exception) -> None:
        """Hand a node's failure on to the combinators that it concerns.

        Raises:
            Exception: the failure, where it concerns the root.
        """
        note_failure(error, node.call, node.frame.run)
        concerned = concerned_by(node)
        if self._root in concerned:
            raise error
        for each in concerned:
            each.failure, each.done = error, True
        for each in concerned:
            self._settle(each)
            each.graph.let_go(each)

    def _settle(self, node: Node) -> None:
        """Let those start who waited for a node."""
        node.done = True
        for dependent in node.dependents:
            dependent.waiting -= 1
            if not (dependent.waiting or dependent.done):
                self._ready.append(dependent)
        if node.begins_agent:
            self._agents.pop(node.frame.agent, None)
        if self._watchers:
            for watcher in self._watchers.pop(node, ()):
                release(watcher)

    def _forward(self, node: Node, call: LazyResult[Any]) -> None:
        """Let a node's value be that of a call: of a branch it chose, or one that its task returned.

        A branch is written in the node's own graph, and shares what was evaluated there; what a task
        returns is a graph of its own.
        """
        chosen = node.call.task.role == "choice" and node.holds
        graph = node.graph if chosen else node.graph.after(node)
        successor = graph.nodes.get(id(call)) or graph.handed_in.get(id(call))
        if successor is None:
            is_target = self._is_target and node is self._root
            new = plan(call, graph, node.frame, node if chosen else None, is_target=is_target)
            successor = self._join(new)
        if successor.failure is not None:
            self._fail(node, successor.failure)
            return
        if node is self._root:
            self._root, successor.readers = successor, successor.readers + 1
            return
        targets = [node] if node.is_wanted or not node.forwards_to else node.forwards_to
        successor.forwards_to = [*successor.forwards_to, *targets]
        if successor.done:
            for target in targets:
                self._finish(target, successor.value)
