"""How a task is given policies: its ``with_…`` methods."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Generic, ParamSpec, Self, TypeVar

from cascade.interfaces.executor import Placement
from cascade.spec.policies import Cache, Policies, Retry

__all__ = ["PolicyMethods"]

P = ParamSpec("P")
R = TypeVar("R")


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

    def with_placement(
        self, *where: str, priority: int = 0, batch: int = 1, keep: bool = False
    ) -> Self:
        """Return this task so that an executor with a choice of machines runs it so; others take no notice.

        Args:
            *where: names of workers, of their hosts, or of something that they have: any one of them will do;
                none is any worker.
            priority: calls with a higher one begin before others that wait.
            batch: how many calls that come together, such as the items of a mapping, go to a worker as one,
                to be run one after the other: for many short calls.
            keep: leave each value on its worker, and hand on a reference, which is the value itself where
                another remote task has it as an argument: for big values that only those need.

        Raises:
            ValueError: a batch has less than one call.

        Examples:
            >>> import cascade as cs
            >>> @cs.task(mode="remote")
            ... def score(n: int) -> float:
            ...     return n / 2
            >>> quick = score.with_placement("big-machine", priority=1, batch=50)
        """
        return self._with(placement=Placement(where, priority, batch, keep))
