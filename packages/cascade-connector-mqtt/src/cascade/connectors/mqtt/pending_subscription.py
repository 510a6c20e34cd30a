"""What is retained for a new subscription: gathered from the network, then handed over in one go."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context, copy_context

from cascade.connectors.local import Subscription
from cascade.connectors.mqtt.subscription_table import FilterOptions
from cascade.interfaces.errors import NotConnectedError
from cascade.interfaces.protocols import Payload
from cascade.interfaces.topics import Filters, matches, shared_filter

__all__ = ["PendingSubscription"]


class PendingSubscription:
    """A subscription on its way: from the request, over the broker's yes, to the last retained message.

    Only one is on its way at a time; so a retained message that comes meanwhile is for this one.

    Attributes:
        filters: what it listens to.
        options: how the broker is asked for them.
        subscription: the subscription, from the broker's yes on. Live messages wait in its queue
            until it has had what is retained.
        heard: how many retained messages have come.
    """

    def __init__(
        self, filters: Filters, options: FilterOptions, admit: Callable[[], Subscription]
    ) -> None:
        """Prepare a subscription, which ``admit`` makes once the broker agrees."""
        self.filters = filters
        self.options = options
        self.subscription: Subscription | None = None
        self.heard = 0
        self._admit = admit
        self._context: Context = copy_context()  # the callback runs in that of its subscriber
        self._retained: dict[str, Payload] = {}

    def accept(self) -> Subscription:
        """Begin to hear; once for all filters, at the first yes of the broker."""
        if self.subscription is None:
            self.subscription = self._context.run(self._admit)
        return self.subscription

    def wants(self, topic: str) -> bool:
        """Return whether a message is for this subscription."""
        filters = [shared_filter(each) or each for each in self.filters]
        return any(matches(topic_filter, topic) for topic_filter in filters)

    def keep(self, topic: str, payload: Payload) -> None:
        """Take a retained message; it may come for more than one of the filters, and counts once."""
        self._retained[topic] = payload
        self.heard += 1

    async def finish(self) -> Subscription:
        """Hand over what was gathered, and wait until the callback is done with it.

        Raises:
            NotConnectedError: the broker has not agreed.
        """
        if self.subscription is None:
            raise NotConnectedError("subscribe")
        await self.subscription.replay(list(self._retained.items()))
        return self.subscription
