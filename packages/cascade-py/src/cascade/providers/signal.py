"""``cs.recv``: how a workflow hears."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from types import CoroutineType
from typing import Any, TypeAlias

from cascade.interfaces.properties import Carried, received
from cascade.interfaces.protocols import Connector, LazyFactory
from cascade.interfaces.topics import Filters, as_filters
from cascade.runtime.evaluation.arguments import find_calls
from cascade.runtime.signals.mailbox import Mailbox
from cascade.runtime.signals.source import Signal
from cascade.runtime.state.agent import Agent, Frame
from cascade.spec.identity import Sentinel
from cascade.spec.lazy_types import LazyResult
from cascade.spec.quoting import Quoted
from cascade.spec.resource import inject
from cascade.spec.task import COLLECT, NO_KWARGS, Task

__all__ = ["RecvProvider", "recv"]

_NO_DEFAULT: Any = Sentinel("cascade.providers.signal:_NO_DEFAULT")


class RecvProvider:
    """Provides ``cs.recv``."""

    name = "recv"

    def create_factory(self) -> LazyFactory:
        """Return what makes the calls of `recv`, for one filter or for each of several."""
        return _RecvFactory()


class _RecvFactory:
    """`recv` as others make calls of tasks: called, or mapped over filters."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        return recv(*args, **options)

    def map(self, filters: Iterable[Any], **options: Any) -> Any:
        return LazyResult(COLLECT, ([recv(each, **options) for each in filters],), NO_KWARGS)


def recv(
    topic: str | Sequence[str],
    timeout: float | None = None,
    *,
    default: Any = _NO_DEFAULT,
    buffered: bool = False,
    with_topic: bool = False,
    many: bool = False,
    holdoff: float = 0.0,
) -> Any:
    """Suspend the workflow until a signal comes; return its payload.

    It takes the oldest signal in the agent's mailbox that matches, or the next to come. Between two
    plain ``recv`` in a row nobody listens, and what comes then is lost. ``buffered=True`` closes that
    gap: the mailbox listens on the topic from when the agent first sees the call, before any task of
    that step starts, until the agent ends; on filters given to ``run(..., listen=[...])`` it does so
    from the very start.

    Args:
        topic: a topic filter, or several: whichever comes first.
        timeout: seconds on the run's clock; None waits for ever.
        default: the value after a time-out; without it a time-out is a `TimeoutError`.
        buffered: keep signals that come while the workflow does not listen.
        with_topic: return ``(topic, payload)``.
        many: return a list of all signals that have come, at least one; with a mailbox that is one
            step for as many as lie there.
        holdoff: seconds from now in which whatever comes is ignored, as a switch that bounces is;
            what lies in the mailbox is thrown away, too. The timeout counts from now as well.

    Raises:
        TimeoutError: nothing came in time, and there is no default.
        InvalidTopicError: a filter is not valid.
        ValueError: the holdoff is negative.
        NoConnectorError: the engine has no connector.

    Examples:
        >>> recv("door/+", timeout=5, default="nobody came")
        recv('door/+', 5, default='nobody came')
    """
    return LazyResult(
        _RECV_BUFFERED if buffered else _RECV,
        (topic, timeout, default, with_topic, many, holdoff),
        NO_KWARGS,
    )


# These are called once for each turn of an agent: all arguments by position, and no coroutine where
# none is needed.

_Options: TypeAlias = tuple[float | None, Any, bool, bool, float]
"""``timeout``, ``default``, ``with_topic``, ``many`` and ``holdoff`` of a `recv`."""


def _recv(  # noqa: PLR0917 - as the engine calls it
    topic: str | Sequence[str],
    timeout: float | None,
    default: Any,
    with_topic: bool,
    many: bool,
    holdoff: float,
    frame: Frame = inject("_frame"),
    connector: Connector = inject("_internal_connector"),
) -> Any:
    """Return the value of the signal that lies in the mailbox, or a coroutine that waits for one."""
    filters = as_filters(topic)
    mailbox = frame.agent.mailbox_on(connector)
    options = (timeout, default, with_topic, many, holdoff)
    if holdoff and not mailbox.listens_to(filters):
        return _recv_later(mailbox, filters, options, frame)
    return _take_or_wait(mailbox, filters, options, frame)


async def _recv_later(mailbox: Mailbox, filters: Filters, options: _Options, frame: Frame) -> Any:
    """Begin to listen only after the holdoff."""
    timeout, *others, holdoff = options
    _check_holdoff(holdoff)
    await asyncio.sleep(holdoff if timeout is None else min(holdoff, timeout))
    left = None if timeout is None else max(0.0, timeout - holdoff)
    default, with_topic, many = others
    value = _take_or_wait(mailbox, filters, (left, default, with_topic, many, 0.0), frame)
    return await value if type(value) is CoroutineType else value


def _recv_buffered(  # noqa: PLR0917 - as the engine calls it
    topic: str | Sequence[str],
    timeout: float | None,
    default: Any,
    with_topic: bool,
    many: bool,
    holdoff: float,
    frame: Frame = inject("_frame"),
) -> Any:
    """Do the same, and listen from now on."""
    filters = topic if isinstance(topic, tuple) else as_filters(topic)
    mailbox = frame.agent.mailbox
    options = (timeout, default, with_topic, many, holdoff)
    if mailbox.listens_to(filters):  # as in most of its turns
        return _take_or_wait(mailbox, filters, options, frame)
    return _listen_and_recv(as_filters(filters), options, frame)


async def _listen_and_recv(filters: Filters, options: _Options, frame: Frame) -> Any:
    agent = frame.agent
    await agent.listen(filters)
    value = _take_or_wait(agent.mailbox, filters, options, frame)
    return await value if type(value) is CoroutineType else value


def _check_holdoff(seconds: float) -> None:
    """Refuse a holdoff that makes no sense.

    Raises:
        ValueError: it is negative.
    """
    if seconds < 0:
        raise ValueError(f"a holdoff is a number of seconds of 0 or more, not {seconds}")


def _take_or_wait(mailbox: Mailbox, filters: Filters, options: _Options, frame: Frame) -> Any:
    _, _, with_topic, many, holdoff = options
    if holdoff:
        _check_holdoff(holdoff)
        mailbox.mute(filters, holdoff)
    signal = mailbox.take(filters)
    if signal is None:
        return _wait(mailbox, filters, options, frame)
    return _value_of(signal, mailbox, filters, with_topic, many, frame)


async def _wait(mailbox: Mailbox, filters: Filters, options: _Options, frame: Frame) -> Any:
    timeout, default, with_topic, many, _ = options
    waiter = mailbox.wait(filters, timeout, many=many)
    try:
        if mailbox.park is not None:
            await mailbox.park(waiter)
        if not mailbox.listens_to(filters):
            await mailbox.widen(waiter)
        signal = await waiter
    except asyncio.CancelledError:  # a signal may have come in this very moment
        if waiter.done() and not waiter.cancelled() and (signal := waiter.result()) is not None:
            mailbox.requeue([signal])
        raise
    finally:
        mailbox.stop_waiting(waiter)
        for source in waiter.own:
            await source.close()
    frame.agent.time_slice.restart()
    if signal is None:
        return _missed(filters, timeout, default)
    return _value_of(signal, mailbox, filters, with_topic, many, frame)


def _value_of(  # noqa: PLR0917 - the same arguments in the same order
    signal: Signal, mailbox: Mailbox, filters: Filters, with_topic: bool, many: bool, frame: Frame
) -> Any:
    """Return the value of the call, with whatever else lies in the mailbox where many are wanted."""
    if not many and not mailbox.carries and frame.taken is None:  # as in most cases
        return (signal.topic, signal.payload) if with_topic else signal.payload
    signals = [signal, *mailbox.drain(filters)] if many else [signal]
    if frame.taken is not None:
        frame.taken += signals
    found = [(each.topic, each.payload) for each in signals]
    if mailbox.carries:
        found = _unpack(found)
    values = found if with_topic else [payload for _, payload in found]
    return values if many else values[0]


def _unpack(signals: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Put what came beside the signals into the context, if anything did."""
    beside = tuple(each.properties for _, each in signals if type(each) is Carried)
    if not beside:
        return signals
    received.set(beside)
    return [(topic, each.payload if type(each) is Carried else each) for topic, each in signals]


def _missed(filters: Filters, timeout: float | None, default: Any) -> Any:
    """Return the default where nothing came, or raise."""
    if default is not _NO_DEFAULT:
        return default
    raise TimeoutError(f"no signal on {' or '.join(map(repr, filters))} within {timeout:g} s")


async def _open_mailbox(agent: Agent, call: LazyResult[Any]) -> None:
    """Open the mailbox of a call as soon as the agent sees it, unless its topic is yet to be evaluated."""
    topic = call.args[0]
    if isinstance(topic, Quoted):
        await agent.listen(as_filters(topic.value))
    elif isinstance(topic, (str, list, tuple)) and not find_calls(
        LazyResult(call.task, (topic,), {})
    ):
        await agent.listen(as_filters(topic))


# --- how the calls show themselves ----------------------------------------------------------------


def _recv_as_written(
    args: tuple[Any, ...], *, buffered: bool = False
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    topic, timeout, default, with_topic, many, holdoff = args
    switches = {
        "buffered": buffered,
        "with_topic": with_topic,
        "many": many,
        "holdoff": holdoff,
    }
    options = {name: value for name, value in switches.items() if value}
    if default is not _NO_DEFAULT:
        options = {"default": default, **options}
    return (topic,) if timeout is None else (topic, timeout), options


_RECV: Task[..., Any] = Task(
    _recv,
    name="recv",
    mode="inline",
    as_written=_recv_as_written,
    returns_data=True,
    role="builtin",
)
_RECV_BUFFERED: Task[..., Any] = Task(
    _recv_buffered,
    name="recv",
    mode="inline",
    prepare=_open_mailbox,
    as_written=partial(_recv_as_written, buffered=True),
    returns_data=True,
    role="builtin",
)
