"""What goes wrong between connectors, brokers and topics."""

from __future__ import annotations

from collections.abc import Mapping

from cascade.interfaces.errors.base import CascadeError

__all__ = [
    "BrokerRefusedError",
    "BrokerUnavailableError",
    "ConnectorError",
    "InvalidTopicError",
    "MailboxFullError",
    "NoConnectorError",
    "NotConnectedError",
    "PayloadError",
    "QueueFullError",
    "UnsuitableLoopError",
    "WrongLoopError",
]

_SHOWN_TOPIC = 80  # characters: a topic may have 65,535 bytes, and its beginning tells enough


class InvalidTopicError(CascadeError, ValueError):
    """A topic name or topic filter that MQTT 5.0 §4.7 does not allow.

    Attributes:
        topic: what was given.
        level: number of the offending level, counted from 1; None where the whole is wrong.
        reason: what is wrong, in a few words.
    """

    def __init__(self, topic: object, reason: str, level: int | None = None) -> None:
        """Say what is wrong with ``topic``, and at which level."""
        where = "" if level is None else f" at level {level}"
        long = isinstance(topic, str) and len(topic) > _SHOWN_TOPIC
        shown = f"{topic[:_SHOWN_TOPIC]}…" if long else topic  # type: ignore[index] # long says it is a str
        super().__init__(f"invalid topic {shown!r}{where}: {reason}")
        self.topic = topic
        self.level = level
        self.reason = reason


class ConnectorError(CascadeError, RuntimeError):
    """Something about a connector."""


class NotConnectedError(ConnectorError):
    """Publishing or subscribing through a connector that is not connected."""

    def __init__(self, action: str) -> None:
        """Name the action that needs a connection."""
        super().__init__(
            f"cannot {action}: the connector is not connected; call 'await connector.connect()' first"
        )
        self.action = action


class QueueFullError(ConnectorError):
    """A subscription with the overflow policy ``error`` has no room for the message.

    Attributes:
        topic: the published topic.
        topic_filter: the filter of the subscription that is full.
        limit: how many messages that subscription holds.
    """

    def __init__(self, topic: str, topic_filter: str, limit: int) -> None:
        """Name the message that found no room, and the subscription."""
        super().__init__(
            f"message on {topic!r} refused: the subscription to {topic_filter!r} already holds "
            f"{limit} messages; make its callback faster, raise max_queued or choose another overflow policy"
        )
        self.topic = topic
        self.topic_filter = topic_filter
        self.limit = limit


class MailboxFullError(ConnectorError):
    """An agent waits for a signal while its mailbox is full of others that it does not take.

    Attributes:
        topic_filter: the filter whose share is full.
        limit: how many signals that share holds.
        counts: how many wait, by filter.
    """

    def __init__(self, topic_filter: str, limit: int, counts: Mapping[str, int]) -> None:
        """Name the filters, and how many signals wait on each."""
        waiting = ", ".join(f"{count} on {name!r}" for name, count in counts.items())
        super().__init__(
            f"the mailbox is full: {limit} signals on {topic_filter!r} that no recv takes ({waiting}); "
            "take them, do not listen to them, or raise max_queued"
        )
        self.topic_filter = topic_filter
        self.limit = limit
        self.counts = dict(counts)


class NoConnectorError(ConnectorError):
    """A task wants to hear or speak, and the engine has no connector."""

    def __init__(self) -> None:
        """Say how to configure one."""
        super().__init__(
            "this engine has no connector, so recv and send have nowhere to go; "
            "give it one: Engine(connector=LocalBusConnector()) or run(..., connector=LocalBusConnector())"
        )


class WrongLoopError(ConnectorError):
    """A connector that belongs to one event loop, used on another."""

    def __init__(self, action: str) -> None:
        """Name what was tried."""
        super().__init__(
            f"cannot {action} here: this connector was connected on another event loop; give each loop "
            "a connector of its own, or hand the work over with asyncio.run_coroutine_threadsafe"
        )
        self.action = action


class UnsuitableLoopError(ConnectorError):
    """An event loop that cannot watch sockets, as the one that asyncio starts on Windows by default."""

    def __init__(self) -> None:
        """Say which loop can."""
        super().__init__(
            "this event loop cannot watch a socket; run the program on another one: "
            "asyncio.Runner(loop_factory=asyncio.SelectorEventLoop), or on Windows "
            "asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy()) before it starts"
        )


class PayloadError(ConnectorError, ValueError):
    """A payload that the transport cannot carry.

    Attributes:
        topic: where it was to be published.
        reason: what is wrong with it.
    """

    def __init__(self, topic: str, reason: str) -> None:
        """Name the topic, and say why."""
        super().__init__(f"the payload for {topic!r} cannot be sent: {reason}")
        self.topic = topic
        self.reason = reason


class BrokerUnavailableError(ConnectorError):
    """There is no connection to the broker, and waiting for one took too long.

    Attributes:
        action: what was to be done.
        address: host and port of the broker.
        reason: what the last attempt ended with.
    """

    def __init__(self, action: str, address: str, reason: str) -> None:
        """Say what was to be done, where, and why it could not."""
        super().__init__(
            f"cannot {action}: no connection to the broker at {address} ({reason}); "
            "check that it runs and can be reached, or wait longer"
        )
        self.action = action
        self.address = address
        self.reason = reason


class BrokerRefusedError(ConnectorError):
    """The broker answered, and its answer is no.

    Attributes:
        action: what was refused.
        code: the reason code, MQTT 5.0 §2.4 (MQTT 3.1.1 has fewer).
        reason: its name.
    """

    def __init__(self, action: str, code: int, reason: str) -> None:
        """Name what was refused, and the broker's reason."""
        super().__init__(
            f"the broker refused to let us {action}: {reason} (reason code {code:#04x}); "
            "check user name, password and the broker's access rules"
        )
        self.action = action
        self.code = code
        self.reason = reason
