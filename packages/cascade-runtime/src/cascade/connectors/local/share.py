"""Shared subscriptions: each message goes to one member of a group (MQTT 5.0 §4.8.2).

On the books a group stands like a subscription. In a route it is a recipient, one for each event
loop that publishes, which hands every message on to the member that has least to do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from cascade.connectors.local.callback_task import CallbackTask
from cascade.connectors.local.direct import DirectRecipient
from cascade.connectors.local.dispatcher import Dispatcher
from cascade.connectors.local.message import IDLE, Message
from cascade.connectors.local.recipient import AnyRecipient, Delivery
from cascade.connectors.local.subscription import Subscription
from cascade.runtime.concurrency.current_task import current_tasks

__all__ = ["GroupRecipient", "ShareGroup"]


class ShareGroup:
    """Those who share the messages of one filter.

    Attributes:
        number: place in the order of all subscriptions of the broker: that of the first member.
        members: the subscriptions; replaced and never changed, since other threads look at it.
        post: leaves a message at another loop.
    """

    __slots__ = ("_recipients", "_turn", "members", "number", "post")

    def __init__(self, number: int, post: Callable[[Dispatcher, Delivery], None]) -> None:
        """Begin without members."""
        self.number = number
        self.members: tuple[Subscription, ...] = ()
        self._recipients: dict[Dispatcher, GroupRecipient] = {}
        self.post = post
        self._turn = 0

    def recipient(self, dispatcher: Dispatcher) -> GroupRecipient:
        """Return what takes the messages that a loop publishes; to be asked under the broker's lock."""
        found = self._recipients.get(dispatcher)
        if found is None:
            found = self._recipients[dispatcher] = GroupRecipient(self, dispatcher)
        return found

    def choose(self) -> Subscription | None:
        """Return the member that waits, else the one with the shortest queue; equals take turns."""
        members = self.members
        best, shortest = None, None
        for step in range(len(members)):
            member = members[(self._turn + step) % len(members)]
            backlog = member.backlog()
            if backlog is not None and (shortest is None or backlog < shortest):
                best, shortest = self._turn + step, backlog
                if not backlog:
                    break
        if best is None:
            return None
        self._turn = (best + 1) % len(members)
        return members[best % len(members)]

    def join(self, subscription: Subscription) -> None:
        """Take a member in."""
        self.members += (subscription,)
        subscription.pass_on = self.pass_on

    def leave(self, subscription: Subscription) -> None:
        """Let a member go; what it left unread may still be passed on."""
        self.members = tuple([each for each in self.members if each is not subscription])

    def pass_on(self, messages: Collection[Message]) -> int:
        """Give to others what a member left; return how many messages found one."""
        for number, message in enumerate(messages):
            if not self.members:
                return number
            dispatcher = self.members[0].dispatcher
            self.post(dispatcher, (message, (self.recipient(dispatcher),)))
        return len(messages)


class GroupRecipient(AnyRecipient):
    """A group as a recipient of what one event loop publishes."""

    __slots__ = ("_dispatcher", "_group", "_runs", "queue", "send")

    _runs: CallbackTask | DirectRecipient
    queue: None
    send: None

    def __init__(self, group: ShareGroup, dispatcher: Dispatcher) -> None:
        """Hand on the messages of that loop."""
        self._group = group
        self._dispatcher = dispatcher
        self.queue = None  # each member has one
        self.send = None

    def run(self, _send: None, message: Message) -> Any:
        """Hand a message to one member: at once, or through the inbox of its loop."""
        subscription = self._group.choose()
        if subscription is None:
            return IDLE
        dispatcher = self._dispatcher
        task = subscription.recipient()
        if subscription.dispatcher is not dispatcher:
            self._group.post(subscription.dispatcher, (message, (task,)))
            if subscription.dispatcher.inbox.over_capacity():
                dispatcher.over_capacity.append((subscription.dispatcher.inbox, message))
            if task.queue is not None and task.applies_back_pressure():
                dispatcher.over_capacity.append((task.queue, message))
            return IDLE
        self._runs = current_tasks[dispatcher.loop] = task
        return task.run(task.send, message)

    def suspend(self, waits_for: Any) -> None:
        """Let the member that has the message go on with the event loop."""
        self._runs.suspend(waits_for)
