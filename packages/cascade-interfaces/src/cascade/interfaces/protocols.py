"""The seams of Cascade, each with the contract that every implementation keeps.

`Connector` is the way in and out, `Executor` (in `executor`) says where a function runs, `Store` (in
`store`) is what durable agents lie in, `Cache` (in `cache`) remembers values, `LazyFactory` makes calls,
`Clock` tells the time. A conformance suite holds every connector to what stands here, another one every
store, and a third one every cache.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from cascade.interfaces.cache import Cache
from cascade.interfaces.executor import Executor, Invocation, Mode
from cascade.interfaces.store import Store

__all__ = [
    "Cache",
    "Clock",
    "Connector",
    "Executor",
    "Invocation",
    "LazyFactory",
    "LeavesWill",
    "MessageCallback",
    "Mode",
    "OverflowPolicy",
    "Payload",
    "Receiver",
    "ServesReceivers",
    "Store",
    "SubscriptionHandle",
]

Payload: TypeAlias = Any
"""What a message carries. In memory any object, passed by reference: treat it as frozen."""

MessageCallback: TypeAlias = Callable[[str, Payload], Coroutine[Any, Any, None]]
"""An ``async def callback(topic, payload)``."""

OverflowPolicy: TypeAlias = Literal["wait", "drop_oldest", "drop_newest", "error"]
"""What a full queue does with one message more."""


@runtime_checkable
class SubscriptionHandle(Protocol):
    """What `Connector.subscribe` gives back."""

    async def unsubscribe(self) -> None:
        """End the subscription; once this returns, the callback is not called again.

        A callback in flight is cancelled and awaited, unless it is the caller itself. Calling
        this again does nothing.
        """


@runtime_checkable
class Connector(Protocol):
    """The way in and out of an engine: publish and subscribe with MQTT semantics.

    Order: each subscription receives in the order published, one callback at a time; matching
    subscriptions are served in the order they subscribed. A publish made inside a callback is
    delivered after the message being delivered, to everyone.

    Delivery: a slow callback delays no other subscription, and not the publisher until its own
    queue is full; then any publisher waits but a callback itself, whose publishing could close a
    cycle. A publish that is cancelled while it waits has reached the subscriptions already served,
    the full one among them, and no other. Callbacks that answer each other for ever let the event
    loop have its turns: a publish returns when its own message has been delivered.

    Errors: what a callback raises is reported through the message bus as ``localbus.callback_error``
    or ``localbus.retained_callback_error``, and the subscription lives on.

    Re-entrancy: a callback may publish, subscribe, unsubscribe itself or disconnect, on the same
    connector or on another.

    Over a network this is weaker: there is no order between the subscriptions of different
    connectors, nor between publishers; retained messages come in the broker's order, and before
    `subscribe` returns as far as the broker sends them right behind its answer; where a connection
    breaks, a message of QoS 1 may come twice and one of QoS 0 not at all; payloads are copies; and
    a connector belongs to the event loop that connected it.
    """

    @property
    def connected(self) -> bool:
        """Whether `connect` was called and `disconnect` was not called since."""

    async def connect(self) -> None:
        """Open the connection. Calling it again does nothing."""

    async def disconnect(self) -> None:
        """End all subscriptions made through this connector, then the connection; idempotent."""

    async def publish(
        self, topic: str, payload: Payload, qos: int = 0, retain: bool = False
    ) -> None:
        """Hand a message to everyone whose filter matches.

        Args:
            topic: a topic name without wildcards.
            payload: what to say.
            qos: 0, 1 or 2 (MQTT 5.0 §4.3); in memory every delivery is exactly once.
            retain: keep it as the topic's last payload, for subscribers that come later;
                ``None``, ``b""``, ``""`` or ``{}`` clears it, and reaches live subscribers as ``{}``.

        Raises:
            InvalidTopicError: the topic is not a valid topic name.
            NotConnectedError: the connector is not connected.
            QueueFullError: a matching subscription is full and its policy is ``error``.
            PayloadError: the transport cannot carry the payload.
            BrokerRefusedError: a broker does not take the message.
            BrokerUnavailableError: the way to a broker was closed for too long.
            ValueError: qos is not 0, 1 or 2.
        """

    async def subscribe(
        self, topic: str | Sequence[str], callback: MessageCallback
    ) -> SubscriptionHandle:
        """Call a callback for every message that matches a filter, or one of several.

        A message that matches more than one of the filters comes once.

        Every retained match is handed over before this returns, oldest first; a live message that
        arrives meanwhile comes after, once.

        Args:
            topic: a topic filter, or a list or tuple of them; ``+`` stands for one level, ``#`` for
                the rest and its parent. ``$share/<group>/<filter>``, which stands alone, gives each
                message to one member of the group and nothing that is retained.
            callback: ``async (topic, payload)``, run on the event loop that subscribed.

        Raises:
            TypeError: the callback is no async function.
            InvalidTopicError: the filter is not a valid one, or a shared one is not alone.
            NotConnectedError: the connector is not connected.
            BrokerRefusedError: a broker does not allow the subscription.
            BrokerUnavailableError: the way to a broker was closed for too long.
        """


@runtime_checkable
class LeavesWill(Protocol):
    """A connector whose broker can say something in the place of who dies."""

    def offer_will(self, topic: str, payload: Payload) -> None:
        """Have the broker publish this, retained, if the connection that is made next dies.

        One that has a will of its own keeps that.

        Args:
            topic: a topic name without wildcards.
            payload: what to say.
        """


class Receiver(Protocol):
    """What takes messages inside their delivery, as a plain function that waits for nothing.

    The engine's mailboxes are such receivers: an agent that waits goes on inside the delivery of its
    signal, at its mailbox's place among the subscriptions.
    """

    @property
    def queue(self) -> Any:
        """What it keeps messages in, a `cascade.runtime.concurrency.bounded_queue.BoundedQueue`, or None."""

    def accept(self, message: tuple[str, Payload], is_over: Callable[[], bool]) -> bool:
        """Take a message; False says that the queue is full, and its publisher has to wait.

        Args:
            message: topic and payload; the very same to all whom this delivery reaches.
            is_over: tells whether this delivery has had its time, so that whoever the message wakes
                goes on in the next turn of the event loop.
        """

    def backlog(self) -> int | None:
        """Return how many messages lie before the next one; None where it takes none just now."""


@runtime_checkable
class ServesReceivers(Protocol):
    """A connector that hands messages to a `Receiver` without a task of its own for each subscription."""

    async def subscribe_receiver(
        self, topic: str | Sequence[str], receiver: Receiver
    ) -> SubscriptionHandle:
        """Do as `Connector.subscribe`, for a receiver."""


class LazyFactory(Protocol):
    """Makes calls: a task, or anything that a provider puts under ``cs.``."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the call; compute nothing."""

    def map(self, *iterables: Any, **fixed: Any) -> Any:
        """Return the call of this for each item; compute nothing."""


class Clock(Protocol):
    """The run's clock: the event loop's, real or simulated."""

    def time(self) -> float:
        """Return the time in seconds since an arbitrary start; it never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Suspend for that many seconds of this clock."""
