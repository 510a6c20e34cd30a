"""What a task does in a graph, and what is done with its calls there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeAlias

from cascade.spec.lazy_types import LazyResult

__all__ = ["GATHERING", "SCHEDULED", "AsWritten", "Prepare", "Role"]

Prepare: TypeAlias = Callable[[Any, LazyResult[Any]], Awaitable[None]]
"""``async (agent, call)``: done when an agent first sees a call, before any task of that step starts."""

AsWritten: TypeAlias = Callable[[tuple[Any, ...]], tuple[tuple[Any, ...], dict[str, Any]]]
"""From the arguments that are kept to those that were written, for people to read."""

Role: TypeAlias = Literal[
    "function", "builtin", "choice", "combinator", "collection", "items", "mapping"
]
"""What a task does in a graph.

``builtin``: it is a part of the language, as ``recv`` is, and so are all that follow: constraints do not
hold them. ``choice``: it returns a value, or one of the calls that are quoted in its arguments, which
are written in the same graph as its own call. ``combinator``: its function evaluates the call that is
quoted in its arguments by ``frame.evaluate``. ``collection``: it returns its argument, and in target
position each call directly in it is an agent; ``items``: likewise, at any position.
``mapping``: it returns items.
"""

GATHERING: frozenset[Role] = frozenset({"collection", "items", "mapping"})
"""Roles of which a call has no mailbox of its own: its values are those of several agents."""

SCHEDULED: frozenset[Role] = frozenset({"choice", "combinator", "collection", "items"})
"""Roles of which a call cannot be evaluated without a look at its whole graph."""
