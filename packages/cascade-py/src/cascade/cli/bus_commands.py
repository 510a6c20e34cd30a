"""``cascade pub`` and ``cascade sub``: look at a bus, and say something on it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from cascade.cli.connecting import Url, connected, run_to_end
from cascade.cli.json_text import json_text_of_any
from cascade.cli.output import say
from cascade.common.messaging.printable import printable
from cascade.spec.inputs import plain_value

__all__ = ["pub", "sub"]


def pub(
    topic: Annotated[str, typer.Argument(help="A topic without wildcards.")],
    payload: Annotated[str, typer.Argument(help="JSON, or else taken as text; empty clears.")],
    connector: Url,
    retain: Annotated[
        bool, typer.Option("--retain", "-r", help="Keep it for those to come.")
    ] = False,
    qos: Annotated[int, typer.Option(min=0, max=2, help="0, 1 or 2.")] = 0,
) -> None:
    """Publish one message."""

    async def publish() -> None:
        async with connected(connector) as bus:
            await bus.publish(topic, plain_value(payload), qos, retain)

    run_to_end(publish())


def sub(
    topics: Annotated[list[str], typer.Argument(help="Topic filters; + and # are wildcards.")],
    connector: Url,
    count: Annotated[
        int | None, typer.Option("--count", "-n", min=1, help="End after so many messages.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(min=0, help="End after so many seconds, with status 1.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON object for each message.")
    ] = False,
) -> None:
    """Show messages as they come, a line each."""

    async def show() -> bool:
        heard: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

        async def hear(topic: str, payload: Any) -> None:
            heard.put_nowait((topic, payload))

        async with connected(connector) as bus:
            await bus.subscribe(topics, hear)
            seen = 0
            try:
                async with asyncio.timeout(timeout):
                    while count is None or seen < count:
                        say(_line(*await heard.get(), as_json=as_json))
                        seen += 1
            except TimeoutError:
                return False
        return True

    if not run_to_end(show()):
        raise typer.Exit(1)


def _line(topic: str, payload: Any, *, as_json: bool) -> str:
    said = json_text_of_any(payload)
    if as_json:
        return f'{{"topic": {json_text_of_any(topic)}, "payload": {said}}}'
    return f"{printable(topic)} {said}"
