"""``@task``: a function becomes something that can be called now and run later."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, ParamSpec, TypeVar, Unpack, cast, overload

from cascade.interfaces.errors import InvalidTaskError, near_name
from cascade.interfaces.protocols import Mode
from cascade.spec.functions import (
    TaskDecorator,
    TaskOptions,
    checked_mode,
    is_async_function,
    look_at_parameters,
    order_of_injections,
)
from cascade.spec.identity import Identified, Upgrade, place_of
from cascade.spec.lazy_types import LazyResult, MappedLazyResult
from cascade.spec.mapping import Fixed, as_column, calls_of_mapping, values_of_items
from cascade.spec.policies import NO_POLICIES, Policies
from cascade.spec.policy_methods import PolicyMethods
from cascade.spec.quoting import quote
from cascade.spec.resource import BUILTIN_RESOURCES, Inject, inject, injections_of
from cascade.spec.roles import SCHEDULED, AsWritten, Prepare, Role

__all__ = ["COLLECT", "EXPAND", "ITEMS", "NO_KWARGS", "BoundTask", "DerivedTask", "Task", "task"]

P = ParamSpec("P")
R = TypeVar("R")
E = TypeVar("E")

NO_KWARGS: dict[str, Any] = {}
"""One for all calls without keyword arguments. Treat it as frozen, as calls are."""


class Task(Identified, PolicyMethods[P, R]):
    """A function with its policies; calling it gives a `LazyResult` and computes nothing.

    To a type checker a call has the type of the function's result, so tasks compose, and tail
    calls return, as if they were plain functions.

    What can be known from the function alone is worked out here, once: ``is_plain`` says that
    running it takes no more than filling in its resources and calling it on the event loop,
    ``is_direct`` that all of these come with every run, and ``is_bare`` that there are none.

    Attributes:
        name: what messages, events and constraints call it.
        function: the function itself.
        mode: where it runs.
        injections: the resources it asks for, by parameter name.
        parameters: what it takes.
        positions: names of its parameters that may be given by position, in order.
        asks_from: how many positional arguments come before the first that asks for a resource.
        fills: the resources to put behind as many arguments, by name; None where there is more to it.
        policies: retries, time-outs, cache and demands.
        prepare: what to do when a run first sees a call, or None.
        as_written: gives a call's arguments as its author wrote them, where they are kept otherwise.
        returns_data: whether what it returns is handed on as it is, since it comes from elsewhere;
            else calls in a list, tuple, dict or dataclass that it returns are evaluated.
        role: what it does in a graph.
        needs_scheduler: whether a call of it cannot be evaluated without a look at its whole graph.

    Examples:
        >>> @task(mode="inline")
        ... def double(x: int) -> int:
        ...     return 2 * x
        >>> double, double.with_retry(3)(21)
        (<task 'double' (inline)>, double(21))
    """

    def __init__(
        self,
        function: Callable[P, Any],
        *,
        name: str | None = None,
        mode: Mode | None = None,
        version: str | int | None = None,
        aliases: Iterable[str] = (),
        upgrade: Upgrade | None = None,
        prepare: Prepare | None = None,
        as_written: AsWritten | None = None,
        returns_data: bool = False,
        role: Role = "function",
    ) -> None:
        """Look at the function once.

        Raises:
            InvalidTaskError: it is not callable, is a generator, or the mode does not fit it.
        """
        super().__init__(place_of(function), version, aliases, upgrade)
        self.function = function
        self.name: str = name or str(getattr(function, "__name__", type(function).__name__))
        self.is_async = is_async_function(function)
        self.mode = checked_mode(self.name, function, mode, is_async=self.is_async)
        self.parameters = look_at_parameters(function)
        self.positions, self._counts = self.parameters.positions, self.parameters.counts
        self.prepare = prepare
        self.as_written = as_written
        self.returns_data = returns_data
        self.role: Role = role
        self.needs_scheduler = prepare is not None or role in SCHEDULED
        self.__doc__ = function.__doc__
        self.__module__ = getattr(function, "__module__", __name__)
        self.__wrapped__ = function  # for inspect.signature and documentation tools
        self._put_in(NO_POLICIES, injections_of(function))

    def _put_in(self, policies: Policies, injections: Mapping[str, Inject]) -> None:
        """Take policies and resources, and work out what follows from them."""
        self.policies = policies
        self.injections: Mapping[str, Inject] = MappingProxyType(dict(injections))
        self.is_plain = self.mode in ("async", "inline") and policies.asks_for_nothing
        self.is_bare = self.is_plain and not self.injections
        self.is_direct = self.is_plain and all(
            each.name in BUILTIN_RESOURCES and each.definition is None
            for each in self.injections.values()
        )
        self.asks_from, self.fills = order_of_injections(self.positions, self.injections)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the call; compute nothing.

        Raises:
            InvalidTaskError: the function does not take these arguments.
        """
        if kwargs or len(args) not in self._counts:
            return self._checked_call(args, kwargs)  # type: ignore[no-any-return]  # typed alike
        return LazyResult(self, args, NO_KWARGS)  # type: ignore[return-value]  # typed as what it will be

    def _checked_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return the call, with the resources that it asks for itself."""
        self.parameters.check(self.name, args, kwargs)
        if Inject not in map(type, kwargs.values()):
            return LazyResult(self, args, kwargs or NO_KWARGS)
        asked = {name: given for name, given in kwargs.items() if type(given) is Inject}
        others = {name: given for name, given in kwargs.items() if name not in asked}
        return LazyResult(self.with_others(injections={**self.injections, **asked}), args, others)

    def __get__(self, instance: Any, owner: type | None = None) -> Task[..., R]:
        """Return the task itself, or as a method: with the object as its first argument."""
        if instance is None:
            return self
        return BoundTask(self, instance)

    def __repr__(self) -> str:
        """Show name and mode."""
        return f"<task {self.name!r} ({self.mode})>"

    def map(self, /, *iterables: Iterable[Any], **named: Any) -> list[R]:
        """Return one call per item, run side by side; their values come as a list, in order.

        Args:
            *iterables: go item by item to the positional parameters, as with the built-in
                ``map``; each may be a call, or hold some; all have the same length.
            **named: beside iterables, arguments that are the same in every call. Without any, they
                are gone through item by item themselves, but for `fixed` ones.

        Raises:
            InvalidTaskError: nothing to map over.

        Examples:
            >>> @task
            ... def scaled(x: int, by: int) -> int:
            ...     return x * by
            >>> scaled.map([1, 2, 3], by=10)
            scaled.map([1, 2, 3], by=10)
        """
        same = {name: given.value for name, given in named.items() if isinstance(given, Fixed)}
        others = {name: given for name, given in named.items() if name not in same}
        if iterables:
            same, others = {**others, **same}, {}
        if not (iterables or others):
            raise InvalidTaskError(f"{self.name}.map() needs at least one iterable to map over")
        columns = tuple([as_column(each, self.name, "its arguments") for each in iterables])
        by_name = {name: as_column(each, self.name, name) for name, each in others.items()}
        mapping = MappedLazyResult(EXPAND, (self, columns, by_name, same), NO_KWARGS)
        return cast("list[R]", mapping)

    @overload
    def run_if(self, condition: Any) -> Task[P, R | None]: ...
    @overload
    def run_if(self, condition: Any, *, or_else: E) -> Task[P, R | E]: ...
    def run_if(self, condition: Any, *, or_else: Any = None) -> Task[P, Any]:
        """Return this task so that it runs only where the condition's value is true.

        Where it is false the value is None, or that of ``or_else``: a value, or a call that is evaluated
        only then; nothing that the call's arguments need is run.
        """
        return ConditionalTask(self, [condition, or_else])

    def with_others(
        self, policies: Policies | None = None, injections: Mapping[str, Inject] | None = None
    ) -> Task[P, R]:
        """Return this task with other policies, or other resources."""
        made: Task[P, R] = object.__new__(Task)
        made.__dict__.update(self.__dict__)
        made._put_in(policies or self.policies, injections or self.injections)
        return made

    def _with(self, **policies: Any) -> Any:
        return self.with_others(replace(self.policies, **policies))


class DerivedTask(Task[P, Any]):
    """A task whose calls are made of another's, with something that is given once."""

    def __init__(self, task: Task[..., Any], given: Any) -> None:
        """Look like the task, which may have policies."""
        self.__dict__.update(task.__dict__)
        self.task = task
        self.given = given

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle both."""
        return type(self), (self.task, self.given)

    def _with(self, **policies: Any) -> Any:
        return type(self)(self.task._with(**policies), self.given)  # noqa: SLF001 - its own class


class ConditionalTask(DerivedTask[P]):
    """A task that is run only where the value of a condition is true."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Return the call under its condition."""
        condition, or_else = self.given
        call = quote(self.task(*args, **kwargs))
        given = (condition, call) if or_else is None else (condition, call, quote(or_else))
        return LazyResult(_RUN_IF, given, NO_KWARGS)


class BoundTask(DerivedTask[P]):
    """A method: a task with the object that is its first argument."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Return the call with the object."""
        return self.task(self.given, *args, **kwargs)


@overload
def task(function: Callable[P, Coroutine[Any, Any, R]], /) -> Task[P, R]: ...
@overload
def task(function: Callable[P, R], /) -> Task[P, R]: ...
@overload
def task(**options: Unpack[TaskOptions]) -> TaskDecorator: ...
def task(function: Callable[..., Any] | None = None, /, **options: Unpack[TaskOptions]) -> Any:
    """Turn a function into a `Task`, with or without parentheses.

    Args:
        function: ``def`` or ``async def``.
        **options: ``name``, ``mode``, ``version``, ``aliases`` and ``upgrade``; see `TaskOptions`.

    Raises:
        InvalidTaskError: not a function, a generator function, a mode that does not fit, or an option that
            nobody knows.

    Examples:
        >>> @task
        ... async def count(n: int) -> int:
        ...     return n if n == 0 else count(n - 1)  # a tail call: constant memory
        >>> count(3)
        count(3)
    """
    for option in options.keys() - TaskOptions.__annotations__.keys():
        near = near_name(option, TaskOptions.__annotations__)
        raise InvalidTaskError(f"@cs.task has no option {option!r}.{near}")
    if function is not None:
        return Task(function, **options)
    return lambda decorated: Task(decorated, **options)


def _expand(mapped: Any, *columns: Any, frame: Any = inject("_frame")) -> Any:
    return values_of_items(ITEMS, mapped, calls_of_mapping(mapped, *columns), frame)


def _run_if(condition: Any, call: Any, or_else: Any = None, frame: Any = inject("_frame")) -> Any:
    if not condition:
        frame.run.tell_skipped(call, "its condition is false")
    return call if condition else or_else


def _collect(value: list[Any] | tuple[Any, ...] | dict[Any, Any] | Any) -> Any:
    return value


def _items(value: Any) -> Any:
    return value


EXPAND: Task[..., Any] = Task(_expand, name="map", mode="inline", role="mapping")
_RUN_IF: Task[..., Any] = Task(_run_if, name="run_if", mode="inline", role="choice")
COLLECT: Task[..., Any] = Task(_collect, name="collect", mode="inline", role="collection")
"""Returns its argument, so that the calls inside a list, tuple or dict become a target."""

ITEMS: Task[..., Any] = Task(_items, name="items", mode="inline", role="items")
"""Returns its argument, a list of the calls of a mapping."""
