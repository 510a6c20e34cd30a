"""``cs.recv`` and ``cs.send``: how a workflow hears and speaks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cascade.interfaces.protocols import Connector, LazyFactory
from cascade.interfaces.topics import as_filters
from cascade.runtime.graph import find_lazies
from cascade.runtime.mailbox import next_signal
from cascade.runtime.run import Run
from cascade.spec.lazy_types import LazyResult
from cascade.spec.resource import inject
from cascade.spec.task import Task

__all__ = ["RecvProvider", "SendProvider", "recv", "send"]

_NO_DEFAULT: Any = object()


class RecvProvider:
    """Provides ``cs.recv``."""

    def factory(self) -> LazyFactory:
        """Return `recv`."""
        return recv


class SendProvider:
    """Provides ``cs.send``."""

    def factory(self) -> LazyFactory:
        """Return `send`."""
        return send


def recv(
    topic: str | Sequence[str],
    timeout: float | None = None,
    *,
    default: Any = _NO_DEFAULT,
    buffered: bool = False,
    with_topic: bool = False,
    many: bool = False,
) -> Any:
    """Suspend the workflow until a signal comes, and be worth its payload.

    Between two plain ``recv`` in a row nobody listens, and what comes then is lost. ``buffered=True``
    closes that gap: a mailbox on the topic opens when the run first sees the call, before any task
    of that step starts, and stays until the run ends; ``recv`` takes the oldest signal from it.
    A filter given to ``run(..., listen=[...])`` has such a mailbox from the very start.

    Args:
        topic: a topic filter, or several: whichever comes first.
        timeout: seconds on the run's clock; None waits for ever.
        default: the value after a time-out; without it a time-out is a `TimeoutError`.
        buffered: keep signals that come while the workflow does not listen.
        with_topic: be worth ``(topic, payload)``.
        many: be worth a list of all signals that have come, at least one; with a mailbox that is
            one step for as many as lie there.

    Raises:
        TimeoutError: nothing came in time, and there is no default.
        InvalidTopicError: a filter is not valid.
        NoConnectorError: the engine has no connector.

    Example:
        >>> recv("door/+", timeout=5, default="nobody came")
        recv('door/+', 5, default='nobody came')
    """
    options: dict[str, Any] = {}
    if default is not _NO_DEFAULT:
        options["default"] = default
    if with_topic:
        options["with_topic"] = True
    if many:
        options["many"] = True
    if buffered:
        options["buffered"] = True
    task = _RECV_BUFFERED if buffered else _RECV
    return LazyResult(task, (topic,) if timeout is None else (topic, timeout), options)


def send(topic: str, payload: Any, *, retain: bool = False, qos: int = 0) -> Any:
    """Publish a signal; be worth None.

    Args:
        topic: a topic without wildcards.
        payload: what to say.
        retain: keep it for those who listen later; an empty payload clears it.
        qos: 0, 1 or 2.

    Raises:
        InvalidTopicError: the topic is not valid.
        NoConnectorError: the engine has no connector.
    """
    return LazyResult(_SEND, (topic, payload), {"retain": retain, "qos": qos})


async def _recv(
    topic: str | Sequence[str],
    timeout: float | None = None,
    *,
    buffered: bool = False,
    default: Any = _NO_DEFAULT,
    with_topic: bool = False,
    many: bool = False,
    connector: Connector = inject("_internal_connector"),
    run: Run = inject("_run"),
) -> Any:
    mailbox = run.mailbox(topic) if type(topic) is tuple else None  # as in most turns of an agent
    if mailbox is None:
        filters = as_filters(topic)
        mailbox = await run.open_mailbox(filters) if buffered else run.mailbox(filters)
    if mailbox is None:
        signal = await next_signal(connector, filters, timeout)
    else:
        signal = mailbox.take()
        if signal is None:
            signal = await mailbox.arrival(timeout, run.loop)
            run.has_waited()
    if signal is None:
        return _missed(topic, timeout, default)
    if not many:
        return signal if with_topic else signal[1]
    signals = [signal] if mailbox is None else [signal, *mailbox.take_all()]
    return signals if with_topic else [payload for _, payload in signals]


def _missed(topic: str | Sequence[str], timeout: float | None, default: Any) -> Any:
    """Give the default where nothing came, or raise."""
    if default is not _NO_DEFAULT:
        return default
    raise TimeoutError(
        f"no signal on {' or '.join(map(repr, as_filters(topic)))} within {timeout:g} s"
    )


async def _open_mailbox(run: Run, lazy: LazyResult[Any]) -> None:
    """Open the mailbox of a call as soon as the run sees it, unless its topic is yet to be worked out."""
    topic = lazy.args[0]
    if isinstance(topic, (str, list, tuple)) and not find_lazies(
        LazyResult(lazy.task, (topic,), {})
    ):
        await run.open_mailbox(as_filters(topic))


async def _send(
    topic: str,
    payload: Any,
    *,
    retain: bool,
    qos: int,
    connector: Connector = inject("_internal_connector"),
) -> None:
    await connector.publish(topic, payload, qos=qos, retain=retain)


_RECV: Task[..., Any] = Task(_recv, name="recv")
_RECV_BUFFERED: Task[..., Any] = Task(_recv, name="recv", prepare=_open_mailbox)
_SEND: Task[..., Any] = Task(_send, name="send")
