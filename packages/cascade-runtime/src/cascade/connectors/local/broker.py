"""The broker: who subscribes to what, what is retained, and so where a message goes.

Each event loop keeps the routes it has used, so a publish costs the subscriptions it reaches and
not those that exist.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from threading import RLock, get_ident

from cascade.common.messaging import bus
from cascade.connectors.local.dispatcher import Dispatcher, Route
from cascade.connectors.local.filters import FilterBook, Listener
from cascade.connectors.local.recipient import AnyRecipient, Delivery, Recipients
from cascade.connectors.local.retained import RetainedMessages
from cascade.connectors.local.share import ShareGroup
from cascade.connectors.local.subscription import Subscription
from cascade.connectors.local.tap import Observer, Tap
from cascade.interfaces.payloads import clears
from cascade.interfaces.protocols import MessageCallback, OverflowPolicy, Payload, Receiver
from cascade.interfaces.topics import Filters, validate_filters, validate_topic
from cascade.runtime.concurrency.bounded_queue import DEFAULT_LIMIT

__all__ = ["LocalBroker"]

_MAX_ROUTES = 65_536  # topics whose route one loop remembers; past that it begins anew


class LocalBroker:
    """Carries messages between the connectors that joined it, within one process.

    Any number of event loops and threads may share one; each callback runs on the loop that subscribed.

    A connector to a network broker keeps one of its own for what arrives: `add` and `remove` its
    subscriptions, find the `recipients` of a topic, look at their queues, `deliver_to` them, and
    `Subscription.replay` what is retained.

    Examples:
        >>> import cascade as cs
        >>> broker = LocalBroker()
        >>> here, there = (cs.LocalBusConnector(broker=broker) for _ in range(2))  # these two hear each other
    """

    def __init__(self) -> None:
        """Make a broker with nothing in it."""
        self._lock = RLock()  # guards the books; reading a known route needs no lock
        self._filters = FilterBook(self.post)
        self._subscriptions: dict[Subscription, None] = {}  # in the order they subscribed
        self._taps: dict[Subscription, None] = {}
        self._numbers = count()
        self._retained = RetainedMessages()
        self._dispatchers: dict[asyncio.AbstractEventLoop, Dispatcher] = {}

    @property
    def subscription_count(self) -> int:
        """How many subscriptions there are."""
        return len(self._subscriptions)

    @property
    def retained_count(self) -> int:
        """How many topics have a retained message."""
        return len(self._retained.by_topic)

    def reset(self) -> None:
        """Forget every subscription and every retained message."""
        with self._lock:
            for subscription in (*self._subscriptions, *self._taps):
                subscription.close()
                subscription.abandon()
            self._retained = RetainedMessages()

    # --- messages -----------------------------------------------------------------------------

    def recipients(self, topic: str) -> Recipients:
        """Return those of the loop that runs now whom a topic reaches.

        Raises:
            InvalidTopicError: it is not a topic that can be published.
        """
        dispatcher = self.dispatcher()
        local = dispatcher.routes.get(topic)
        return self.route(topic, dispatcher)[0] if local is None else local

    def deliver_to(self, topic: str, payload: Payload, recipients: Recipients) -> None:
        """Deliver a message to recipients of the loop that runs now."""
        dispatcher = self.dispatcher()
        if recipients:
            dispatcher.deliver((topic, payload), recipients)
            if dispatcher.over_capacity:
                dispatcher.over_capacity.report()

    def retain(self, topic: str, payload: Payload, dispatcher: Dispatcher) -> tuple[Payload, Route]:
        """Keep or clear a topic's last payload; return what live subscribers get, and the route.

        Both happen under one lock, so that a subscription made at the same time on another thread
        gets the message once: as retained, or live.
        """
        with self._lock:
            route = self.route(topic, dispatcher)
            if clears(payload):
                payload = {}
                self._retained.discard(topic)
            else:
                self._retained.keep((topic, payload))
            return payload, route

    # --- subscriptions ------------------------------------------------------------------------

    def add(
        self,
        filters: Filters,
        callback: MessageCallback | Receiver,
        *,
        limit: int,
        overflow: OverflowPolicy,
        on_close: Callable[[Subscription], None],
        is_direct: bool = False,
        hold: bool = False,
        routed: bool = True,
    ) -> Subscription:
        """Enter a subscription of the loop that runs now; it already holds what is retained for it.

        Args:
            filters: what it listens to.
            callback: what it runs for each message, or the receiver that takes it.
            limit: messages that wait for the callback at most.
            overflow: what happens to one more.
            on_close: called when the subscription ends; it has to call `remove`.
            is_direct: it is a receiver, which keeps its own bounds.
            hold: keep live messages waiting until `Subscription.replay`.
            routed: False has it receive only what `deliver_to` names it for.

        Raises:
            InvalidTopicError: a filter is not valid, or a shared one is not alone.
        """
        validate_filters(filters)
        dispatcher = self.dispatcher()
        with self._lock:
            subscription = Subscription(
                filters,
                callback,
                dispatcher,
                number=next(self._numbers),
                limit=limit,
                overflow=overflow,
                on_close=on_close,
                is_direct=is_direct,
            )
            if routed:
                self._subscriptions[subscription] = None
                self._forget_routes(self._filters.add(subscription))
            if hold or self._retained.by_topic:
                retained = self._retained.match(filters)
                if hold or retained:
                    subscription.recipient().hold_retained(retained)
        return subscription

    def remove(self, subscription: Subscription) -> None:
        """Take an ended subscription off the books; doing so again changes nothing."""
        with self._lock:
            if subscription not in self._subscriptions:
                return
            del self._subscriptions[subscription]
            self._forget_routes(self._filters.remove(subscription))

    def tap(self, observe: Observer) -> Subscription:
        """Call a function with every message published from now on, before anybody else (a wire tap).

        It sees topics that begin with ``$`` too, which no filter matches all of; retained messages
        of earlier are not shown. For those who record or trace; the loop that runs now calls it, inside
        the delivery, so that what it raises ends up at the publisher.
        """
        dispatcher = self.dispatcher()
        with self._lock:
            tap = Subscription(
                (),
                Tap(observe),
                dispatcher,
                number=-1,
                limit=DEFAULT_LIMIT,
                overflow="wait",
                on_close=self.remove_tap,
                is_direct=True,
            )
            self._taps[tap] = None
            self._forget_routes()
        return tap

    def remove_tap(self, tap: Subscription) -> None:
        """Take a tap off the books; doing so again changes nothing."""
        with self._lock:
            if self._taps.pop(tap, self) is not self:
                self._forget_routes()

    # --- event loops --------------------------------------------------------------------------

    def dispatcher(self) -> Dispatcher:
        """Return the dispatcher of the loop that runs now."""
        loop = asyncio.get_running_loop()
        found = self._dispatchers.get(loop)
        if found is not None:
            found.thread_id = get_ident()  # a loop may go on in another thread
        else:
            with self._lock:
                for closed in [known for known in self._dispatchers if known.is_closed()]:
                    self._forget_loop(closed)
                found = self._dispatchers[loop] = Dispatcher(loop, self.route)
        return found

    def _forget_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take a loop that has ended off the books, with the subscriptions it left behind."""
        ended = self._dispatchers.pop(loop, None)
        if ended is not None:
            ended.inbox.clear()  # whoever waits for capacity there waits no more
        known = (*self._subscriptions, *self._taps)
        left = [each for each in known if each.dispatcher.loop is loop]
        for subscription in left:
            subscription.close()
        if left:
            bus.warning("connector.loop_ended", count=len(left), topic=", ".join(left[0].filters))

    def post(self, target: Dispatcher, delivery: Delivery) -> None:
        """Leave a message at the dispatcher of another loop."""
        try:
            target.post(delivery)
        except RuntimeError:  # its loop is closed: what subscribed there can never run again
            if not target.loop.is_closed():
                raise
            with self._lock:
                self._forget_loop(target.loop)

    # --- routes -------------------------------------------------------------------------------

    def route(self, topic: str, dispatcher: Dispatcher) -> Route:
        """Return where a topic goes, seen from that dispatcher, which remembers it.

        Raises:
            InvalidTopicError: it is not a topic that can be published.
        """
        local = dispatcher.routes.get(topic)
        if local is not None:
            return local, ()
        mixed = dispatcher.mixed_routes.get(topic)
        if mixed is not None:
            return mixed
        if topic not in self._filters.exact:  # a filter without wildcards is a valid topic
            validate_topic(topic)
        with self._lock:
            return self._find_route(topic, dispatcher)

    def _find_route(self, topic: str, dispatcher: Dispatcher) -> Route:
        """Work a route out, and have the dispatcher remember it."""
        found = [*self._taps, *self._filters.match(topic)]
        if len(self._dispatchers) == 1:
            route: Route = (tuple([_recipient(each, dispatcher) for each in found]), ())
        else:
            route = _route_by_loop(found, dispatcher)
        local, remote = route
        if len(dispatcher.routes) + len(dispatcher.mixed_routes) >= _MAX_ROUTES:
            dispatcher.routes.clear()
            dispatcher.mixed_routes.clear()
        if remote:
            dispatcher.mixed_routes[topic] = route
        else:
            dispatcher.routes[topic] = local
        return route

    def _forget_routes(self, topics: Filters | None = None) -> None:
        """Have the dispatchers work out anew where some topics go, or all."""
        for dispatcher in self._dispatchers.values():
            routes, mixed_routes = dispatcher.routes, dispatcher.mixed_routes
            if topics is None:
                routes.clear()
                mixed_routes.clear()
                continue
            for topic in topics:
                if topic in routes:
                    del routes[topic]
                elif topic in mixed_routes:
                    del mixed_routes[topic]


def _recipient(listener: Listener, dispatcher: Dispatcher) -> AnyRecipient:
    """Return what takes the messages of one loop for somebody."""
    if isinstance(listener, ShareGroup):
        return listener.recipient(dispatcher)
    return listener.task or listener.recipient()


def _route_by_loop(found: list[Listener], dispatcher: Dispatcher) -> Route:
    """Separate those of the dispatcher's own loop from those of others; a group belongs to each."""
    by_dispatcher: dict[Dispatcher, list[AnyRecipient]] = {}
    for each in found:
        own = dispatcher if isinstance(each, ShareGroup) else each.dispatcher
        by_dispatcher.setdefault(own, []).append(_recipient(each, dispatcher))
    local = tuple(by_dispatcher.pop(dispatcher, ()))
    return local, tuple((other, tuple(theirs)) for other, theirs in by_dispatcher.items())
