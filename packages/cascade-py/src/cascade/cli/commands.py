"""Finds the commands: entry points of the group ``cascade.commands``.

Each names a function, an app of Typer's, or a `Command`, where it has settings of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import typer

from cascade.common.messaging import bus
from cascade.runtime.plugins import Plugin, plugins

__all__ = ["GROUP", "TAKES_ANYTHING", "Command", "load_commands"]

GROUP = "cascade.commands"

TAKES_ANYTHING: Mapping[str, bool] = MappingProxyType(
    {"allow_extra_args": True, "ignore_unknown_options": True}
)
"""Settings of a command that is given more than its own options, in ``context.args``."""

_EXTRAS: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(("fireflies", "validate"), "cascade-py[fireflies]")
)
"""Commands of Cascade's own that come with an extra."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command by its name."""

    name: str
    function: Callable[..., None] | typer.Typer
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What `typer.Typer.command` is given beside the name."""


def load_commands() -> list[Command]:
    """Return all commands in alphabetical order; one that cannot be loaded says so when it is used."""
    found = plugins(GROUP)
    names = sorted({*found, *_EXTRAS})
    return [_load(found[name]) if name in found else _missing(name) for name in names]


def _load(plugin: Plugin) -> Command:
    name, distribution = plugin.name, plugin.distribution
    try:
        loaded = plugin.load()
        return loaded if isinstance(loaded, Command) else Command(name, loaded)
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get(name, f"{distribution}[{name}]")
        facts = {"distribution": distribution, "library": error.name, "extra": extra}
        return _unusable(name, "cli.command_needs", facts)
    except Exception as error:  # noqa: BLE001 - the edge: a broken plug-in must not break the others
        reason = f"{type(error).__name__}: {error}"
        facts = {"distribution": distribution, "reason": reason}
        return _unusable(name, "cli.command_broken", facts)


def _missing(name: str) -> Command:
    return _unusable(name, "cli.command_missing", {"extra": _EXTRAS[name]})


def _unusable(name: str, message_id: str, facts: Mapping[str, object]) -> Command:
    def explain() -> None:
        bus.error(message_id, command=name, **facts)
        raise typer.Exit(1)

    explain.__doc__ = "(not usable here; call it to hear why)"
    return Command(name, explain, settings={"context_settings": TAKES_ANYTHING})
