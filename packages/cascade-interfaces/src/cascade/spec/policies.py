"""How a task is to be run, beyond its function: retries, time-outs, cache, resource demands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from cascade.interfaces.errors import UnwantedValueError
from cascade.interfaces.executor import Placement

__all__ = ["NO_POLICIES", "Cache", "Placement", "Policies", "Retry"]


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after an exception, waiting longer each time.

    Examples:
        >>> import cascade as cs
        >>> @cs.task
        ... def fetch() -> str:
        ...     return "page"
        >>> fetch.with_retry(3).policies.retry.attempts
        3
    """

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
    """All policies of one task; the default asks for nothing.

    Examples:
        >>> import cascade as cs
        >>> @cs.task
        ... def render(scene: str) -> str:
        ...     return scene
        >>> render.with_demands(gpu=1).policies.demands
        mappingproxy({'gpu': 1})
    """

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

    placement: Placement | None = None
    """What it asks of an executor that has a choice of machines."""

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
        return Policies, (self.retry, self.timeout, *of_values, self.window, self.placement)


NO_POLICIES = Policies()
