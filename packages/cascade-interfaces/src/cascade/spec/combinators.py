"""Combinators: `retry`, `timeout`, `catch`, `settle` and `after` around a call.

A policy on a task governs its own function; a combinator around a call governs everything until the
call's value is there, also the calls that its tasks return. What stands only inside one is its own:
each attempt evaluates it afresh, and a time-out cancels it. A call that stands outside as well is
evaluated once, outside, and its value or failure handed in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple, Protocol, TypeVar, overload

from cascade.interfaces.errors import InvalidTaskError
from cascade.spec.lazy_types import LazyResult, MappedLazyResult
from cascade.spec.mapping import calls_of_mapping, values_of_items
from cascade.spec.policies import Retry
from cascade.spec.quoting import quote
from cascade.spec.resource import inject
from cascade.spec.task import COLLECT, ITEMS, NO_KWARGS, Task

__all__ = ["Enclosing", "after", "catch", "retry", "settle", "timeout"]

T = TypeVar("T")
U = TypeVar("U")
T1 = TypeVar("T1")
T2 = TypeVar("T2")
T3 = TypeVar("T3")
T4 = TypeVar("T4")
T5 = TypeVar("T5")


class Enclosing(Protocol):
    """What a combinator's function is given: how to evaluate the call it governs."""

    async def evaluate(self, call: Any, attempt: int | None = None) -> Any:
        """Return the call's value, evaluated afresh."""

    def limit(self, seconds: float) -> AbstractAsyncContextManager[asyncio.Timeout]:
        """Return a time-out; that of a durable agent began when it first came here."""

    async def attempt(self) -> int:
        """Return the number of the attempt to begin with: 1, but where a durable agent goes on."""

    async def wait_before_retry(self, policy: Retry, attempt: int, error: Exception) -> None:
        """Tell of an attempt that failed, and wait as long as the policy says."""


def retry(
    call: T,
    attempts: int = 3,
    *,
    delay: float = 0.0,
    backoff: float = 2.0,
    max_delay: float = 60.0,
    jitter: float = 0.0,
    on: type[Exception] | tuple[type[Exception], ...] = Exception,
    when: Callable[[T], bool] | None = None,
) -> T:
    """Evaluate a call again where it fails, with everything that stands only in it.

    An attempt that failed gives the signals it took back to the mailbox. A failure that has a number
    ``retry_after`` says itself how many seconds to wait.

    Args:
        call: what to evaluate.
        attempts: how often at most, the first time included.
        delay: seconds to wait before the second attempt.
        backoff: by what factor the wait grows.
        max_delay: seconds that one wait never exceeds.
        jitter: share of each wait that is random.
        on: exceptions worth another attempt.
        when: says of a value whether it is worth another attempt.

    Raises:
        InvalidTaskError: it is given no call.
        UnwantedValueError: at run time, where ``when`` is true for the value of the last attempt.

    Examples:
        >>> import cascade as cs
        >>> @cs.task(mode="inline")
        ... def draw(rng=cs.inject("rng")):
        ...     return rng.randrange(3)
        >>> cs.run(cs.retry(draw(), 100, when=lambda drawn: drawn != 2))
        2
    """
    errors = on if isinstance(on, tuple) else (on,)
    policy = Retry(attempts, delay, backoff, max_delay, jitter, errors, when)
    return _RETRY(_checked(call, "retry"), policy)  # type: ignore[no-any-return]  # a call for a T


def timeout(call: T, seconds: float) -> T:
    """Give a call so many seconds until its value is there; after that cancel it.

    Calls that stand outside as well are there before the clock starts.

    Raises:
        InvalidTaskError: it is given no call.
        ValueError: the number is not above 0.
        TimeoutError: at run time, when the time is over.

    Examples:
        >>> import cascade as cs
        >>> cs.run(cs.catch(cs.timeout(cs.wait(60), 0.01), TimeoutError, "too slow"))
        'too slow'
    """
    if not seconds > 0:
        raise ValueError(f"a timeout is a number of seconds above 0, not {seconds}")
    return _TIMEOUT(_checked(call, "timeout"), seconds)  # type: ignore[no-any-return]  # a call for a T


def catch(
    call: T,
    on: type[Exception] | tuple[type[Exception], ...] = Exception,
    use: U | None = None,
) -> T | U:
    """Use another value, or that of another call, where a call fails.

    Args:
        call: what to evaluate.
        on: exceptions to catch; a cancellation is never caught.
        use: a value, or a call that is evaluated only then.

    Raises:
        InvalidTaskError: it is given no call.

    Examples:
        >>> import cascade as cs
        >>> @cs.task(mode="inline")
        ... def ratio(a: int, b: int) -> float:
        ...     return a / b
        >>> cs.run(cs.catch(ratio(1, 0), ZeroDivisionError, use=float("inf")))
        inf
    """
    errors = on if isinstance(on, tuple) else (on,)
    outcome = _SETTLE(_checked(call, "catch"), True)
    return _CATCH(outcome, errors, quote(use))  # type: ignore[no-any-return]  # a call for one of both


@overload
def settle(calls: tuple[T1]) -> tuple[T1 | Exception]: ...
@overload
def settle(calls: tuple[T1, T2]) -> tuple[T1 | Exception, T2 | Exception]: ...
@overload
def settle(
    calls: tuple[T1, T2, T3],
) -> tuple[T1 | Exception, T2 | Exception, T3 | Exception]: ...
@overload
def settle(
    calls: tuple[T1, T2, T3, T4],
) -> tuple[T1 | Exception, T2 | Exception, T3 | Exception, T4 | Exception]: ...
@overload
def settle(
    calls: tuple[T1, T2, T3, T4, T5],
) -> tuple[T1 | Exception, T2 | Exception, T3 | Exception, T4 | Exception, T5 | Exception]: ...
@overload
def settle(calls: list[T]) -> list[T | Exception]: ...
@overload
def settle(calls: Mapping[U, T]) -> dict[U, T | Exception]: ...
def settle(calls: Any) -> Any:
    """Evaluate calls side by side, and return for each its value or its exception; none ends others.

    Args:
        calls: a list, tuple or dict of calls, or a mapped call.

    Raises:
        InvalidTaskError: it is none of these.

    Examples:
        >>> import cascade as cs
        >>> @cs.task(mode="inline")
        ... def half(n: int) -> float:
        ...     return n / 2
        >>> cs.run(cs.settle(half.map([1, "two", 3])))
        [0.5, TypeError("unsupported operand type(s) for /: 'str' and 'int'"), 1.5]
    """
    if isinstance(calls, MappedLazyResult):
        return LazyResult(_EXPAND_SETTLED, calls.args, NO_KWARGS)
    if isinstance(calls, Mapping):
        return LazyResult(
            COLLECT, ({key: _settled(each) for key, each in calls.items()},), NO_KWARGS
        )
    if isinstance(calls, (list, tuple)):
        kind = tuple if isinstance(calls, tuple) else list
        return LazyResult(COLLECT, (kind(map(_settled, calls)),), NO_KWARGS)
    raise InvalidTaskError(
        f"cs.settle takes a list, tuple or dict of calls, or a mapped call, not {calls!r}"
    )


def after(call: T, *before: Any) -> T:
    """Evaluate a call, with everything that stands only in it, once others are done.

    Raises:
        InvalidTaskError: it is given no call.

    Examples:
        >>> import cascade as cs
        >>> done = []
        >>> @cs.task(mode="inline")
        ... def step(name: str) -> list[str]:
        ...     done.append(name)
        ...     return done
        >>> cs.run(cs.after(step("read"), step("write")))
        ['write', 'read']
    """
    return _AFTER(_checked(call, "after"), *before)  # type: ignore[no-any-return]  # a call for a T


def _checked(call: Any, combinator: str) -> Any:
    """Return a call, held back until the combinator asks for it.

    Raises:
        InvalidTaskError: it is none.
    """
    if not isinstance(call, LazyResult):
        raise InvalidTaskError(f"cs.{combinator} goes around a call of a task, not around {call!r}")
    return quote(call)


def _settled(each: Any) -> Any:
    return _SETTLE(quote(each), False) if isinstance(each, LazyResult) else each


# --- what an engine runs ----------------------------------------------------------------------


_ENCLOSING: Any = inject("_enclosing")  # only the scheduler of a graph can give it


class _Outcome(NamedTuple):
    """What a call came to: a value, or an exception."""

    value: Any
    error: Exception | None = None


async def _retry(call: Any, policy: Retry, frame: Enclosing = _ENCLOSING) -> Any:
    attempt = await frame.attempt()
    while True:
        try:
            value = await frame.evaluate(call, attempt)
            policy.refuse(value)
            return value
        except Exception as error:
            if not policy.allows_another(attempt, error):
                raise
            failure = error
        await frame.wait_before_retry(policy, attempt, failure)
        attempt += 1


async def _timeout(call: Any, seconds: float, frame: Enclosing = _ENCLOSING) -> Any:
    try:
        async with frame.limit(seconds) as limit:
            return await frame.evaluate(call)
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise TimeoutError(f"{call!r} took longer than {seconds:g} s") from error


async def _settle(call: Any, wrap: bool, frame: Enclosing = _ENCLOSING) -> Any:
    try:
        value = await frame.evaluate(call)
    except Exception as error:  # noqa: BLE001 - it is handed on as a value
        return _Outcome(None, error) if wrap else error
    return _Outcome(value) if wrap else value


def _catch(outcome: _Outcome, errors: tuple[type[Exception], ...], use: Any) -> Any:
    if outcome.error is None:
        return outcome.value
    if isinstance(outcome.error, errors):
        return use
    raise outcome.error


def _after(call: Any, *_before: Any) -> Any:
    return call


def _expand_settled(mapped: Any, *columns: Any, frame: Any = inject("_frame")) -> Any:
    calls = [_settled(each) for each in calls_of_mapping(mapped, *columns)]
    return values_of_items(ITEMS, mapped, calls, frame)


_RETRY: Task[..., Any] = Task(_retry, name="retry", role="combinator", returns_data=True)
_TIMEOUT: Task[..., Any] = Task(_timeout, name="timeout", role="combinator", returns_data=True)
_SETTLE: Task[..., Any] = Task(_settle, name="settle", role="combinator", returns_data=True)
_CATCH: Task[..., Any] = Task(_catch, name="catch", mode="inline", role="choice", returns_data=True)
_AFTER: Task[..., Any] = Task(_after, name="after", mode="inline", role="choice")
_EXPAND_SETTLED: Task[..., Any] = Task(
    _expand_settled, name="settle", mode="inline", role="mapping"
)
