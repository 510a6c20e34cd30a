"""Values of cached tasks: looked up by content, computed by one call at a time, remembered.

Look up, then single flight, then admission: a call that waits for a value that another one computes
holds no slot. Where the one that computes fails or is cancelled, the next one computes; failures are
not kept. The value is the final one: a call that the task returns is evaluated here, in a frame of its
own, so a cached call is no tail call. A cache that fails is reported, and fails no run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from typing import Any

from cascade.interfaces.cache import CachedValue, CacheKey
from cascade.interfaces.errors import CacheError, CyclicGraphError, EncodeError
from cascade.runtime.concurrency.clock import unix_time
from cascade.runtime.evaluation.arguments import with_calls_evaluated
from cascade.runtime.evaluation.cache_keys import key_of
from cascade.runtime.evaluation.outputs import outputs_of
from cascade.runtime.observation.events import TaskCached, TaskFinished, TaskSkipped, TaskStarted
from cascade.runtime.state.agent import Frame, NestedFrame
from cascade.runtime.state.position import call_id_of, place_of, position
from cascade.runtime.state.services import EngineServices
from cascade.spec.lazy_types import LazyResult
from cascade.spec.task import Task

__all__ = ["UP_TO_DATE", "remembered", "through_cache"]

UP_TO_DATE = "its outputs are there, as it would write them"
"""Why a task with outputs is skipped."""

# The keys whose values this context computes: a call that needs one of them needs itself.
_computing: ContextVar[frozenset[str]] = ContextVar("cascade_computing", default=frozenset())


async def through_cache(
    frame: Frame,
    task: Task[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    compute: Callable[..., Coroutine[Any, Any, Any]],
) -> Any:
    """Return the value that is remembered, or compute it and remember it.

    Raises:
        CyclicGraphError: the value needs itself.
        MissingOutputError: the task has not written what it says it writes.
    """
    run = frame.run
    key = await key_of(run, task, args, kwargs)
    if key is None:
        return await compute(frame, task, args, kwargs)
    in_flight, digest = run.services.in_flight, key.digest
    while (other := in_flight.get(digest)) is not None:
        if digest in _computing.get():
            raise CyclicGraphError([task.name, task.name])
        await asyncio.wait([other])
        if (found := other.result()) is not None:
            _tell_remembered(frame, task, args, kwargs)
            return found.value
    landed = in_flight[digest] = run.loop.create_future()
    found = None
    try:
        cached = _Cached(frame, task, args, kwargs, key)
        found = await cached.looked_up() or await cached.computed(compute)
        return found.value
    finally:
        del in_flight[digest]
        if not landed.done():
            landed.set_result(found)


async def remembered(frame: Frame, call: LazyResult[Any]) -> CachedValue | None:
    """Return what is remembered of a call, if there is anything; nothing is computed or told.

    Raises:
        InvalidTaskError: an output asks for an argument that there is not.
    """
    task, args, kwargs = call.task, call.args, call.kwargs
    key = await key_of(frame.run, task, args, kwargs)
    return None if key is None else await _Cached(frame, task, args, kwargs, key).remembered()


class _Cached:
    """One call of a cached task, for which this is the only one that looks or computes."""

    __slots__ = ("_args", "_cache", "_frame", "_key", "_kwargs", "_outputs", "_services", "_task")

    def __init__(
        self,
        frame: Frame,
        task: Task[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        key: CacheKey,
    ) -> None:
        self._frame, self._task, self._args, self._kwargs = frame, task, args, kwargs
        self._key = key
        self._services: EngineServices = frame.run.services
        self._cache = self._services.cache
        self._outputs = outputs_of(frame.run, task, args, kwargs)

    async def looked_up(self) -> CachedValue | None:
        """Return what is remembered, and say so, if there is anything."""
        found = await self.remembered()
        if found is not None:
            _tell_remembered(self._frame, self._task, self._args, self._kwargs)
        return found

    async def remembered(self) -> CachedValue | None:
        """Return what is remembered, where its outputs are still as the task wrote them."""
        try:
            found = await self._cache.get(self._key)
        except CacheError as error:
            self._report(error)
            return None
        if found is None:
            return None
        if self._outputs is not None and found.outputs != await self._outputs.digests():
            return None
        return found

    async def computed(self, compute: Callable[..., Coroutine[Any, Any, Any]]) -> CachedValue:
        """Compute the value and remember it, unless another process has done so meanwhile."""
        async with self._locked():
            if self._cache.is_lasting and (found := await self.looked_up()) is not None:
                return found
            outer = _computing.set(_computing.get() | {self._key.digest})
            try:
                frame, task = self._frame, self._task
                value = await compute(frame, task, self._args, self._kwargs)
                value = await self._services.evaluate(
                    NestedFrame(frame, f"{frame.here}/"), with_calls_evaluated(value, task)
                )
            finally:
                _computing.reset(outer)
            written = {} if self._outputs is None else await self._outputs.written()
            made = CachedValue(value, written)
            await self._keep(made)
            return made

    async def _keep(self, made: CachedValue) -> None:
        policy = self._task.policies.cache
        ttl = None if policy is None else policy.ttl
        try:
            await self._cache.put(
                self._key,
                made.value,
                good_until=None if ttl is None else unix_time() + ttl,
                outputs=made.outputs,
            )
        except EncodeError as error:
            self._services.warn_once(
                self._key.task, "cache.not_kept", task=self._task.name, reason=error
            )
        except CacheError as error:
            self._report(error)

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[None]:
        """Keep other processes from computing the value, as far as the cache can."""
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self._cache.lock(self._key))
            except CacheError as error:
                self._report(error)
            yield

    def _report(self, error: CacheError) -> None:
        self._services.warn_once(str(error), "cache.failed", error=error)


def _tell_remembered(
    frame: Frame, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """Say that a call has its value without its function being called, if anybody listens."""
    run = frame.run
    events, now = run.services.events, run.loop.time()
    if not events.listeners:
        return
    here, call = position.get(), LazyResult(task, args, kwargs)
    place, call_id = place_of(here), call_id_of(here)
    events.emit(TaskStarted(run.id, now, task.name))
    if task.policies.outputs:
        events.emit(TaskSkipped(run.id, now, task.name, task.id, UP_TO_DATE, call, call_id, place))
    else:
        events.emit(TaskCached(run.id, now, task.name, task.id, call_id, place, call))
    events.emit(TaskFinished(run.id, now, task.name, "succeeded", 0.0, cached=True))
