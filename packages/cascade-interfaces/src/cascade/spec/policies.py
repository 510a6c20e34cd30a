"""How a task is to be run, beyond its function: retries, time-outs, cache, resource demands."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Generic, ParamSpec, Self, TypeVar

from cascade.interfaces.errors import UnwantedValueError

__all__ = ["NO_POLICIES", "Cache", "Policies", "PolicyMethods", "Retry"]

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after an exception, waiting longer each time."""

    attempts: int = 3
    """How often the function is called at most, the first call included."""

    delay: float = 0.0
    """Seconds to wait before the second attempt."""

    backoff: float = 2.0
    """By what factor the wait grows from one attempt to the next."""

    max_delay: float = 60.0
    """Seconds that one wait never exceeds."""

    jitter: float = 0.0
    """Share of each wait that is random: 0.2 waits between 80 % and 120 % of it."""

    on: tuple[type[Exception], ...] = (Exception,)
    """Exceptions worth another attempt; any other ends the task at once."""

    when: Callable[[Any], bool] | None = None
    """Says of a value whether it is worth another attempt."""

    def __post_init__(self) -> None:
        """Refuse numbers that make no sense."""
        if self.attempts < 1:
            raise ValueError(f"attempts is at least 1, not {self.attempts}")
        if self.delay < 0 or self.max_delay < 0 or self.backoff < 1:
            raise ValueError("delay and max_delay are seconds >= 0, backoff is a factor >= 1")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"jitter is a share between 0 and 1, not {self.jitter}")

    def refuse(self, value: Any) -> None:
        """Look at a value that an attempt came to.

        Raises:
            UnwantedValueError: it is worth another attempt.
        """
        if self.when is not None and self.when(value):
            raise UnwantedValueError(value)

    def allows_another(self, attempt: int, error: Exception) -> bool:
        """Return whether there is another attempt after this one, which failed."""
        return attempt < self.attempts and isinstance(error, (*self.on, UnwantedValueError))

    def wait_after(self, attempt: int, uniform: float, error: Exception | None = None) -> float:
        """Return the seconds to wait after a failed attempt.

        Args:
            attempt: number of the attempt that failed, from 1.
            uniform: a random number in [0, 1) that places the jitter.
            error: how it failed; one that has a number ``retry_after`` names the wait itself.
        """
        named = getattr(error, "retry_after", None)
        if isinstance(named, (int, float)):
            return max(0.0, named)
        try:
            wait = min(self.delay * self.backoff ** (attempt - 1), self.max_delay)
        except OverflowError:  # it has long passed max_delay, where it grows from anything
            wait = self.max_delay if self.delay else 0.0
        return wait * (1 + self.jitter * (2 * uniform - 1))


@dataclass(frozen=True, slots=True)
class Cache:
    """Remember values in the engine's cache, ``None`` among them."""

    ttl: float | None = None
    """Seconds that a value stays good; None is for ever."""

    key: Callable[..., Any] | None = None
    """Makes what identifies the call from its arguments; needed where one of them has no content."""

    ignore: tuple[str, ...] = ()
    """Names of resources that the value does not depend on."""

    depends: tuple[Any, ...] = ()
    """What the value depends on beside: functions, classes, modules, values, files (`cascade.File`)."""

    version: str | int | None = None
    """Stands for the code, which is then not looked at: another one forgets the values so far."""

    def __post_init__(self) -> None:
        """Refuse a time that makes no sense."""
        if self.ttl is not None and self.ttl <= 0:
            raise ValueError(f"ttl is a number of seconds above 0, or None, not {self.ttl}")


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies of one task; the default asks for nothing."""

    retry: Retry | None = None
    timeout: float | None = None
    """Seconds that each attempt may take, from the start of the function."""

    cache: Cache | None = None
    demands: Mapping[str, float] = field(default_factory=dict)
    """Units of the engine's capacities that the task holds while it runs."""

    journal: bool = False
    """Whether a durable agent keeps its value at once, so that a step that runs again has it."""

    outputs: tuple[str, ...] = ()
    """Paths of the files that it writes; ``{name}`` in one stands for an argument."""

    window: int | None = None
    """How many calls of a mapping are under way at once; None: all of them."""

    def __post_init__(self) -> None:
        """Freeze the demands."""
        object.__setattr__(self, "demands", MappingProxyType(dict(self.demands)))

    @property
    def asks_for_nothing(self) -> bool:
        """Whether a single call is run as without any."""
        return self is NO_POLICIES or replace(self, window=None) == NO_POLICIES

    def __reduce__(self) -> tuple[type[Policies], tuple[Any, ...]]:
        """Pickle the demands as a plain dict: what freezes them cannot be pickled."""
        demands = dict(self.demands)
        of_values = (self.cache, demands, self.journal, self.outputs)
        return Policies, (self.retry, self.timeout, *of_values, self.window)


NO_POLICIES = Policies()


class PolicyMethods(Generic[P, R]):
    """How a task is given policies: each method returns the task with one more."""

    policies: Policies
    """Those that it has."""

    def _with(self, **policies: Any) -> Self:
        """Return the same task with other policies."""
        raise NotImplementedError

    def with_retry(
        self,
        attempts: int = 3,
        *,
        delay: float = 0.0,
        backoff: float = 2.0,
        max_delay: float = 60.0,
        jitter: float = 0.0,
        on: tuple[type[Exception], ...] = (Exception,),
        when: Callable[[R], bool] | None = None,
    ) -> Self:
        """Return this task with retries of its own function; see `Retry` for each argument (seconds).

        What the task returns as a call is no longer governed: `cascade.retry` around the call is.
        """
        return self._with(retry=Retry(attempts, delay, backoff, max_delay, jitter, on, when))

    def with_timeout(self, seconds: float) -> Self:
        """Return this task so that each call of its function ends in `TimeoutError` after so many seconds.

        They count from the start of the function. One in a process is ended; a thread cannot be
        stopped, but is told (``cs.current().cancelled``), and a retry waits for it. What the task
        returns as a call is no longer governed: `cascade.timeout` around the call is.

        Raises:
            ValueError: it is not a number above 0.
        """
        if seconds <= 0:
            raise ValueError(f"a timeout is a number of seconds above 0, not {seconds}")
        return self._with(timeout=seconds)

    def with_cache(
        self,
        *,
        ttl: float | None = None,
        key: Callable[P, Any] | None = None,
        ignore: Sequence[str] = (),
        depends: Sequence[Any] = (),
        version: str | int | None = None,
    ) -> Self:
        """Return this task so that the engine remembers its values, by the content of arguments and code.

        The code is that of the function and of all of its own distribution that it names: functions,
        methods, constants. The value is the final one: where the task returns another call, what that one
        comes to. Calls with the same arguments that run at the same time compute it once.

        Args:
            ttl: seconds that a value stays good; None is for ever.
            key: makes what identifies the call from its arguments, where one of them has no content.
            ignore: names of resources that the value does not depend on. A task with any other is
                cached only where the resource has a ``cache_key``.
            depends: what the value depends on beside: functions, classes, modules, values, files.
            version: stands for the code, which is then not looked at; change it with the code.

        Raises:
            ValueError: ttl is not above 0.
            TypeError: ignore is one name alone.

        Examples:
            >>> from cascade.spec.task import task
            >>> @task
            ... def load(year: int) -> list[str]:
            ...     return [f"sales of {year}"]
            >>> load.with_cache(ttl=3600, version=2)(2024)
            load(2024)
        """
        if isinstance(ignore, str):
            raise TypeError(f"ignore is a tuple of names, not {ignore!r}")
        return self._with(cache=Cache(ttl, key, tuple(ignore), tuple(depends), version))

    def with_outputs(self, *paths: str | os.PathLike[str]) -> Self:
        """Return this task so that it is skipped where the files that it writes are as it would write them.

        They are, where it has written them for the same arguments and code, and nobody has changed them
        since: what counts is what they hold, not when they were written. Its value is the one that it came
        to then. What was written is known from the engine's cache, so in another process only by one that
        lasts; `with_cache` says more of the key.

        Args:
            *paths: files or folders; ``{name}`` in one stands for the argument of that name.

        Raises:
            ValueError: there is none.

        Examples:
            >>> import cascade as cs
            >>> @cs.task
            ... def report(source: cs.File, name: str) -> None:
            ...     with open(f"{name}.html", "w") as file:
            ...         file.write(source.path.read_text())
            >>> built = report.with_outputs("{name}.html")(cs.File("sales.csv"), "sales")
        """
        if not paths:
            raise ValueError("with_outputs takes at least one path")
        outputs = tuple(os.fspath(path) for path in paths)
        return self._with(outputs=outputs, cache=self.policies.cache or Cache())

    def with_journal(self) -> Self:
        """Return this task so that a durable agent keeps its value as soon as it is there.

        A step that runs again after a crash then has the value, and does not call the function again;
        without it the values of a step are kept when the step first waits. In an agent that is not
        durable it changes nothing.
        """
        return self._with(journal=True)

    def with_window(self, calls: int) -> Self:
        """Return this task so that its `map` has so many calls under way at once, and no more.

        The next one begins where one ends, in the order of the items; the values are in that order too.
        A mapping of very many items so takes little memory, and does not ask everybody at once. It
        bounds one mapping; `with_demands` bounds all that run in an engine.

        Raises:
            ValueError: it is less than one.

        Examples:
            >>> import cascade as cs
            >>> @cs.task
            ... async def half(n: int) -> float:
            ...     return n / 2
            >>> sum(cs.run(half.with_window(100).map(range(1000))))
            249750.0
        """
        if calls < 1:
            raise ValueError(f"a window has room for one call or more, not {calls}")
        return self._with(window=calls)

    def with_demands(self, **demands: float) -> Self:
        """Return this task so that it holds so many units of the engine's capacities as it runs.

        Examples:
            ``render.with_demands(gpu=1)`` on ``Engine(capacities={"gpu": 2})`` runs two at once.
        """
        for capacity, units in demands.items():
            if units <= 0:
                raise ValueError(f"a task demands more than 0 units of {capacity!r}, not {units}")
        return self._with(demands=demands)
