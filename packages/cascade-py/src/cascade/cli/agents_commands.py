"""``cascade agents``: look at the durable agents of a store, and decide what becomes of them.

The store alone is opened: no agent is driven, whether an engine drives them or not.
"""

from __future__ import annotations

from typing import Annotated

import typer

from cascade.cli.agent_lines import full, line, lines_in_full, summary
from cascade.cli.connecting import run_to_end
from cascade.cli.json_text import json_text_of_any
from cascade.cli.output import say
from cascade.cli.spans import seconds_from
from cascade.cli.stores import StorePath, load_agent, opened
from cascade.common.messaging.printable import printable
from cascade.interfaces.errors import StoreError
from cascade.interfaces.store import ENDED, AgentStatus
from cascade.runtime.concurrency.clock import unix_time

__all__ = ["agents"]

_PAGE = 1000  # agents that are read at once

agents = typer.Typer(
    no_args_is_help=True, help="Durable agents of a store: look at them, and decide about them."
)

Name = Annotated[str, typer.Argument(help="The agent's name.")]
AsJson = Annotated[bool, typer.Option("--json", help="A JSON object for each agent.")]


@agents.command("list")
def list_agents(
    store: StorePath,
    status: Annotated[AgentStatus | None, typer.Option(help="Those that stand so.")] = None,
    prefix: Annotated[str, typer.Option(help="Those whose names begin so.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show agents by name, a line each: where they are, what they wait for, who drives them."""

    async def show() -> bool:
        after, statuses = "", None if status is None else [status]
        async with opened(store) as found:
            while page := await found.list(
                statuses=statuses, prefix=prefix, after=after, limit=_PAGE
            ):
                after, now = page[-1].name, unix_time()
                for each in page:
                    say(json_text_of_any(summary(each)) if as_json else line(each, now))
        return bool(after)

    if not run_to_end(show()) and not as_json:
        say("No such agents." if status or prefix else "No agents.")


@agents.command()
def show(name: Name, store: StorePath, as_json: AsJson = False) -> None:
    """Show one agent: the call that it goes on with, its journal, its value or its error."""

    async def look() -> list[str]:
        async with opened(store) as found:
            agent = await load_agent(found, name)
            unread = len(await found.signals(name))
            history = await found.history(name)
            if as_json:
                return [json_text_of_any(full(agent, unread, history))]
            return list(lines_in_full(agent, unread, history, unix_time()))

    for each in run_to_end(look()):
        say(each)


@agents.command()
def cancel(name: Name, store: StorePath) -> None:
    """End an agent for good, wherever it is driven."""

    async def end() -> None:
        async with opened(store) as found:
            agent = await load_agent(found, name)
            if agent.status in ENDED:
                raise StoreError(f"the agent {name!r} has ended already: it is {agent.status}")
            await found.decide(name, "cancelled", unix_time(), reason="cancelled")

    run_to_end(end())
    say(f"Cancelled: {printable(name)}")


@agents.command()
def retry(name: Name, store: StorePath) -> None:
    """Let an agent that failed, is stuck or blocked go on from its last commit."""

    async def go_on() -> None:
        async with opened(store) as found:
            agent = await load_agent(found, name)
            if agent.status not in {"failed", "stuck", "blocked"}:
                raise StoreError(
                    f"the agent {name!r} is {agent.status}; what failed, is stuck or blocked can go on"
                )
            await found.decide(name, "ready", unix_time())

    run_to_end(go_on())
    say(f"Ready: {printable(name)}")


@agents.command()
def fork(
    name: Name,
    new: Annotated[str, typer.Argument(help="The copy's name.")],
    store: StorePath,
    step: Annotated[
        int | None, typer.Option(help="The step of an earlier state, as show lists them.")
    ] = None,
) -> None:
    """Begin a copy of an agent, with its state and the signals that it has not taken."""

    async def copy() -> None:
        async with opened(store) as found:
            await load_agent(found, name)
            await found.fork(name, new, unix_time(), step=step)

    run_to_end(copy())
    say(f"Forked: {printable(name)} as {printable(new)}")


@agents.command()
def prune(
    store: StorePath,
    older_than: Annotated[
        str, typer.Option(help="How long ago they ended or came, such as 12h.")
    ] = "7d",
) -> None:
    """Remove agents that have ended, and letters to names that never came."""
    seconds = seconds_from(older_than)

    async def remove() -> tuple[int, int]:
        async with opened(store) as found:
            before = unix_time() - seconds
            swept = await found.sweep(before, before)
            return swept.agents, swept.letters

    ended, letters = run_to_end(remove())
    say(f"Removed: {ended} agents, {letters} letters")
