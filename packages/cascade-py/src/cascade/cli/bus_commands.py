"""``cascade pub`` and ``cascade sub``: look at a bus, and say something on it."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

import typer

from cascade.cli.connecting import Url, connected, run_to_end
from cascade.cli.targets import plain_value

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
        done = asyncio.Event()
        seen = 0

        async def hear(topic: str, payload: Any) -> None:
            nonlocal seen
            if done.is_set():
                return
            seen += 1
            said = json.dumps(payload, ensure_ascii=False, default=repr)
            name = json.dumps(topic, ensure_ascii=False)
            typer.echo(f'{{"topic": {name}, "payload": {said}}}' if as_json else f"{topic} {said}")
            if seen == count:
                done.set()

        async with connected(connector) as bus:
            await bus.subscribe(topics, hear)
            try:
                async with asyncio.timeout(timeout):
                    return await done.wait()
            except TimeoutError:
                return False

    if not run_to_end(show()):
        raise typer.Exit(1)
