"""One function for each way to publish in one process: it subscribes, and returns what publishes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from cascade.connectors.local import LocalBroker, LocalBusConnector

Send = Callable[[list[str]], Awaitable[None]]
"""Publishes to each of the topics, and returns when the callbacks have run."""


def _heard() -> Callable[[str, Any], None]:
    def heard(_topic: str, _payload: Any) -> None:
        """Be the cheapest callback there is; a new one each time, since some packages drop doubles."""

    return heard


def _awaited() -> Callable[[str, Any], Awaitable[None]]:
    async def awaited(_topic: str, _payload: Any) -> None:
        """Be the cheapest callback that is awaited."""

    return awaited


async def floor(_module: Any, filters: list[str]) -> Send:
    """Subscribe to the filters; return what publishes."""
    awaited = _awaited()
    many = range(len(filters))

    async def publish(topic: str, payload: Any) -> None:
        await awaited(topic, payload)

    async def send(topics: list[str]) -> None:
        for topic in topics:
            await publish(topic, 1)

    async def send_to_many(topics: list[str]) -> None:
        for topic in topics:
            for _ in many:
                await awaited(topic, 1)

    return send_to_many if len(set(filters)) < len(filters) else send


async def cascade(_module: Any, filters: list[str]) -> Send:
    """Subscribe to the filters; return what publishes."""
    connector = LocalBusConnector(LocalBroker())
    await connector.connect()
    for each in filters:
        await connector.subscribe(each, _awaited())

    async def send(topics: list[str]) -> None:
        for topic in topics:
            await connector.publish(topic, 1)

    return send


async def aiosignal(module: Any, filters: list[str]) -> Send:
    """Subscribe to the filters; return what publishes."""
    signal = module.Signal("owner")
    signal.extend(_awaited() for _ in filters)
    signal.freeze()

    async def send(topics: list[str]) -> None:
        for topic in topics:
            await signal.send(topic, 1)

    return send


async def blinker(module: Any, filters: list[str]) -> Send:
    """Subscribe to the filters; return what publishes."""
    signal = module.Signal()
    for _ in filters:
        signal.connect(lambda _sender, payload: None, weak=False)  # noqa: ARG005 - it is the payload's name

    async def send(topics: list[str]) -> None:
        for topic in topics:
            signal.send(topic, payload=1)

    return send


async def blinker_async(module: Any, filters: list[str]) -> Send:
    """Subscribe to the filters; return what publishes."""
    signal = module.Signal()

    def receiver() -> Callable[..., Awaitable[None]]:
        async def awaited(_sender: str, payload: Any) -> None:
            """Be called with the payload by name."""

        return awaited

    for _ in filters:
        signal.connect(receiver(), weak=False)

    async def send(topics: list[str]) -> None:
        for topic in topics:
            await signal.send_async(topic, payload=1)

    return send


async def pyee(module: Any, filters: list[str]) -> Send:
    """Subscribe to the filters; return what publishes."""
    emitter = module.EventEmitter()
    for each in filters:
        emitter.on(each, _heard())

    async def send(topics: list[str]) -> None:
        for topic in topics:
            emitter.emit(topic, topic, 1)

    return send


async def pyee_async(module: Any, filters: list[str]) -> Send:
    """Subscribe to the filters; return what publishes."""
    emitter = module.AsyncIOEventEmitter()
    for each in filters:
        emitter.on(each, _awaited())

    async def send(topics: list[str]) -> None:
        for topic in topics:
            emitter.emit(topic, topic, 1)
            await asyncio.sleep(0)
        await emitter.wait_for_complete()

    return send


async def eventkit(module: Any, filters: list[str]) -> Send:
    """Subscribe to the filters; return what publishes."""
    event = module.Event()
    for _ in filters:
        event.connect(_heard(), keep_ref=True)

    async def send(topics: list[str]) -> None:
        for topic in topics:
            event.emit(topic, 1)

    return send


async def eventkit_async(module: Any, filters: list[str]) -> Send:
    """Subscribe to the filters; return what publishes."""
    event = module.Event()
    for _ in filters:
        event.connect(_awaited(), keep_ref=True)

    async def send(topics: list[str]) -> None:
        for topic in topics:
            event.emit(topic, 1)
            await asyncio.sleep(0)

    return send


def _key(module: Any, topic: str) -> Any:
    return module.Key(*topic.replace("+", "*").replace("#", "*").split("/"))


async def aiopubsub(module: Any, filters: list[str]) -> Send:
    """Subscribe to the filters; return what publishes."""
    local_broker = module.Hub()
    for each in filters:
        local_broker.add_subscriber(_key(module, each), _heard())

    async def send(topics: list[str]) -> None:
        for topic in topics:
            local_broker.publish(module.Key(*topic.split("/")), 1)

    return send


async def paho(module: Any, filters: list[str]) -> Send:
    """Subscribe to the filters; return what publishes."""
    matcher = module.MQTTMatcher()
    for each in filters:
        matcher[each] = _heard()

    async def send(topics: list[str]) -> None:
        for topic in topics:
            for heard in matcher.iter_match(topic):
                heard(topic, 1)

    return send
