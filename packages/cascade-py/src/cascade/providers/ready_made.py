"""Providers of tasks that stand ready, made from a name and the task."""

from __future__ import annotations

from typing import Any

from cascade.interfaces.protocols import LazyFactory
from cascade.providers.registry import Provider

__all__ = ["provider_of"]


def provider_of(name: str, task: Any) -> type[Provider]:
    """Return the provider of ``cs.<name>``, which is the task.

    Examples:
        >>> import cascade as cs
        >>> shout = cs.task(str.upper)
        >>> provider_of("shout", shout)().create_factory() is shout
        True
    """

    class _Provider:
        def __init__(self) -> None:
            self.name = name

        def create_factory(self) -> LazyFactory:
            factory: LazyFactory = task
            return factory

    _Provider.__name__ = f"provider of cs.{name}"
    return _Provider
