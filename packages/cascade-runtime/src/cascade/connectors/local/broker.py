"""The broker: who subscribes to what, what is retained, and so where a message goes.

Exact filters lie in a dict, wildcards in a trie; each event loop keeps the routes it has used, so
a publish costs the subscriptions it reaches and not those that exist.
"""

from __future__ import annotations

import asyncio
import threading
from itertools import count
from operator import attrgetter
from typing import Any

from cascade.common.messaging import bus
from cascade.connectors.local.dispatcher import Delivery, Dispatcher, Message, Route
from cascade.connectors.local.subscription import Subscription, SubscriptionOwner
from cascade.interfaces.errors import InvalidTopicError
from cascade.interfaces.protocols import MessageCallback, OverflowPolicy, Payload
from cascade.interfaces.topics import (
    FilterTrie,
    TopicTrie,
    has_wildcard,
    validate_filter,
    validate_topic,
)

__all__ = ["LocalBroker"]

_MAX_ROUTES = 65_536  # topics whose route one loop remembers; past that it begins anew

_by_number = attrgetter("number")


class _Retained:
    """A topic's last payload, and when it came."""

    __slots__ = ("message", "number")

    def __init__(self, message: Message, number: int) -> None:
        self.message = message
        self.number = number


class LocalBroker:
    """Carries messages between the connectors that joined it, within one process.

    Any number of event loops and threads may share a broker; each callback runs on the loop that
    subscribed it.
    """

    def __init__(self) -> None:
        """Make a broker with nothing in it."""
        self._lock = threading.RLock()  # guards the books; reading a known route needs no lock
        self._exact: dict[str, dict[Subscription, None]] = {}
        self._wildcards: FilterTrie[Subscription] = FilterTrie()
        self._subscriptions: dict[Subscription, None] = {}  # in the order they subscribed
        self._numbers = count()
        self._retained: dict[str, _Retained] = {}
        self._retained_tree: TopicTrie[_Retained] = TopicTrie()
        self._dispatchers: dict[asyncio.AbstractEventLoop, Dispatcher] = {}

    @property
    def subscription_count(self) -> int:
        """How many subscriptions there are."""
        return len(self._subscriptions)

    @property
    def retained_count(self) -> int:
        """How many topics have a retained message."""
        return len(self._retained)

    def reset(self) -> None:
        """Forget every subscription and every retained message."""
        with self._lock:
            for subscription in list(self._subscriptions):
                self._end(subscription)
            self._retained.clear()
            self._retained_tree = TopicTrie()

    # --- event loops --------------------------------------------------------------------------

    def dispatcher(self) -> Dispatcher:
        """Return the dispatcher of the loop that runs now."""
        loop = asyncio.get_running_loop()
        found = self._dispatchers.get(loop)
        if found is not None:
            found.thread_id = threading.get_ident()  # a loop may go on in another thread
        else:
            with self._lock:
                for closed in [known for known in self._dispatchers if known.is_closed()]:
                    self._forget_loop(closed)
                found = self._dispatchers[loop] = Dispatcher(loop)
        return found

    def _forget_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take a loop that has ended off the books, with the subscriptions it left behind."""
        ended = self._dispatchers.pop(loop, None)
        if ended is not None:
            ended.inbox.clear()  # whoever waits for room there waits no more
        left = [each for each in self._subscriptions if each.dispatcher.loop is loop]
        for subscription in left:
            subscription.close()
        if left:
            bus.warning("localbus.loop_ended", count=len(left), topic=left[0].topic_filter)

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
        """Work out where a topic goes, and remember it for that dispatcher.

        Raises:
            InvalidTopicError: it is not a topic that can be published.
        """
        validate_topic(topic)
        with self._lock:
            found = [*self._exact.get(topic, ()), *self._wildcards.match(topic)]
            found.sort(key=_by_number)
            if len(self._dispatchers) == 1:
                route = Route(tuple(found), ())
            else:
                route = _route_by_loop(found, dispatcher)
            routes = dispatcher.routes
            if len(routes) >= _MAX_ROUTES:
                routes.clear()
            routes[topic] = route
            return route

    def _routes_changed(self, topic_filter: str) -> None:
        for dispatcher in self._dispatchers.values():
            if has_wildcard(topic_filter):
                dispatcher.routes.clear()
            else:
                dispatcher.routes.pop(topic_filter, None)

    # --- subscriptions ------------------------------------------------------------------------

    def add(
        self,
        topic_filter: str,
        callback: MessageCallback,
        *,
        owner: SubscriptionOwner,
        limit: int,
        overflow: OverflowPolicy,
    ) -> Subscription:
        """Enter a subscription for the loop that runs now; it already holds what is retained for it.

        Raises:
            InvalidTopicError: the filter is not valid, or asks for a shared subscription.
        """
        validate_filter(topic_filter)
        if topic_filter.startswith("$share/"):
            raise InvalidTopicError(topic_filter, "shared subscriptions are not supported", 1)
        dispatcher = self.dispatcher()
        with self._lock:
            subscription = Subscription(
                topic_filter,
                callback,
                dispatcher,
                number=next(self._numbers),
                limit=limit,
                overflow=overflow,
                owner=owner,
            )
            if has_wildcard(topic_filter):
                self._wildcards.add(topic_filter, subscription)
            else:
                self._exact.setdefault(topic_filter, {})[subscription] = None
            self._subscriptions[subscription] = None
            self._routes_changed(topic_filter)
            retained = self._retained_for(topic_filter)
            if retained:
                subscription.hold_retained(retained)
        return subscription

    def remove(self, subscription: Subscription) -> None:
        """Take an ended subscription off the books; doing so again changes nothing."""
        topic_filter = subscription.topic_filter
        with self._lock:
            if subscription not in self._subscriptions:
                return
            del self._subscriptions[subscription]
            if has_wildcard(topic_filter):
                self._wildcards.remove(topic_filter, subscription)
            else:
                same = self._exact[topic_filter]
                del same[subscription]
                if not same:
                    del self._exact[topic_filter]
            self._routes_changed(topic_filter)

    @staticmethod
    def _end(subscription: Subscription) -> None:
        subscription.close()
        loop = subscription.get_loop()
        if not loop.is_closed():
            loop.call_soon_threadsafe(subscription.abandon)

    # --- retained messages --------------------------------------------------------------------

    def retain(self, topic: str, payload: Payload, dispatcher: Dispatcher) -> tuple[Payload, Route]:
        """Keep or clear a topic's last payload; return what live subscribers get, and the route.

        Both happen under one lock, so that a subscription made at the same time on another thread
        gets the message once: as retained, or live.
        """
        with self._lock:
            route = dispatcher.routes.get(topic) or self.route(topic, dispatcher)
            kept = self._retained.get(topic)
            if _clears(payload):
                payload = {}
                if kept is not None:
                    self._retained_tree.remove(topic, self._retained.pop(topic))
            elif kept is not None:
                kept.message, kept.number = (topic, payload), next(self._numbers)
            else:
                entry = self._retained[topic] = _Retained((topic, payload), next(self._numbers))
                self._retained_tree.add(topic, entry)
            return payload, route

    def _retained_for(self, topic_filter: str) -> list[Message]:
        if not has_wildcard(topic_filter):
            exact = self._retained.get(topic_filter)
            return [] if exact is None else [exact.message]
        found = self._retained_tree.match(topic_filter)
        found.sort(key=_by_number)
        return [entry.message for entry in found]


def _route_by_loop(found: list[Subscription], dispatcher: Dispatcher) -> Route:
    """Tell those of the dispatcher's own loop from those of others."""
    by_dispatcher: dict[Dispatcher, list[Subscription]] = {}
    for subscription in found:
        by_dispatcher.setdefault(subscription.dispatcher, []).append(subscription)
    here = tuple(by_dispatcher.pop(dispatcher, ()))
    return Route(here, tuple((other, tuple(theirs)) for other, theirs in by_dispatcher.items()))


def _clears(payload: Any) -> bool:
    """Tell whether a retained payload means "forget the last one"."""
    return payload is None or (isinstance(payload, (bytes, str, dict)) and not payload)
