"""How a durable agent begins: the record of a call that can be one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cascade.interfaces.errors import DecodeError, EncodeError, InvalidTaskError
from cascade.interfaces.store import DurableAgent
from cascade.interfaces.topics import Filters
from cascade.runtime.concurrency.clock import unix_time
from cascade.runtime.durable.values import write_payload
from cascade.spec.codec import decode, encode
from cascade.spec.lazy_types import LazyResult

__all__ = ["is_same_start", "records_of", "start_of"]


def records_of(
    agents: Mapping[str, Any], params: Mapping[str, Any] | None = None, filters: Filters = ()
) -> list[DurableAgent]:
    """Return agents as they begin, now.

    Args:
        agents: the call that each begins with, by its name.
        params: what `cascade.param` gives in them.
        filters: what their mailboxes listen to from the start.

    Raises:
        InvalidTaskError: one of the calls is no plain call of a task.
        EncodeError: one of the calls cannot be written.
    """
    written = write_payload("params", dict(params or {}))
    now = unix_time()
    starts = {name: start_of(call) for name, call in agents.items()}
    return [
        DurableAgent(
            name, start, start, params=written, filters=filters, created_at=now, changed_at=now
        )
        for name, start in starts.items()
    ]


def start_of(call: Any) -> bytes:
    """Return the call that a durable agent begins with, as it is written.

    Raises:
        InvalidTaskError: it is a list, a mapping or a combinator, or no call.
        EncodeError: it cannot be written.
    """
    if type(call) is not LazyResult or call.task.role != "function":
        raise InvalidTaskError(
            f"a durable agent begins with a plain call of a task, not {call!r}; "
            "start several with engine.agents.start({name: call, ...})"
        )
    return encode(call)


def is_same_start(stored: bytes, start: bytes) -> bool:
    """Return whether a stored call is the one that an agent begins with now.

    It is, too, where an earlier version of its task has written it, and where an argument was given by
    name that is given by position now.
    """
    if stored == start:
        return True
    try:
        now = encode(decode(stored))
    except (DecodeError, EncodeError):
        return False
    return _by_name(now) == _by_name(start)


def _by_name(call: bytes) -> dict[str, Any]:
    """Return a written call with the names of its arguments, wherever it has them."""
    graph: dict[str, Any] = msgspec.json.decode(call)
    for form in graph["calls"]:
        names, args = form.pop("names", []), form.pop("args", [])
        by_name = dict(zip(names, args, strict=False)) | form.pop("kwargs", {})
        form |= {"args": args[len(names) :], "kwargs": by_name}
    return graph
