"""Values of cached tasks: looked up by content, computed by one call at a time, remembered.

Look up, then single flight, then admission: a call that waits for a value that another one computes
holds no slot. Where the one that computes fails or is cancelled, the next one computes; failures are
not kept. The value is the final one: a call that the task returns is evaluated here, in a frame of its
own, so a cached call is no tail call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Mapping
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from typing import Any

from cascade.interfaces.errors import CyclicGraphError, InvalidTaskError
from cascade.runtime.concurrency.clock import unix_time
from cascade.runtime.concurrency.futures import release
from cascade.runtime.evaluation.arguments import missing_injections, with_calls_evaluated
from cascade.runtime.observation.events import TaskFinished, TaskStarted
from cascade.runtime.state.agent import Frame, NestedFrame
from cascade.runtime.state.run import Run
from cascade.spec.identity import is_found
from cascade.spec.policies import Cache
from cascade.spec.task import Task

__all__ = ["through_cache"]

_ABSENT = (None, -1.0)  # what is not there is past its time

# The keys whose values this context computes: a call that needs one of them needs itself.
_computing: ContextVar[frozenset[Hashable]] = ContextVar("cascade_computing", default=frozenset())


async def through_cache(
    frame: Frame,
    task: Task[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    compute: Callable[..., Coroutine[Any, Any, Any]],
) -> Any:
    """Return the value that is remembered, or compute it and remember it.

    Raises:
        InvalidTaskError: an argument cannot serve as a key.
        CyclicGraphError: the value needs itself.
    """
    policy, run = task.policies.cache, frame.run
    key = None if policy is None else _key_of(run, task, policy, args, kwargs)
    if policy is None or key is None:
        return await compute(frame, task, args, kwargs)
    cache, in_flight = run.services.cache, run.services.in_flight
    while True:
        value, good_until = cache.get(key, _ABSENT)
        if good_until is None or unix_time() < good_until:
            _emit_cached(run, task)
            return value
        other = in_flight.get(key)
        if other is None:
            break
        if key in _computing.get():
            raise CyclicGraphError([task.name, task.name])
        await asyncio.wait([other])
    landed = in_flight[key] = run.loop.create_future()
    outer = _computing.set(_computing.get() | {key})
    try:
        value = await compute(frame, task, args, kwargs)
        value = await run.services.evaluate(
            NestedFrame(frame, f"{frame.here}/"), with_calls_evaluated(value, task)
        )
        cache[key] = (value, None if policy.ttl is None else unix_time() + policy.ttl)
        return value
    finally:
        _computing.reset(outer)
        del in_flight[key]
        release(landed)


def _emit_cached(run: Run, task: Task[..., Any]) -> None:
    events, now = run.services.events, run.loop.time()
    if events.listeners:
        events.emit(TaskStarted(run.id, now, task.name))
        events.emit(TaskFinished(run.id, now, task.name, "succeeded", 0.0, cached=True))


_DEEPEST = 100  # containers in containers that may serve as a key


# --- keys -------------------------------------------------------------------------------------


def _key_of(
    run: Run, task: Task[..., Any], policy: Cache, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Hashable | None:
    """Return what tells this call from others; None where a resource forbids that it is cached.

    An argument is known by its type and content, whether it was given by position, by name or left to
    its default.
    """
    resources = _resources_of(run, task, policy, args, kwargs)
    if resources is None:
        return None
    if policy.key is not None:
        return _known_by(task), policy.key(*args, **kwargs), resources
    positions = task.positions
    named = {**task.parameters.defaults, **dict(zip(positions, args, strict=False)), **kwargs}
    try:
        return _known_by(task), _content((named, args[len(positions) :])), resources
    except TypeError as error:
        raise InvalidTaskError(
            f"an argument of the cached task {task.name!r} cannot serve as a key: {error}; "
            "say what identifies the call with with_cache(key=...)"
        ) from None


def _known_by(task: Task[..., Any]) -> Hashable:
    """Return a task's id, version and code; where its id does not lead to it, its function.

    So two tasks of one name never share an entry.
    """
    if is_found(task):
        return task.id, task.version, getattr(task.function, "__code__", None)
    return task.function


def _resources_of(
    run: Run, task: Task[..., Any], policy: Cache, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Hashable | None:
    """Return what the resources add to the key; None, and say so once, where one has no key."""
    services = run.services
    found = []
    for wanted in missing_injections(task, args, kwargs).values():
        name = wanted.name
        if name in policy.ignore:
            continue
        definition = services.resources.get(name, wanted.definition)
        params = run.params if name == "params" else None
        key = params if definition is None else definition.cache_key
        if key is None:
            known = _known_by(task), name
            services.warn_once(known, "engine.not_cached", task=task.name, resource=name)
            return None
        found.append((name, _content(key)))
    return tuple(found)


def _content(value: Any, depth: int = 0) -> Hashable:
    """Return a value's type and content, so that 1, True and 1.0 are told apart.

    Raises:
        TypeError: it is neither hashable nor a container of such values, or is nested without an end.
    """
    if depth > _DEEPEST:
        raise TypeError("it is nested too deep")
    kind, depth = type(value), depth + 1
    if isinstance(value, Mapping):
        items = [(_content(key, depth), _content(item, depth)) for key, item in value.items()]
        return kind, frozenset(items)
    if isinstance(value, (set, frozenset)):
        return kind, frozenset([_content(item, depth) for item in value])
    if isinstance(value, (list, tuple)):
        return kind, tuple([_content(item, depth) for item in value])
    if is_dataclass(value) and not isinstance(value, type):
        parts = [_content(getattr(value, field.name), depth) for field in fields(value)]
        return kind, tuple(parts)
    hash(value)
    return kind, value
