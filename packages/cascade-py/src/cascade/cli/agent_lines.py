"""Durable agents as the command line shows them: a line each, one in full, or as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from cascade.cli.json_text import json_text_of_any
from cascade.cli.spans import span_of
from cascade.common.messaging.printable import printable
from cascade.interfaces.store import DurableAgent, PastState
from cascade.runtime.durable.waiting import FORGOTTEN, UNTIL, deadline_of

__all__ = ["full", "line", "lines_in_full", "summary"]


def summary(agent: DurableAgent) -> dict[str, Any]:
    """Return what is said of each agent, as plain data; times are Unix time."""
    return {
        "name": agent.name,
        "status": agent.status,
        "step": agent.step,
        "task": _task(agent.call),
        "filters": list(agent.filters),
        "asleep": agent.asleep,
        "until": deadline_of(agent),
        "owner": agent.owner,
        "lease_until": agent.lease_until,
        "attempts": agent.attempts,
        "error": agent.error,
        "created_at": agent.created_at,
        "changed_at": agent.changed_at,
    }


def full(agent: DurableAgent, unread: int, history: Sequence[PastState]) -> dict[str, Any]:
    """Return all that is known of an agent, as plain data."""
    return {
        **summary(agent),
        "unread": unread,
        "epoch": agent.epoch,
        "start": _plain(agent.start),
        "call": _plain(agent.call),
        "params": _plain(agent.params),
        "journal": {place: _plain(data) for place, data in _journal(agent)},
        "history": [
            {"step": each.step, "ended_at": each.ended_at, "call": _plain(each.call)}
            for each in history
        ],
        "result": None if agent.result is None else _plain(agent.result),
    }


def line(agent: DurableAgent, now: float) -> str:
    """Return what is to be known of an agent at a glance."""
    parts = [
        f"{agent.name}: {agent.status}",
        f"step {agent.step} at {_task(agent.call)}",
        *([] if agent.status != "ready" else _waiting(agent, now)),
        *([agent.error] if agent.error else []),
        f"{span_of(max(0.0, now - agent.changed_at))} ago",
    ]
    return printable(", ".join(parts))


def lines_in_full(
    agent: DurableAgent, unread: int, history: Sequence[PastState], now: float
) -> Iterator[str]:
    """Return all that is known of an agent, line by line."""
    yield line(agent, now)
    yield f"  begun {_hour(agent.created_at)} with {_text(agent.start)}"
    if agent.params != b"{}":
        yield f"  parameters {_text(agent.params)}"
    yield f"  goes on with {_text(agent.call)}" if agent.call != agent.start else "  and is there"
    for past in history:
        yield f"  step {past.step} until {_hour(past.ended_at)} {_text(past.call)}"
    for place, data in _journal(agent):
        if not place.endswith(UNTIL):  # said above
            yield printable(f"  journal {place}: {_text(data)}")
    yield f"  signals that it has not taken: {unread}"
    yield f"  taken up since its last step: {agent.attempts} times"
    if agent.result is not None:
        yield f"  value {_text(agent.result)}"


def _journal(agent: DurableAgent) -> list[tuple[str, bytes]]:
    """Return what the journal has of the step, by place; what the agent hears is said elsewhere."""
    return [
        (place, data)
        for place, data in agent.journal.items()
        if data != FORGOTTEN and not place.startswith("!")
    ]


def _waiting(agent: DurableAgent, now: float) -> Iterator[str]:
    if agent.filters:
        yield f"hears {' '.join(agent.filters)}"
    until = deadline_of(agent)
    if until is not None:
        yield f"waits until {_hour(until)}"
    if agent.asleep:
        yield "asleep"
    elif agent.owner is None:
        yield "driven by nobody"
    elif agent.lease_until is not None and agent.lease_until < now:
        yield f"left by {agent.owner}"
    else:
        yield f"driven by {agent.owner}"


def _hour(time: float) -> str:
    """Return a time as the clocks here show it."""
    return datetime.fromtimestamp(time, UTC).astimezone().isoformat(" ", "seconds")


def _task(call: bytes) -> str:
    """Return the id of the task of a call; nothing where it is not written as calls are."""
    plain = _plain(call)
    return str(plain["calls"][0]["task"]) if isinstance(plain, dict) else ""


def _plain(data: bytes) -> Any:
    """Return what JSON says; as text what is none."""
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError:
        return data.decode(errors="replace")


def _text(data: bytes) -> str:
    return json_text_of_any(_plain(data))
