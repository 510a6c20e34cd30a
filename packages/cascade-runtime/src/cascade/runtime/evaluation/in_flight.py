"""The nodes of a graph that run side by side: started, awaited as they end, cancelled together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Iterator
from contextvars import copy_context
from sys import getrefcount
from typing import Any

from cascade.interfaces.errors.notes import add_note
from cascade.runtime.concurrency.eager_task import PENDING, EagerTask
from cascade.runtime.concurrency.futures import release, wait_to_the_end
from cascade.runtime.evaluation.graph import Node
from cascade.runtime.state.agent import Agent
from cascade.runtime.state.position import position
from cascade.spec.lazy_types import LazyResult
from cascade.spec.task import Task

__all__ = ["RUNS_ON", "InFlight"]


RUNS_ON = object()
"""What `InFlight.start` returns where a node waits for something."""


class InFlight:
    """Tasks of nodes that have not ended, or whose end nobody has taken note of."""

    __slots__ = ("_completed", "_loop", "_nodes", "_spare", "_wake")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin with none."""
        self._loop = loop
        self._nodes: dict[EagerTask[Any], Node] = {}
        self._completed: deque[EagerTask[Any]] = deque()
        self._spare: EagerTask[Any] | None = None
        self._wake: asyncio.Future[None] | None = None

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return bool(self._nodes)

    def start(self, node: Node, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a node's coroutine from now on; return its value where it ends at once, else `RUNS_ON`.

        Most do, and making a task costs more than all the rest: so the task of one that ended at once
        serves the next, unless somebody keeps it.
        """
        context = copy_context()
        task, self._spare = self._spare, None
        if task is None:
            task = EagerTask(coroutine, self._loop, context)
        else:
            task.reuse(coroutine, context)
        node.start()
        kept_by = getrefcount(task)
        try:
            value = task.begin(_begin, node, coroutine)
        except BaseException:
            node.at = None
            raise
        if value is PENDING:
            self._add(node, task)
            return RUNS_ON
        node.at = None
        if getrefcount(task) == kept_by:
            self._spare = task
        else:
            task.set_result(value)
        return value

    def start_agent(self, node: Node, call: LazyResult[Any] | None, value: Any = None) -> None:
        """Let an agent go on with a call that it returned; at its end its mailbox is closed.

        It begins in the next turn of the loop: one that begins others at once would recurse.
        """
        living = _live(node.frame.agent, call, value)
        task: EagerTask[Any] = EagerTask(living, self._loop, copy_context())
        self._add(node, task)
        self._loop.call_soon(task.start)

    def running(self) -> Iterator[tuple[Node, Task[..., Any], asyncio.Future[Any]]]:
        """Yield the nodes whose functions run, with their tasks and what is done with them."""
        for future, node in self._nodes.items():
            if node.at is not None:
                yield node, node.call.task, future

    def _add(self, node: Node, task: EagerTask[Any]) -> None:
        self._nodes[task] = node
        task.add_done_callback(self._note_completion)

    def _note_completion(self, task: asyncio.Future[Any]) -> None:
        self._completed.append(task)  # type: ignore[arg-type]  # only these tasks carry this callback
        self.wake()

    def wake(self) -> None:
        """Let whoever waits look for other work."""
        if self._wake is not None:
            release(self._wake)

    async def wait(self) -> None:
        """Wait until any has ended, or `wake`."""
        if not self._completed:
            self._wake = self._loop.create_future()
            await self._wake

    def take_ended(self) -> Iterator[tuple[Node, asyncio.Future[Any]]]:
        """Yield those that have ended, and are no longer in flight then."""
        while self._completed:
            task = self._completed.popleft()
            node = self._nodes.pop(task)
            node.at = None
            yield node, task

    async def cancel(self, reason: BaseException) -> None:
        """Cancel and await all; what goes wrong meanwhile is noted on the reason."""
        tasks = self._nodes
        for task in tasks:
            task.remove_done_callback(self._note_completion)
            task.cancel()
        await wait_to_the_end(tasks)  # it ends already, whoever cancels it meanwhile
        failed = [
            (node, error)
            for task, node in tasks.items()
            if not task.cancelled() and (error := task.exception())
        ]
        if failed:
            (node, error), others = failed[0], len(failed) - 1
            more = f", and {others} more" if others else ""
            add_note(reason, f"meanwhile, in task {node.call.task.name!r}: {error!r}{more}")


def _begin(node: Node, coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a node's coroutine until it first waits, in its context."""
    position.set(node)
    return coroutine.send(None)


async def _live(agent: Agent, call: LazyResult[Any] | None, value: Any) -> Any:
    """Evaluate what an agent goes on with, if anything, and close its mailbox."""
    try:
        return value if call is None else await agent.run.services.evaluate(agent, call)
    finally:
        await agent.close()
