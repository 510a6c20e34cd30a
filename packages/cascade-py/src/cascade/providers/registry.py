"""Loads providers by their names, Cascade's own and third-party ones alike."""

from __future__ import annotations

from functools import cache
from typing import Any, Protocol, runtime_checkable

from cascade.interfaces.errors import BrokenProviderError, UnknownProviderError, near_name
from cascade.interfaces.protocols import LazyFactory
from cascade.plugins import plugins

__all__ = ["GROUP", "Provider", "load_provider", "provider_names"]

GROUP = "cascade.providers"


@runtime_checkable
class Provider(Protocol):
    """What an entry point of the group ``cascade.providers`` names: a class that makes one of these.

    Its constructor takes no arguments. Import optional libraries at the top of the provider's module:
    an import that fails becomes a `BrokenProviderError` that names provider, distribution and extra.
    """

    def factory(self) -> LazyFactory:
        """Return what ``cs.<name>`` is: a task, or an object whose attributes are tasks."""


def provider_names() -> list[str]:
    """Return the names of all installed providers, in alphabetical order."""
    return sorted(plugins(GROUP))


@cache
def load_provider(name: str) -> Any:
    """Return what ``cs.<name>`` stands for, loading its provider at first use.

    Raises:
        UnknownProviderError: no installed distribution offers that name.
        BrokenProviderError: one does, and it does not load.
    """
    plugin = plugins(GROUP).get(name)
    if plugin is None:
        raise UnknownProviderError(
            f"cascade has no {name!r}, and no installed package provides it; install one that offers "
            f"the entry point {name!r} in the group {GROUP!r}.{near_name(name, provider_names())}"
        )
    distribution = plugin.distribution
    try:
        return plugin.load()().factory()
    except ModuleNotFoundError as error:
        extra = f"{distribution}[{name}]"
        raise BrokenProviderError(
            name,
            distribution,
            f"it needs {error.name!r}, which is not installed: pip install '{extra}'",
        ) from error
    except Exception as error:
        raise BrokenProviderError(name, distribution, f"{type(error).__name__}: {error}") from error
