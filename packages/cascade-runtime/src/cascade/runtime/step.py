"""One step of a run whose target needs other lazies first: a graph, run as its values come in.

A node starts as soon as its inputs are there. A call that returns another lazy has its graph joined
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
from cascade.runtime.eager_task import EagerTask
from cascade.runtime.graph import LAZY_TYPES, Node, plan, resolve
from cascade.runtime.perform import begin, note_failure
from cascade.runtime.run import Run
from cascade.spec.lazy_types import LazyResult

__all__ = ["Step"]


class Step:
    """The graph of one target on its way to the target's value."""

    __slots__ = ("_flying", "_known", "_landed", "_ready", "_root", "_run", "_unprepared", "_wake")

    def __init__(self, run: Run, target: LazyResult[Any]) -> None:
        """Plan the graph.

        Raises:
            CyclicGraphError: the target needs itself; nothing has been run.
        """
        self._run = run
        self._known: dict[int, Node] = {}
        self._ready: deque[Node] = deque()
        self._unprepared: list[LazyResult[Any]] = []
        self._flying: dict[EagerTask[Any], Node] = {}
        self._landed: list[EagerTask[Any]] = []
        self._wake: asyncio.Future[None] | None = None
        self._root = self._join(target, self._known)

    def _join(self, target: LazyResult[Any], known: dict[int, Node]) -> Node:
        """Add the graph of a lazy; return the lazy's node."""
        new = plan(target, known, self._known)
        for node in new:
            if not node.waiting:
                self._ready.append(node)
            if node.lazy.task.prepare is not None:
                self._unprepared.append(node.lazy)
        return new[0]

    async def evaluate(self) -> Any:
        """Run the graph; return the target's value, which may be the lazy of a tail call."""
        root = self._root
        try:
            while not root.done:
                if self._unprepared:
                    await self._prepare()
                if self._ready:
                    await self._start_ready()
                elif self._flying:
                    await self._wait_for_landing()
                else:
                    raise self._deadlock()  # noqa: TRY301 - after it, as after any failure, the others are stopped
        except BaseException as error:
            await self._stop_flying(error)
            raise
        return root.value

    def _deadlock(self) -> CyclicGraphError:
        """Explain a circle that arose on the way: a call returned a lazy that needs its own value."""
        return CyclicGraphError(
            [node.lazy.task.name for node in self._known.values() if not node.done]
        )

    async def _prepare(self) -> None:
        while self._unprepared:
            lazy = self._unprepared.pop(0)
            if lazy.task.prepare is not None:
                await lazy.task.prepare(self._run, lazy)

    async def _start_ready(self) -> None:
        """Start every node that can start, until one joins on calls to prepare."""
        run = self._run
        ready = self._ready
        while ready and not self._unprepared:
            node = ready.popleft()
            task = node.lazy.task
            alone = not (ready or self._flying)
            try:
                args, kwargs = resolve(node.lazy, [need.value for need in node.needs])
                outcome = begin(run, task, args, kwargs)
                if type(outcome) is CoroutineType:
                    if not alone:
                        self._fly(node, outcome)
                        continue
                    outcome = await outcome
            except Exception as error:
                note_failure(error, task, run)
                raise
            self._finish(node, outcome)
            if run.tick() > run.next_breath:
                await run.breathe()

    # --- side by side -------------------------------------------------------------------------

    def _fly(self, node: Node, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Run a node's coroutine beside the others, from now on."""
        eager: EagerTask[Any] = EagerTask(coroutine, self._run.loop, copy_context())
        eager.start()
        self._flying[eager] = node
        if eager.done():
            self._land(eager)
        else:
            eager.add_done_callback(self._note_landing)

    def _note_landing(self, eager: asyncio.Future[Any]) -> None:
        self._landed.append(eager)  # type: ignore[arg-type]  # only eager tasks carry this callback
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def _wait_for_landing(self) -> None:
        if not self._landed:
            self._wake = self._run.loop.create_future()
            await self._wake
        landed, self._landed = self._landed, []
        for eager in landed:
            self._land(eager)

    def _land(self, eager: EagerTask[Any]) -> None:
        node = self._flying.pop(eager)
        try:
            value = eager.result()
        except Exception as error:
            note_failure(error, node.lazy.task, self._run)
            raise
        self._finish(node, value)

    async def _stop_flying(self, reason: BaseException) -> None:
        """Cancel and await what still runs; what goes wrong meanwhile is noted on the reason."""
        for eager in self._flying:
            eager.remove_done_callback(self._note_landing)
            eager.cancel()
        while any(not eager.done() for eager in self._flying):
            try:
                await asyncio.wait(self._flying)
            except (
                asyncio.CancelledError
            ):  # the run is ending already; its tasks are awaited all the same
                continue
        for eager, node in self._flying.items():
            error = None if eager.cancelled() else eager.exception()
            if error is not None:
                reason.add_note(f"meanwhile, in task {node.lazy.task.name!r}: {error!r}")

    # --- values -------------------------------------------------------------------------------

    def _finish(self, node: Node, value: Any) -> None:
        """Hand a value on to whoever waits for it, or join on the graph of the lazy that it is."""
        if type(value) in LAZY_TYPES and node is not self._root:
            self._hand_over(node, value)
            return
        node.value = value
        node.done = True
        for dependent in node.dependents:
            dependent.waiting -= 1
            if not dependent.waiting:
                self._ready.append(dependent)
        for heir in node.heirs:
            self._finish(heir, value)

    def _hand_over(self, node: Node, lazy: LazyResult[Any]) -> None:
        """Let a node's value be that of the lazy that its call returned."""
        heirs = [node] if node.dependents or not node.heirs else node.heirs
        successor = self._known.get(id(lazy))
        if successor is None:
            successor = self._join(lazy, {})
        successor.heirs = [*successor.heirs, *heirs]
        if successor.done:
            for heir in heirs:
                self._finish(heir, successor.value)
