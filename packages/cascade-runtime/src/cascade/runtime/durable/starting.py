"""How a durable agent begins: the record of a call that can be one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cascade.interfaces.errors import InvalidTaskError
from cascade.interfaces.store import DurableAgent
from cascade.interfaces.topics import Filters
from cascade.runtime.concurrency.clock import unix_time
from cascade.runtime.durable.values import write_payload
from cascade.spec.codec import encode
from cascade.spec.lazy_types import LazyResult

__all__ = ["records_of", "start_of"]


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
