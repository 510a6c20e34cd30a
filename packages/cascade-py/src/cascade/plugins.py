"""Plug-ins: what installed distributions offer under an entry-point group. The one reader of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

__all__ = ["Plugin", "plugins"]


@dataclass(frozen=True, slots=True)
class Plugin:
    """An offer that is not loaded yet."""

    name: str
    distribution: str
    """Who offers it, as ``pip`` names it."""

    load: Callable[[], Any]
    """Imports what the entry point names, and gives it; whatever goes wrong there is raised."""


@cache
def plugins(group: str) -> Mapping[str, Plugin]:
    """Return the plug-ins of a group by their names; read once in a process."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - a third of `import cascade`, and rarely used

    found = {
        point.name: Plugin(
            point.name, "(unknown)" if point.dist is None else point.dist.name, point.load
        )
        for point in entry_points(group=group)
    }
    return MappingProxyType(found)
