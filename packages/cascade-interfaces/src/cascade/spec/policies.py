"""How a task is to be run, beyond its function: retries, time-outs, cache, resource demands."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

__all__ = ["NO_POLICIES", "Cache", "Policies", "Retry"]


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

    def __post_init__(self) -> None:
        """Refuse numbers that make no sense."""
        if self.attempts < 1:
            raise ValueError(f"attempts is at least 1, not {self.attempts}")
        if self.delay < 0 or self.max_delay < 0 or self.backoff < 1:
            raise ValueError("delay and max_delay are seconds >= 0, backoff is a factor >= 1")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"jitter is a share between 0 and 1, not {self.jitter}")

    def wait_after(self, attempt: int, uniform: float) -> float:
        """Return the seconds to wait after a failed attempt.

        Args:
            attempt: number of the attempt that failed, from 1.
            uniform: a random number in [0, 1) that places the jitter.
        """
        wait = min(self.delay * self.backoff ** (attempt - 1), self.max_delay)
        return wait * (1 + self.jitter * (2 * uniform - 1))


@dataclass(frozen=True, slots=True)
class Cache:
    """Remember values in the engine's cache, ``None`` among them."""

    ttl: float | None = None
    """Seconds that a value stays good; None is for ever."""

    key: Callable[..., Hashable] | None = None
    """Makes the key from the call's arguments; needed where an argument is not hashable."""

    def __post_init__(self) -> None:
        """Refuse a time that makes no sense."""
        if self.ttl is not None and self.ttl <= 0:
            raise ValueError(f"ttl is a number of seconds above 0, or None, not {self.ttl}")


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies of one task; the default asks for nothing."""

    retry: Retry | None = None
    timeout: float | None = None
    """Seconds that each attempt may take."""

    cache: Cache | None = None
    demands: Mapping[str, float] = field(default_factory=lambda: MappingProxyType[str, Any]({}))
    """Units of the engine's capacities that the task holds while it runs."""


NO_POLICIES = Policies()
