"""One run: a target carried from step to step until its value is no longer a lazy.

The run is an object of its own, and keeps all of its state; the engine that it belongs to keeps none.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from time import perf_counter
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from cascade.interfaces.errors import CyclicGraphError, InvalidTaskError, NoConnectorError
from cascade.runtime.clock import LoopClock
from cascade.runtime.graph import LAZY_TYPES, circle_in, find_lazies, resolve
from cascade.runtime.mailbox import Filters, Mailbox
from cascade.runtime.perform import missing_injections, note_failure, perform
from cascade.runtime.scopes import Scope
from cascade.runtime.step import Step
from cascade.runtime.turns import SLICE
from cascade.spec.lazy_types import LazyResult
from cascade.spec.resource import Inject
from cascade.spec.task import COLLECT, Task

if TYPE_CHECKING:
    from cascade.runtime.engine import Engine

__all__ = ["Run", "as_lazy"]

_DEEP = 64  # calls on the stack from which on a circle is looked for

_AMBIENT = frozenset({"_internal_connector", "_run", "clock", "params", "rng"})


def as_lazy(target: Any, params: Mapping[str, Any]) -> LazyResult[Any]:
    """Return a target as one lazy: a task is called with the parameters, a list becomes a list of values.

    Raises:
        InvalidTaskError: the target is nothing that can be run.
    """
    if type(target) in LAZY_TYPES:
        return target  # type: ignore[no-any-return]  # looked up by its very type
    if isinstance(target, (list, tuple)):
        return LazyResult(COLLECT, (target,), {})
    if isinstance(target, Task):
        return LazyResult(target, (), dict(params))
    raise InvalidTaskError(
        f"cannot run {target!r}: a target is a lazy result (call a task), a task, or a list or tuple of these"
    )


class Run:
    """One execution of one target.

    Attributes:
        id: names the run within its engine.
        engine: whose connector, executor and resources it uses.
        loop: the event loop it runs on; its clock is the run's clock.
        params: the parameters it was given.
        steps: how many steps it has begun.
        next_breath: when, on `time.perf_counter`, the loop is due a turn.
    """

    __slots__ = (
        "_mailboxes",
        "_random",
        "_scope",
        "engine",
        "id",
        "loop",
        "next_breath",
        "params",
        "steps",
    )

    def __init__(self, engine: Engine, run_id: str, params: Mapping[str, Any]) -> None:
        """Begin on the loop that runs now."""
        self.engine = engine
        self.id = run_id
        self.loop = asyncio.get_running_loop()
        self.params = params
        self._scope: Scope | None = None
        self.steps = 0
        self.next_breath = perf_counter() + SLICE
        self._mailboxes: dict[Filters, Mailbox] | None = None
        self._random: random.Random | None = None

    @property
    def scope(self) -> Scope:
        """The resources that are open until the run ends."""
        if self._scope is None:
            self._scope = Scope(self.engine.resources, self.ambient)
        return self._scope

    @property
    def random(self) -> random.Random:
        """The run's own random numbers."""
        if self._random is None:
            self._random = random.Random()
        return self._random

    async def execute(self, target: LazyResult[Any], listen: Sequence[Filters]) -> Any:
        """Take the target from step to step; return its value, with everything closed again."""
        failure: BaseException | None = None
        try:
            for filters in listen:
                await self.open_mailbox(filters)
            return await self._steps(target)
        except BaseException as error:
            failure = error
            raise
        finally:
            try:
                await self._close_mailboxes()
            finally:
                if self._scope is not None:
                    await self._scope.close(failure)

    async def _steps(self, value: Any) -> Any:  # noqa: C901 - one loop: a call for each part would cost more than the part
        """Work out lazy after lazy until a value comes that is none.

        A call that needs no other is called; one that needs a single other waits for it on a stack;
        only one that needs several is a graph, and takes a `Step`.
        """
        engine = self.engine
        waiting: list[LazyResult[Any]] = []
        while True:
            if type(value) in LAZY_TYPES:
                self.steps += not waiting
                lazy = value
                while len(needed := find_lazies(lazy)) == 1:
                    await self._wait(lazy, waiting)
                    lazy = needed[0]
                if needed:
                    value = await Step(self, lazy).evaluate()
                    continue
                args, kwargs = lazy.args, lazy.kwargs
                if lazy.task.prepare is not None:
                    await lazy.task.prepare(self, lazy)
            elif waiting:
                lazy = waiting.pop()
                args, kwargs = resolve(lazy, (value,))
            else:
                return value
            task = lazy.task
            try:
                if task.is_bare and not engine.is_watched:
                    value = task.function(*args, **kwargs)
                else:
                    value = self.begin(task, args, kwargs)
                if type(value) is CoroutineType:
                    value = await value
            except Exception as error:
                note_failure(error, task, self)
                raise
            if perf_counter() > self.next_breath:
                await self.breathe()

    async def _wait(self, lazy: LazyResult[Any], waiting: list[LazyResult[Any]]) -> None:
        """Put a call on the stack of those that wait for a value.

        Raises:
            CyclicGraphError: it waits for itself.
        """
        if lazy.task.prepare is not None:
            await lazy.task.prepare(self, lazy)
        waiting.append(lazy)
        depth = len(waiting)
        if depth >= _DEEP and not depth & (depth - 1):  # at powers of two: next to nothing per call
            circle = circle_in(waiting)
            if circle:
                raise CyclicGraphError(circle)

    def begin(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Start a task: return its value if it is there at once, else a coroutine that gives it."""
        if not task.is_plain or self.engine.is_watched:
            return perform(self, task, args, kwargs)
        if task.injections:
            missing = missing_injections(task, args, kwargs)
            if not self._all_ambient(missing):
                return perform(self, task, args, kwargs)
            kwargs = {
                **kwargs,
                **{name: self.ambient(wanted.name) for name, wanted in missing.items()},
            }
        return task.function(*args, **kwargs)

    def _all_ambient(self, missing: Mapping[str, Inject]) -> bool:
        registered = self.engine.resources
        return all(
            each.name in _AMBIENT and each.name not in registered for each in missing.values()
        )

    def has_waited(self) -> None:
        """Tell that the event loop has just had a turn, so that none is due for a while."""
        self.next_breath = perf_counter() + SLICE

    async def breathe(self) -> None:
        """Give the event loop a turn."""
        self.next_breath = await self.engine.turns.breathe()

    # --- what is always there -----------------------------------------------------------------

    def ambient(self, name: str) -> Any:
        """Return a resource that needs no registering: it comes with the run.

        Raises:
            KeyError: there is none of that name.
            NoConnectorError: the engine has no connector.
        """
        if name == "_internal_connector":
            if self.engine.connector is None:
                raise NoConnectorError
            return self.engine.connector
        if name == "_run":
            return self
        if name == "params":
            return self.params
        if name == "clock":
            return LoopClock(self.loop)
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
            engine = self.engine
            connector = self.ambient("_internal_connector")
            mailbox = self._mailboxes[filters] = Mailbox(
                filters, engine.max_queued, engine.overflow
            )
            await mailbox.open(connector)
        return mailbox

    async def _close_mailboxes(self) -> None:
        if self._mailboxes:
            for mailbox in self._mailboxes.values():
                await mailbox.close()
