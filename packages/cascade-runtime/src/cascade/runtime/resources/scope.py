"""Resources while they are open: who opened what, and who closes it when.

An engine has a `Scope`, each of its runs one inside of that, and each attempt of a task that asks for
resources one inside of the run's. A resource belongs to the scope that its definition names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias, get_args

from cascade.common.messaging import bus
from cascade.interfaces.errors import ResourceCycleError, ResourceError, UnknownResourceError
from cascade.interfaces.errors.notes import add_note
from cascade.interfaces.protocols import Executor
from cascade.runtime.concurrency.thread_call import AbandonedCalls
from cascade.runtime.resources.open_resource import OpenResource
from cascade.spec.resource import Inject, ResourceDefinition
from cascade.spec.resource import Scope as Level

__all__ = ["Scope", "Tell"]

_Failures: TypeAlias = dict[str, BaseException]
"""What closings raised, by the names of the resources."""

Tell: TypeAlias = Callable[[ResourceDefinition[Any], bool, BaseException | None], None]
"""Told of a resource that was opened (True), or closed, and of what that raised."""

_LEVELS: tuple[Level, ...] = get_args(Level)  # from the shortest life to the longest


class Scope:
    """Opens resources at first need, once each, and closes them in reverse order.

    Attributes:
        used: what was handed out, with all that it needs.
    """

    __slots__ = (
        "_abandoned",
        "_builtin_resource",
        "_definitions",
        "_executor",
        "_level",
        "_open",
        "_opening",
        "_parent",
        "_shutdown_timeout",
        "_tell",
        "used",
    )

    def __init__(
        self,
        definitions: Mapping[str, ResourceDefinition[Any]],
        builtin_resource: Callable[[str], Any],
        executor: Executor,
        abandoned: AbandonedCalls,
        shutdown_timeout: float,
        *,
        tell: Tell,
    ) -> None:
        """Begin the scope of an engine, with nothing open.

        Args:
            definitions: the registered resources, by name.
            builtin_resource: gives what is always there (the connector, the parameters, …) by name, and
                raises KeyError for anything else.
            executor: has the threads for plain generators.
            abandoned: calls whose threads may still use resources.
            shutdown_timeout: see `OpenResource`.
            tell: is told of what opens and closes.
        """
        self._level: Level = "engine"
        self._parent: Scope | None = None
        self._definitions = definitions
        self._builtin_resource = builtin_resource
        self._executor = executor
        self._abandoned = abandoned
        self._shutdown_timeout = shutdown_timeout
        self._tell = tell
        self._opening: dict[
            int, OpenResource
        ] = {}  # by their definitions, and those that are open too
        self._open: list[OpenResource] = []
        self.used: set[OpenResource] = set()

    def inner(
        self, level: Level, builtin_resource: Callable[[str], Any], tell: Tell | None = None
    ) -> Scope:
        """Return a scope inside of this one, for a run or for an attempt."""
        scope = Scope(
            self._definitions,
            builtin_resource,
            self._executor,
            self._abandoned,
            self._shutdown_timeout,
            tell=tell or self._tell,
        )
        scope._level, scope._parent = level, self
        return scope

    def owns(self, wanted: Inject) -> bool:
        """Return whether a resource belongs here, and not to a scope around this one."""
        definition = self._definitions.get(wanted.name, wanted.definition)
        return definition is not None and definition.scope == self._level

    async def fill(
        self,
        missing: Mapping[str, Inject],
        wanted_by: str,
        path: tuple[str, ...] = (),
        used: set[OpenResource] | None = None,
    ) -> dict[str, Any]:
        """Return values for parameters that ask for resources.

        Args:
            missing: what they ask for, by parameter name.
            wanted_by: who asks, for the error.
            path: the resources that need these, for the error.
            used: where to put what is handed out.

        Raises:
            UnknownResourceError: a resource is not registered.
            ResourceCycleError: resources need each other.
        """
        used = self.used if used is None else used
        return {
            parameter: await self._get(wanted, wanted_by, path, used)
            for parameter, wanted in missing.items()
        }

    async def _get(
        self, wanted: Inject, wanted_by: str, path: tuple[str, ...], used: set[OpenResource]
    ) -> Any:
        name = wanted.name
        definition = self._definitions.get(name, wanted.definition)
        if definition is None:
            try:
                return self._builtin_resource(name)
            except KeyError:
                raise UnknownResourceError(name, wanted_by, self._definitions) from None
        if name in path:
            raise ResourceCycleError([*path[path.index(name) :], name])
        owner = self._owner_of(definition, wanted_by)
        resource = owner._resource(definition, path)  # noqa: SLF001 - its own class
        value = await asyncio.shield(resource.opened)
        used |= {resource, *resource.needs}
        return value

    def _owner_of(self, definition: ResourceDefinition[Any], wanted_by: str) -> Scope:
        """Return the scope that a resource belongs to: this one or one around it.

        Raises:
            ResourceError: it lives shorter than this one.
        """
        if _LEVELS.index(definition.scope) < _LEVELS.index(self._level):
            raise ResourceError(
                f"{wanted_by} lives as long as the {self._level}, and needs {definition.name!r}, which "
                f"closes with a {definition.scope}; give {definition.name!r} scope={self._level!r}"
            )
        scope = self
        while scope._level != definition.scope and scope._parent is not None:
            scope = scope._parent
        return scope

    def _resource(self, definition: ResourceDefinition[Any], path: tuple[str, ...]) -> OpenResource:
        """Return a resource of this scope, which others may have asked for first and still be opening."""
        resource = self._opening.get(id(definition))
        if resource is None:
            inner = (*path, definition.name)
            resource = OpenResource(
                definition,
                lambda resource: self.fill(
                    definition.injections,
                    f"the resource {definition.name!r}",
                    inner,
                    resource.needs,
                ),
                self._note_open,
                self._executor,
                self._shutdown_timeout,
            )
            self._opening[id(definition)] = resource
            resource.opened.add_done_callback(partial(self._forget_failed, id(definition)))
        return resource

    def _note_open(self, resource: OpenResource) -> None:
        self._open.append(resource)
        self._tell(resource.definition, True, None)

    def _forget_failed(self, key: int, opened: asyncio.Future[Any]) -> None:
        """Let a resource that did not open be tried again."""
        if opened.cancelled() or opened.exception() is not None:
            self._opening.pop(key, None)

    # --- closing ------------------------------------------------------------------------------

    async def close(self, error: BaseException | None) -> None:
        """Close everything, last opened first; what a failed task or run raised is thrown in.

        Where a thread that nobody waits for still uses any of it, that happens when it has ended, and
        this does not wait for it.

        Raises:
            Exception: the first error of a closing, unless ``error`` already tells of a failure;
                any other is reported through the message bus.
        """
        if not self._opening:
            return
        resources = list(self._opening.values())
        users = self._abandoned.using(resources)
        for resource in resources:
            thread = resource.thread
            if not resource.opened.done() and thread is not None and thread.abandon():
                self._abandoned.add(thread)
                users.append(thread)
        if users and self._parent is not None:
            self._abandoned.close_after(users, partial(self._close_and_report, error))
            return
        failures = await self._close_in_order(error)
        if failures and error is None:
            name = next(iter(failures))
            failure = failures.pop(name)
            add_note(failure, f"while closing the resource {name!r}")
            _report(failures)
            raise failure
        _report(failures)

    async def _close_and_report(self, error: BaseException | None) -> None:
        _report(await self._close_in_order(error))

    async def _close_in_order(self, error: BaseException | None) -> _Failures:
        """Close what no running thread uses, and return what that raised."""
        failures: _Failures = {}
        cancelled: asyncio.CancelledError | None = None
        while self._opening:
            resource = self._last()
            if self._abandoned.using([resource]):
                resource.leave()
                continue
            try:
                await resource.close(error)
            except asyncio.CancelledError as cancellation:  # it ends this one's closing, no other's
                cancelled = cancellation
            self._tell(resource.definition, False, resource.failure)
            if resource.failure is not None:
                failures[resource.definition.name] = resource.failure
        if cancelled is not None:
            _report(failures)
            raise cancelled
        return failures

    def _last(self) -> OpenResource:
        """Take out what closes next: what is not open yet, else what opened last."""
        opening = [each for each in self._opening.values() if each not in self._open]
        resource = opening[-1] if opening else self._open[-1]
        del self._opening[id(resource.definition)]
        if not opening:
            self._open.pop()
        return resource


def _report(failures: _Failures) -> None:
    """Tell people of errors that nobody can be raised to."""
    for name, failure in failures.items():
        bus.error("engine.teardown_error", resource=name, error=failure)
