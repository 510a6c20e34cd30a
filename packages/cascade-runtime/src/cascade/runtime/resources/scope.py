"""Resources while they are open: who opened what, and who closes it when.

A run has a `Scope` for its ``scope="run"`` resources; a task that asks for ``scope="task"`` ones gets
a scope of its own, whose parent is the run's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from cascade.common.messaging import bus
from cascade.interfaces.errors import ResourceCycleError, ResourceError, UnknownResourceError
from cascade.spec.resource import Inject, ResourceDefinition

__all__ = ["Scope"]


class Scope:
    """Opens resources at first need, once each, and closes them in reverse order."""

    __slots__ = ("_builtin_resource", "_definitions", "_open", "_parent", "_to_close")

    def __init__(
        self,
        definitions: Mapping[str, ResourceDefinition[Any]],
        builtin_resource: Callable[[str], Any],
        parent: Scope | None = None,
    ) -> None:
        """Begin with nothing open.

        Args:
            definitions: the registered resources, by name.
            builtin_resource: gives what is always there (the connector, the parameters, …) by name, and
                raises KeyError for anything else.
            parent: the run's scope, where this is a task's.
        """
        self._definitions = definitions
        self._builtin_resource = builtin_resource
        self._parent = parent
        self._open: dict[str, asyncio.Future[Any]] = {}
        self._to_close: list[tuple[str, Any]] = []

    async def fill(self, missing: Mapping[str, Inject], wanted_by: str) -> dict[str, Any]:
        """Return values for parameters that ask for resources.

        Args:
            missing: what they ask for, by parameter name.
            wanted_by: who asks, for the error.

        Raises:
            UnknownResourceError: a resource is not registered.
            ResourceCycleError: resources need each other.
        """
        return {
            parameter: await self._get(wanted, wanted_by, ())
            for parameter, wanted in missing.items()
        }

    async def _get(self, wanted: Inject, wanted_by: str, path: tuple[str, ...]) -> Any:
        name = wanted.name
        definition = self._definitions.get(name, wanted.definition)
        if definition is None:
            try:
                return self._builtin_resource(name)
            except KeyError:
                raise UnknownResourceError(name, wanted_by, self._definitions) from None
        if name in path:
            raise ResourceCycleError([*path[path.index(name) :], name])
        if definition.scope == "run" and self._parent is not None:
            return await self._parent._get(wanted, wanted_by, path)  # noqa: SLF001 - its own class
        if definition.scope == "task" and self._parent is None:
            raise ResourceError(
                f"{wanted_by} lives as long as the run, and needs {name!r}, which closes with a task; "
                f"give {name!r} scope='run'"
            )
        opening = self._open.get(name)
        if opening is not None:  # another task asked first, and may still be opening it
            return await asyncio.shield(opening)
        return await self._open_first(definition, path)

    async def _open_first(self, definition: ResourceDefinition[Any], path: tuple[str, ...]) -> Any:
        name = definition.name
        opening = self._open[name] = asyncio.get_running_loop().create_future()
        try:
            value = await self._enter(definition, (*path, name))
        except BaseException as error:
            del self._open[name]
            error.add_note(f"while opening the resource {name!r}")
            opening.set_exception(error) if isinstance(error, Exception) else opening.cancel()
            opening.exception() if not opening.cancelled() else None  # this task raises it; others may
            raise
        opening.set_result(value)
        return value

    async def _enter(self, definition: ResourceDefinition[Any], path: tuple[str, ...]) -> Any:
        needed = {
            parameter: await self._get(wanted, f"the resource {definition.name!r}", path)
            for parameter, wanted in definition.injections.items()
        }
        if definition.is_async:
            manager: Any = asynccontextmanager(definition.function)(**needed)
            value = await manager.__aenter__()
        else:
            manager = contextmanager(definition.function)(**needed)
            value = manager.__enter__()
        self._to_close.append((definition.name, manager))
        return value

    async def close(self, error: BaseException | None) -> None:
        """Close everything, last opened first; what a failed task or run raised is thrown in.

        Raises:
            Exception: the first error of a closing, unless ``error`` already tells of a failure;
                any other is reported through the message bus.
        """
        failure: Exception | None = None
        while self._to_close:
            name, manager = self._to_close.pop()
            self._open.pop(name, None)
            kind, trace = (type(error), error.__traceback__) if error is not None else (None, None)
            try:
                if hasattr(manager, "__aexit__"):
                    await manager.__aexit__(kind, error, trace)
                else:
                    manager.__exit__(kind, error, trace)
            except Exception as closing:  # noqa: BLE001 - the edge: the other resources still have to close
                if closing is error:
                    continue
                if failure is None and error is None:
                    closing.add_note(f"while closing the resource {name!r}")
                    failure = closing
                else:
                    bus.error("engine.teardown_error", resource=name, error=closing)
        if failure is not None:
            raise failure
