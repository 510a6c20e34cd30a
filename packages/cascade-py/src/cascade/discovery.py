"""Agents that find each other: each has a card, retained at ``cascade/agents/<name>/card``.

A card is JSON: ``name``, ``label``, ``topics`` that the agent hears, its ``state``, free ``facts``, and
``status``, the topic where its engine says how it is. An agent puts its card there with `announce` and takes
it away with `withdraw`. Where its process dies it cannot: then the broker says so on ``status``, if the
engine reports, and `find` passes over the card. A durable agent outlives its engine; its card has no
``status``, and stays until the agent takes it away.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec

from cascade.common.messaging import bus
from cascade.interfaces.protocols import Connector
from cascade.interfaces.topics import validate_topic
from cascade.runtime.observation.telemetry import TELEMETRY_TOPIC
from cascade.runtime.state.agent import Frame
from cascade.spec.resource import inject
from cascade.spec.task import Task

__all__ = ["CARDS", "Card", "announce", "card_topic", "find", "read_card", "withdraw"]

CARDS = "cascade/agents/+/card"
"""The filter of all cards."""


@dataclass(frozen=True, slots=True)
class Card:
    """What an agent says of itself."""

    name: str
    label: str = ""
    topics: list[str] = field(default_factory=list)
    state: str = "ready"
    facts: dict[str, Any] = field(default_factory=dict)
    status: str = ""


def card_topic(name: str) -> str:
    """Return where the card of an agent is.

    Raises:
        InvalidTopicError: no agent can have that name.
        ValueError: the name has a ``/``, so that `CARDS` would not find it.

    Examples:
        >>> card_topic("ann")
        'cascade/agents/ann/card'
    """
    topic = CARDS.replace("+", name)
    validate_topic(topic)
    if "/" in name:
        raise ValueError(f"the name of an agent that is to be found has no '/', as {name!r} has")
    return topic


def announce(
    name: str,
    *,
    label: str = "",
    topics: list[str] | None = None,
    state: str = "ready",
    facts: Mapping[str, Any] | None = None,
) -> Any:
    """Return a call that puts an agent's card there, or another one in its place; its value is None.

    Args:
        name: the agent's name.
        label: what kind of agent it is.
        topics: what it hears; by convention also its inbox, ``cs.agent(name)``.
        state: how it is.
        facts: whatever else others should know, as JSON.

    Raises:
        InvalidTopicError: no agent can have that name.
        ValueError: the name has a ``/``.

    Examples:
        >>> import cascade as cs
        >>> bus = cs.LocalBusConnector(cs.LocalBroker())
        >>> card = cs.after(cs.recv(CARDS), announce("ann", facts={"squares": True}))
        >>> cs.run(card, connector=bus)["facts"]
        {'squares': True}
    """
    card = asdict(Card(name, label, list(topics or ()), state, dict(facts or {})))
    del card["status"]  # who announces it knows that
    return _ANNOUNCE(card_topic(name), card)


def withdraw(name: str) -> Any:
    """Return a call that takes an agent's card away; its value is None.

    Raises:
        InvalidTopicError: no agent can have that name.
        ValueError: the name has a ``/``.

    Examples:
        >>> withdraw("ann")
        announce('cascade/agents/ann/card', {})
    """
    return _ANNOUNCE(card_topic(name), {})


async def _announce(
    topic: str,
    card: dict[str, Any],
    frame: Frame = inject("_frame"),
    connector: Connector = inject("_internal_connector"),
) -> None:
    status = frame.run.services.status_topic
    is_durable = frame.run.journal is not None
    if card and status is not None and not is_durable:
        card = {**card, "status": status}
    await connector.publish(topic, card, 1, retain=True)


_ANNOUNCE: Task[..., Any] = Task(_announce, name="announce")


def read_card(topic: str, payload: Any) -> Card | None:
    """Return the card that a message is; None where it says that there is none any more.

    One that is no card is reported, and as good as none.

    Examples:
        >>> read_card("cascade/agents/ann/card", {"name": "ann"}).state
        'ready'
    """
    if not payload:
        return None
    try:
        return msgspec.convert(payload, Card)
    except msgspec.ValidationError as error:
        bus.warning("discovery.no_card", topic=topic, reason=str(error))
        return None


async def find(connector: Connector, name: str = "+", *, label: str | None = None) -> list[Card]:
    """Return the cards of agents that are there, by name.

    Args:
        connector: a connected one.
        name: an agent's name; all if left out.
        label: only those with this label.

    Raises:
        InvalidTopicError: the name is not valid.
        NotConnectedError: the connector is not connected.

    Examples:
        >>> import asyncio
        >>> import cascade as cs
        >>> bus = cs.LocalBusConnector(cs.LocalBroker())
        >>> async def main():
        ...     async with cs.Engine(connector=bus) as engine:
        ...         await engine.run(announce("ann", label="lathe"))
        ...         return [each.name for each in await find(bus, label="lathe")]
        >>> asyncio.run(main())
        ['ann']
    """
    cards: dict[str, Card] = {}
    online: set[str] = set()

    async def take_card(topic: str, payload: Any) -> None:
        card = read_card(topic, payload)
        cards.pop(topic, None)
        if card is not None:
            cards[topic] = card

    async def take_status(topic: str, payload: Any) -> None:
        if isinstance(payload, dict) and payload.get("state") == "online":
            online.add(topic)

    async with AsyncExitStack() as stack:
        for filter_, callback in (
            (f"{TELEMETRY_TOPIC}/+/status", take_status),
            (CARDS.replace("+", name), take_card),
        ):
            handle = await connector.subscribe(filter_, callback)
            stack.push_async_callback(handle.unsubscribe)
    there = [each for each in cards.values() if not each.status or each.status in online]
    return sorted(
        (each for each in there if label is None or each.label == label), key=lambda each: each.name
    )
