"""Loads providers by their names, Cascade's own and third-party ones alike."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any, NoReturn, Protocol, runtime_checkable

from cascade.interfaces.errors import BrokenProviderError, UnknownProviderError, near_name
from cascade.interfaces.protocols import LazyFactory
from cascade.runtime.plugins import Plugin, plugins
from cascade.spec.resource import Inject

__all__ = ["GROUP", "Provider", "ProviderNamespace", "load_provider", "provider_names"]

GROUP = "cascade.providers"


@runtime_checkable
class Provider(Protocol):
    """What an entry point of the group ``cascade.providers`` names: a class like this one, or derived from it.

    Its constructor takes no arguments. Import optional libraries at the top of the provider's module:
    an import that fails becomes a `BrokenProviderError` that names provider, distribution and extra.

    Examples:
        >>> import cascade as cs
        >>> @cs.task(mode="inline")
        ... def double(x: int) -> int:
        ...     return 2 * x
        >>> class DoubleProvider(Provider):
        ...     name = "double"
        ...     def create_factory(self) -> LazyFactory:
        ...         return double
        >>> cs.run(DoubleProvider().create_factory()(21))
        42
    """

    name: str
    """What stands after ``cs.``, as the entry point says it too; it may be dotted: ``http.get``."""

    def create_factory(self) -> LazyFactory:
        """Return what ``cs.<name>`` is: a task, or whatever else makes calls."""


class ProviderNamespace:  # noqa: D101 - a property below: each object has a docstring of its own
    # ``cs.<name>`` where only dotted names are provided: ``cs.http`` holds ``cs.http.get``. Its docstring is
    # that of each such object, so that ``help(cs.http)`` shows what is in it.

    def __init__(self, name: str) -> None:
        """Stand for the part of the names before a dot."""
        self._name = name

    @property
    def __doc__(self) -> str:  # type: ignore[override]  # of each object
        """What is in it, a line for each."""
        lines = [f"  cs.{self._name}.{name}{_about(f'{self._name}.{name}')}" for name in dir(self)]
        return "\n".join(
            [f"What cs.{self._name} holds; help(…) of each has its options:", "", *lines]
        )

    def __getattr__(self, name: str) -> Any:
        """Load the provider of that dotted name."""
        if name.startswith("_"):
            raise AttributeError(name)
        return load_provider(f"{self._name}.{name}")

    def __dir__(self) -> list[str]:
        """Return the names that stand after the dot."""
        start = f"{self._name}."
        names = [name.removeprefix(start) for name in provider_names() if name.startswith(start)]
        return sorted({name.partition(".")[0] for name in names})

    def __call__(self, *_args: object, **_kwargs: object) -> NoReturn:
        """Explain that only what is in it can be called."""
        inside = ", ".join(f"cs.{self._name}.{name}" for name in dir(self))
        raise TypeError(f"cs.{self._name} is not called itself; there are {inside}")

    def __repr__(self) -> str:
        """Show the name."""
        return f"<providers cs.{self._name}.…>"


def provider_names() -> list[str]:
    """Return the names of all installed providers, in alphabetical order.

    Examples:
        >>> "shell" in provider_names()
        True
    """
    return sorted(plugins(GROUP))


@cache
def load_provider(name: str) -> Any:
    """Return what ``cs.<name>`` stands for, loading its provider at first use.

    Raises:
        UnknownProviderError: no installed distribution offers that name.
        BrokenProviderError: one does, and it does not load.

    Examples:
        >>> load_provider("shell")("echo hello")
        shell('echo hello')
    """
    plugin = plugins(GROUP).get(name)
    if plugin is not None:
        return _load(plugin)
    names = provider_names()
    if any(each.startswith(f"{name}.") for each in names):
        return ProviderNamespace(name)
    raise UnknownProviderError(
        f"cascade has no {name!r}, and no installed package provides it; install one that offers "
        f"the entry point {name!r} in the group {GROUP!r}.{near_name(name, names)}"
    )


def _about(name: str) -> str:
    """Return how a provider is called and what for, or what it needs."""
    try:
        factory = load_provider(name)
    except BrokenProviderError as error:
        return f": {error}"
    taken = [
        each.replace(annotation=each.empty)
        for each in inspect.signature(factory).parameters.values()
        if not isinstance(each.default, Inject)
    ]
    first_line = (factory.__doc__ or "").partition("\n")[0]
    return f"{inspect.Signature(taken)}\n      {first_line}"


def _load(plugin: Plugin) -> Any:
    name, distribution = plugin.name, plugin.distribution
    try:
        factory = _factory_of(plugin.load()(), name)
    except ModuleNotFoundError as error:
        extra = f"{distribution}[{name.partition('.')[0]}]"
        raise BrokenProviderError(
            name,
            distribution,
            f"it needs {error.name!r}, which is not installed: pip install '{extra}'",
        ) from error
    except Exception as error:
        raise BrokenProviderError(name, distribution, f"{type(error).__name__}: {error}") from error
    return factory


def _factory_of(provider: Any, name: str) -> Any:
    """Return what a provider makes calls with.

    Raises:
        TypeError: it is not what `Provider` describes; the text says what is missing.
    """
    if not isinstance(provider, Provider):
        raise TypeError(
            f"{type(provider).__name__} is no provider: it needs a name and create_factory(), see "
            "cascade.providers.Provider"
        )
    if provider.name != name:
        raise TypeError(f"it calls itself {provider.name!r}, and its entry point {name!r}")
    factory = provider.create_factory()
    if not callable(factory):
        raise TypeError(f"create_factory() returned {factory!r}, which makes no calls")
    return factory
