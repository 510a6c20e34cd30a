"""``cascade cache``: what a cache remembers, why a call would be computed again, and forgetting."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cascade.cli.cache_differences import (
    Differences,
    Now,
    differences,
    differences_of_entries,
    sentences,
)
from cascade.cli.caches import CachePlace, opened
from cascade.cli.connecting import run_to_end
from cascade.cli.inputs import parameters_from
from cascade.cli.json_text import json_text_of_any
from cascade.cli.output import say
from cascade.cli.spans import span_of
from cascade.cli.targets import load_target
from cascade.common.messaging.printable import printable
from cascade.interfaces.cache import CacheEntry
from cascade.runtime.concurrency.clock import unix_time
from cascade.runtime.evaluation.cache_keys import code_parts, named_arguments
from cascade.spec.content import NoContentError, digest_of
from cascade.spec.lazy_types import LazyResult
from cascade.spec.task import Task

__all__ = ["cache"]

cache = typer.Typer(
    no_args_is_help=True,
    help="Values that with_cache() remembers: what there is, why one is computed again, forgetting.",
)

AsJson = Annotated[bool, typer.Option("--json", help="JSON, an object for each line.")]


@cache.command("list")
def list_values(
    cache: CachePlace,
    task: Annotated[str | None, typer.Option(help="Those of the task with this id.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what is remembered, a line each: the task, when, how large, how long; the newest first."""

    async def look() -> list[str]:
        async with opened(cache) as found:
            entries, now = await found.entries(task), unix_time()
        return [json_text_of_any(asdict(each)) if as_json else _line(each, now) for each in entries]

    lines = run_to_end(look())
    for each in lines:
        say(each)
    if not (lines or as_json):
        say("Nothing is remembered.")


@cache.command()
def why(
    target: Annotated[str, typer.Argument(help="The task or the call, as module:name.")],
    cache: CachePlace,
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="name=value of an argument.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what differs now from what was remembered last of a task: version, code, arguments.

    Of a call, or with --param, the value for these arguments counts as the last, where there is one. Of a
    task without them its last two values are compared with each other.
    """
    loaded = load_target(target)
    task, now = _task_and_now(loaded, param or [])

    async def look() -> list[CacheEntry]:
        async with opened(cache) as found:
            return list(await found.entries(task.id))

    entries = run_to_end(look())
    alike = (each for each in entries if each.arguments == now.arguments)
    found = differences(now, next(alike, entries[0])) if entries else None
    last_two = differences_of_entries(entries[1], entries[0]) if entries[1:] else None
    if as_json:
        say(json_text_of_any(_plain(task, now, found, last_two)))
        return
    for each in _explained(task, now, found, last_two):
        say(printable(each))


@cache.command()
def clear(
    cache: CachePlace,
    task: Annotated[str | None, typer.Argument(help="A task's id; all, if left out.")] = None,
) -> None:
    """Forget what is remembered, of one task or all."""

    async def forget() -> int:
        async with opened(cache) as found:
            return await found.clear(task)

    say(f"Removed: {run_to_end(forget())} values")


# --- what is shown --------------------------------------------------------------------------------


def _line(entry: CacheEntry, now: float) -> str:
    parts = [
        f"{entry.task}{'' if entry.version is None else f' version {entry.version}'}",
        f"{entry.size} bytes of {entry.form or 'memory'}",
        f"{span_of(max(0.0, now - entry.created_at))} ago",
        f"used {span_of(max(0.0, now - entry.used_at))} ago",
    ]
    if entry.good_until is not None:
        parts.append(f"good until {_hour(entry.good_until)}")
    parts += [f"wrote {path}" for path in entry.outputs]
    return printable(", ".join(parts))


def _hour(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).astimezone().isoformat(" ", "seconds")


def _task_and_now(target: Any, params: list[str]) -> tuple[Task[..., Any], Now]:
    """Return the task of a target, and what is known of its call.

    Raises:
        BadParameter: it is neither a task nor a call of one, or cannot be compared.
    """
    if isinstance(target, LazyResult):
        task, args, kwargs = target.task, target.args, target.kwargs
    elif isinstance(target, Task):
        task, args, kwargs = target, (), parameters_from(target, params)
    else:
        raise typer.BadParameter("why is asked of a task or of a call of one")
    policy = task.policies.cache
    arguments = None
    try:
        code, _ = code_parts(task)
        if args or kwargs or isinstance(target, LazyResult):
            known = named_arguments(task, args, kwargs)
            if policy is not None and policy.key is not None:
                known = {"key": policy.key(*args, **kwargs)}
            arguments = {name: digest_of(value) for name, value in known.items()}
    except NoContentError as error:
        raise typer.BadParameter(f"{task.name} cannot be compared: {error}") from None
    return task, Now(task.version, code, arguments, has_policy=policy is not None)


def _explained(
    task: Task[..., Any], now: Now, found: Differences | None, last_two: Differences | None
) -> list[str]:
    if found is None:
        return [f"Nothing is remembered of {task.id}."]
    lines = sentences(found)
    known = "its arguments" if now.arguments is not None else "no arguments were compared"
    explained = (
        [f"{task.id} differs from what was remembered last in", *[f"  {line}" for line in lines]]
        if lines
        else [f"{task.id} is as it was when it was remembered last: version, code, {known}."]
    )
    if now.arguments is None and last_two is not None and not last_two.are_none:
        explained.append("Its last two values differ in")
        explained += [f"  {line}" for line in sentences(last_two)]
    return explained


def _plain(
    task: Task[..., Any], now: Now, found: Differences | None, last_two: Differences | None
) -> dict[str, Any]:
    return {
        "task": task.id,
        "is_remembered": found is not None,
        "arguments_compared": now.arguments is not None,
        "now": None if found is None else asdict(found),
        "last_two": None if last_two is None else asdict(last_two),
    }
