"""Finds the commands: entry points of the group ``cascade.commands``, each a function or an app of Typer's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import typer

from cascade.common.messaging import bus
from cascade.runtime.plugins import Plugin, plugins

__all__ = ["GROUP", "Command", "load_commands"]

GROUP = "cascade.commands"

_EXTRAS: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(("fireflies", "validate"), "cascade-py[fireflies]")
)
"""Commands of Cascade's own that come with an extra."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command by its name."""

    name: str
    function: Callable[..., None] | typer.Typer
    is_usable: bool = True
    """False: the function only says why there is no command."""


def load_commands() -> list[Command]:
    """Return all commands in alphabetical order; one that cannot be loaded says so when it is used."""
    found = plugins(GROUP)
    names = sorted({*found, *_EXTRAS})
    return [_load(found[name]) if name in found else _missing(name) for name in names]


def _load(plugin: Plugin) -> Command:
    name, distribution = plugin.name, plugin.distribution
    try:
        return Command(name, plugin.load())
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
    return Command(name, explain, is_usable=False)
