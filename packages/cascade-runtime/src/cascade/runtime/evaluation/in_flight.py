"""The nodes of a graph that run side by side: started, awaited as they end, cancelled together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Iterator
from contextvars import copy_context
from typing import Any

from cascade.interfaces.errors.notes import add_note
from cascade.runtime.concurrency.eager_task import EagerTask
from cascade.runtime.concurrency.futures import release
from cascade.runtime.evaluation.graph import Node
from cascade.runtime.state.agent import Agent, Frame
from cascade.runtime.state.position import position
from cascade.spec.lazy_types import LazyResult

__all__ = ["InFlight"]


class _NodeTask(EagerTask[Any]):
    """Runs a node's coroutine beside the others; what runs in it finds its position here."""

    __slots__ = ("at", "attempt", "evaluations", "taken")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], node: Node) -> None:
        """Prepare to run it in a context of its own."""
        super().__init__(coroutine, node.frame.run.loop, copy_context())
        self.at: Node | None = node
        self.attempt = node.frame.attempt
        self.evaluations = 0
        self.taken = node.frame.taken

    def _begin(self) -> None:
        position.set(self)
        self._advance(None)

    @property
    def frame(self) -> Frame:
        """Where its call is evaluated."""
        assert self.at is not None  # noqa: S101 - who asks has looked
        return self.at.frame


class InFlight:
    """Tasks of nodes that have not ended, or whose end nobody has taken note of."""

    __slots__ = ("_completed", "_loop", "_nodes", "_wake")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin with none."""
        self._loop = loop
        self._nodes: dict[EagerTask[Any], Node] = {}
        self._completed: deque[EagerTask[Any]] = deque()
        self._wake: asyncio.Future[None] | None = None

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return bool(self._nodes)

    def start(self, node: Node, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Future[Any] | None:
        """Run a node's coroutine from now on; return its task where that has ended at once."""
        task = _NodeTask(coroutine, node)
        task.start()
        if task.done():
            task.at = None
            return task
        self._add(node, task)
        return None

    def start_agent(self, node: Node, call: LazyResult[Any] | None, value: Any = None) -> None:
        """Let an agent go on with a call that it returned; at its end its mailbox is closed.

        It begins in the next turn of the loop: one that begins others at once would recurse.
        """
        living = _live(node.frame.agent, call, value)
        task: EagerTask[Any] = EagerTask(living, self._loop, copy_context())
        self._add(node, task)
        self._loop.call_soon(task.start)

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
            if type(task) is _NodeTask:
                task.at = None
            yield self._nodes.pop(task), task

    async def cancel(self, reason: BaseException) -> None:
        """Cancel and await all; what goes wrong meanwhile is noted on the reason."""
        tasks = self._nodes
        for task in tasks:
            task.remove_done_callback(self._note_completion)
            task.cancel()
        while any(not task.done() for task in tasks):
            try:
                await asyncio.wait(tasks)
            except asyncio.CancelledError:  # it ends already; its tasks are awaited all the same
                continue
        failed = [
            (node, error)
            for task, node in tasks.items()
            if not task.cancelled() and (error := task.exception())
        ]
        if failed:
            (node, error), others = failed[0], len(failed) - 1
            more = f", and {others} more" if others else ""
            add_note(reason, f"meanwhile, in task {node.call.task.name!r}: {error!r}{more}")


async def _live(agent: Agent, call: LazyResult[Any] | None, value: Any) -> Any:
    """Evaluate what an agent goes on with, if anything, and close its mailbox."""
    try:
        return value if call is None else await agent.run.services.evaluate(agent, call)
    finally:
        await agent.close()
