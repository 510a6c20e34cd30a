"""``cs.recv`` and ``cs.send``: how a workflow hears and speaks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from functools import partial
from types import CoroutineType
from typing import Any

from cascade.interfaces.properties import Carried, received
from cascade.interfaces.protocols import Connector, LazyFactory
from cascade.interfaces.topics import Filters, as_filters
from cascade.runtime.evaluation.arguments import find_calls
from cascade.runtime.signals.mailbox import Mailbox, Signal, next_signal
from cascade.runtime.state.agent import Agent, Frame
from cascade.spec.lazy_types import LazyResult
from cascade.spec.quoting import Quoted
from cascade.spec.resource import inject
from cascade.spec.task import COLLECT, NO_KWARGS, Task

__all__ = ["RecvProvider", "recv", "send"]

_NO_DEFAULT: Any = object()


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

    Between two plain ``recv`` in a row nobody listens, and what comes then is lost. ``buffered=True``
    closes that gap: a mailbox on the topic opens when the run first sees the call, before any task
    of that step starts, and stays until the run ends; ``recv`` takes the oldest signal from it.
    A filter given to ``run(..., listen=[...])`` has such a mailbox from the very start.

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


def send(topic: str, payload: Any, *, retain: bool = False, qos: int = 0) -> Any:
    """Publish a signal; the value is None.

    Args:
        topic: a topic without wildcards.
        payload: what to say.
        retain: keep it for those who listen later; an empty payload clears it.
        qos: 0, 1 or 2.

    Raises:
        InvalidTopicError: the topic is not valid.
        NoConnectorError: the engine has no connector.
    """
    return _SEND(topic, payload, retain, qos)


# These are called once for each turn of an agent: all arguments by position, and no coroutine where
# none is needed.


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
    mailbox = frame.agent.mailbox(filters)
    if mailbox is None:
        return _await_once(connector, filters, timeout, default, with_topic, many, holdoff)
    return _recv_buffered(filters, timeout, default, with_topic, many, holdoff, frame)


def _recv_buffered(  # noqa: PLR0917 - as the engine calls it
    topic: str | Sequence[str],
    timeout: float | None,
    default: Any,
    with_topic: bool,
    many: bool,
    holdoff: float,
    frame: Frame = inject("_frame"),
) -> Any:
    """Do the same, and open the mailbox where it is not yet."""
    agent = frame.agent
    mailbox = agent.mailbox(topic) if isinstance(topic, tuple) else None  # as in most of its turns
    if mailbox is None:
        return _open_and_recv(
            as_filters(topic), frame, (timeout, default, with_topic, many, holdoff)
        )
    if holdoff:
        mailbox.mute(holdoff, agent.run.loop)
    signal = mailbox.get_nowait()
    if signal is None:
        return _await_arrival(mailbox, agent, timeout, default, with_topic, many)
    return _value_of(signal, mailbox, with_topic, many)


async def _open_and_recv(
    filters: Filters, frame: Frame, arguments: tuple[float | None, Any, bool, bool, float]
) -> Any:
    await frame.agent.open_mailbox(filters)
    value = _recv_buffered(filters, *arguments, frame)
    return await value if type(value) is CoroutineType else value


async def _await_arrival(  # noqa: PLR0917 - the same arguments in the same order
    mailbox: Mailbox,
    agent: Agent,
    timeout: float | None,
    default: Any,
    with_topic: bool,
    many: bool,
) -> Any:
    getter, timer = mailbox.wait_next(timeout, agent.run.loop)
    try:
        signal = await getter
    except asyncio.CancelledError:
        mailbox.requeue(getter)
        raise
    finally:
        if timer is not None:
            timer.cancel()
    agent.time_slice.restart()
    if signal is None:
        return _missed(mailbox.filters, timeout, default)
    return _value_of(signal, mailbox, with_topic, many)


async def _await_once(  # noqa: PLR0917 - the same arguments in the same order
    connector: Connector,
    filters: Filters,
    timeout: float | None,
    default: Any,
    with_topic: bool,
    many: bool,
    holdoff: float,
) -> Any:
    signal = await next_signal(connector, filters, timeout, holdoff)
    if signal is None:
        return _missed(filters, timeout, default)
    return _value_of(signal, None, with_topic, many)


def _value_of(signal: Signal, mailbox: Mailbox | None, with_topic: bool, many: bool) -> Any:
    """Return the value of the call, with whatever else lies in the mailbox where many are wanted."""
    may_be_carried = mailbox is None or mailbox.carries
    if many:
        signals = [signal] if mailbox is None else [signal, *mailbox.drain()]
        if may_be_carried:
            signals = _unpack(signals)
        return signals if with_topic else [payload for _, payload in signals]
    if may_be_carried and type(signal[1]) is Carried:
        (signal,) = _unpack([signal])
    return signal if with_topic else signal[1]


def _unpack(signals: list[Signal]) -> list[Signal]:
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
        await agent.open_mailbox(as_filters(topic.value))
    elif isinstance(topic, (str, list, tuple)) and not find_calls(
        LazyResult(call.task, (topic,), {})
    ):
        await agent.open_mailbox(as_filters(topic))


def _send(
    topic: str,
    payload: Any,
    retain: bool,
    qos: int,
    connector: Connector = inject("_internal_connector"),
) -> Any:
    published = connector.publish(topic, payload, qos, retain)
    return published if type(published) is CoroutineType else _finish(published)


async def _finish(published: Awaitable[None]) -> None:
    await published


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


def _send_as_written(args: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    topic, payload, retain, qos = args
    return (topic, payload), {"retain": retain, "qos": qos}


_RECV: Task[..., Any] = Task(
    _recv, name="recv", mode="inline", as_written=_recv_as_written, returns_data=True
)
_RECV_BUFFERED: Task[..., Any] = Task(
    _recv_buffered,
    name="recv",
    mode="inline",
    prepare=_open_mailbox,
    as_written=partial(_recv_as_written, buffered=True),
    returns_data=True,
)
_SEND: Task[..., Any] = Task(_send, name="send", mode="inline", as_written=_send_as_written)
