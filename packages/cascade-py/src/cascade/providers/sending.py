"""``cs.send``: how a workflow speaks, and ``cs.agent``: to whom by name."""

from __future__ import annotations

from collections.abc import Awaitable
from types import CoroutineType
from typing import Any

from cascade.interfaces.protocols import Connector
from cascade.interfaces.topics import inbox_of, validate_topic
from cascade.spec.resource import inject
from cascade.spec.task import Task

__all__ = ["agent", "send"]


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

    Examples:
        >>> send("door", {"open": True}, retain=True)
        send('door', {'open': True}, retain=True, qos=0)
    """
    return _SEND(topic, payload, retain, qos)


def agent(name: str) -> str:
    """Return the topic of an agent's inbox: ``cs.send(cs.agent("monday"), ...)`` speaks to it by name.

    The agent hears it with ``cs.recv(cs.agent("monday"))``.

    Raises:
        InvalidTopicError: no agent can have that name.

    Examples:
        >>> agent("monday")
        'cascade/agents/monday/inbox'
    """
    topic = inbox_of(name)
    validate_topic(topic)
    return topic


# It is called once for each turn of an agent: all arguments by position, and no coroutine where none
# is needed.


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


def _send_as_written(args: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    topic, payload, retain, qos = args
    return (topic, payload), {"retain": retain, "qos": qos}


_SEND: Task[..., Any] = Task(
    _send, name="send", mode="inline", as_written=_send_as_written, role="builtin"
)
