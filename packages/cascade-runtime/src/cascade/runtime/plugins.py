"""Plug-ins: what installed distributions offer under an entry-point group. The one reader of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from cascade.interfaces.errors import UnknownSchemeError, near_name

__all__ = ["Plugin", "made_from", "plugins"]

_BROUGHT_BY = {
    "cascade.connectors": "mqtt",
    "cascade.stores": "postgres",
    "cascade.executors": "dask",
    "cascade.caches": "fs",
}
"""The extra of ``cascade-py`` that brings the counterpart of what is embedded."""


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


def made_from(group: str, url: str) -> Any:
    """Return what a URL names: made of it by the plug-in that has its scheme as its name.

    Raises:
        UnknownSchemeError: nobody offers the scheme, or the URL has none.
        ValueError: the URL is not valid.
    """
    scheme, colon, _ = url.partition("://")
    known = plugins(group)
    if not colon or scheme not in known:
        shown = (
            scheme if colon and scheme.replace("+", "").isalnum() else ""
        )  # all else may be secret
        raise UnknownSchemeError(
            group.rpartition(".")[2][:-1],
            shown,
            sorted(known),
            _BROUGHT_BY.get(group),
            near_name(shown, known),
        )
    return known[scheme].load()(url)
