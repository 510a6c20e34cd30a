"""What a call's value is known by: task and version, arguments by content, resources, code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from hashlib import sha256
from itertools import count
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from cascade.common.messaging.secrets import Secret
from cascade.interfaces.cache import CacheKey
from cascade.runtime.evaluation.arguments import missing_injections
from cascade.runtime.state.run import Run
from cascade.spec.codec.values import kind_returned_by
from cascade.spec.content import (
    NoContentError,
    code_of,
    digest_of,
    digest_of_thing,
    refuse_content,
)
from cascade.spec.file import File
from cascade.spec.identity import is_found
from cascade.spec.policies import Cache
from cascade.spec.task import Task

__all__ = ["VERSION_PART", "aside", "code_parts", "key_of", "named_arguments"]

T = TypeVar("T")

VERSION_PART = "with_cache(version=…)"
"""The part of the code, where a version stands for it."""

_NOTHING: Mapping[str, str] = {}

# Not even as a digest, from which a short one can be found out.
refuse_content(Secret, "it holds a secret")


class _Known(NamedTuple):
    """What a task is known by."""

    name: str
    """Its id; where that does not lead to it, with a number, so that no two of one name are taken for one."""

    is_lasting: bool


_numbers = count(1)
# For the whole process, as tasks are.
_known: WeakKeyDictionary[Task[..., Any], _Known] = WeakKeyDictionary()
_strangers: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


def named_arguments(
    task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """Return arguments by name, whether given by position, by name or left to their defaults."""
    positions = task.positions
    named = {**task.parameters.defaults, **dict(zip(positions, args, strict=False)), **kwargs}
    if len(args) > len(positions):
        named["*"] = args[len(positions) :]
    return named


async def key_of(
    run: Run, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> CacheKey | None:
    """Return what tells this call from others; None, and say why once, where it cannot be cached."""
    policy, services = task.policies.cache, run.services
    if policy is None:
        return None
    known = _known_by(task)
    if services.cache.is_lasting and not known.is_lasting:
        services.warn_once(known, "engine.not_found_again", task=task.name)
        return None
    resources = _resources_of(run, task, policy, args, kwargs)
    if resources is None:
        return None
    look = _Look(run, task, policy, known, resources)
    if policy.key is not None:
        return look.key({"key": policy.key(*args, **kwargs)})
    named = named_arguments(task, args, kwargs)
    if policy.depends or any(type(each) is File for each in named.values()):
        return await aside(run, lambda: look.key(named))
    return look.key(named)


async def aside(run: Run, look_at_files: Callable[[], T]) -> T:
    """Read files in a thread; on simulated time, which has none, at once."""
    return look_at_files() if run.is_simulated else await asyncio.to_thread(look_at_files)


class _Look(NamedTuple):
    """All that a key is made of, but the arguments."""

    run: Run
    task: Task[..., Any]
    policy: Cache
    known: _Known
    resources: Mapping[str, str]

    def key(self, named: Mapping[str, Any]) -> CacheKey | None:
        """Return the key for these arguments; None, and say so once, where one has no content."""
        task = self.task
        arguments, name = {}, ""
        try:
            for name in sorted(named):
                arguments[name] = digest_of(named[name])
            code, summary = code_parts(task)
        except NoContentError as error:
            self.run.services.warn_once(
                (self.known, name), "engine.no_content", task=task.name, argument=name, reason=error
            )
            return None
        parts = [self.known.name, task.version or "", summary]
        for name, digest in (*arguments.items(), *self.resources.items()):
            parts += (name, digest)
        return CacheKey(
            sha256("\0".join(parts).encode()).hexdigest(),
            task.id,
            task.version,
            code,
            arguments,
            self.resources,
            self.known.is_lasting,
            kind_returned_by(task.base),
        )


def code_parts(task: Task[..., Any]) -> tuple[Mapping[str, str], str]:
    """Return the digests of what a task does, by name, and one for all.

    Raises:
        NoContentError: something that it depends on has none.
    """
    policy, outputs = task.policies.cache or Cache(), task.policies.outputs
    parts, summary = _NOTHING, ""
    if policy.version is not None:
        summary = digest_of(policy.version)
        parts = {VERSION_PART: summary}
    elif _known_by(task).is_lasting:
        code = code_of(task.function)
        parts, summary = code.parts, code.digest
    others = {f"depends[{i}]": digest_of_thing(each) for i, each in enumerate(policy.depends)}
    if outputs:
        others["with_outputs"] = digest_of(outputs)
    if others:
        parts, summary = {**parts, **others}, digest_of([summary, list(others.values())])
    return parts, summary


def _known_by(task: Task[..., Any]) -> _Known:
    base = task.base
    known = _known.get(base)
    if known is None:
        if is_found(base):
            known = _Known(base.id, is_lasting=True)
        else:
            known = _Known(f"{base.id} {_number_of(base)}", is_lasting=False)
        _known[base] = known
    return known


def _number_of(task: Task[..., Any]) -> str:
    """Return a number of its own for a function, or for a task whose function can be no key."""
    try:
        return _strangers.setdefault(task.function, str(next(_numbers)))
    except TypeError:
        return str(next(_numbers))


def _resources_of(
    run: Run, task: Task[..., Any], policy: Cache, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Mapping[str, str] | None:
    """Return what the resources add to the key; None, and say so once, where one has no key."""
    missing = missing_injections(task, args, kwargs)
    if not missing:
        return _NOTHING
    services = run.services
    found: dict[str, str] = {}
    for wanted in missing.values():
        name = wanted.name
        if name in policy.ignore:
            continue
        definition = services.resources.get(name, wanted.definition)
        key: Any = dict(run.params) if name == "params" else None
        if definition is not None:
            key = definition.cache_key
        digest = _digest_or_nothing(key)
        if not digest:
            about = _known_by(task), name
            services.warn_once(about, "engine.not_cached", task=task.name, resource=name)
            return None
        found[name] = digest
    return found


def _digest_or_nothing(key: Any) -> str:
    try:
        return "" if key is None else digest_of(key)
    except NoContentError:
        return ""
