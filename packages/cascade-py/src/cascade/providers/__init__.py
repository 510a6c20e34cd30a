"""Providers: ready-made tasks under ``cs.``, found through the entry-point group ``cascade.providers``.

A provider is a class with a `name` and `create_factory()`, which returns what ``cs.<name>`` is; see
`Provider`. It is loaded when its name is first used, and only then.
"""

from cascade.interfaces.protocols import LazyFactory
from cascade.providers.registry import Provider, load_provider, provider_names

__all__ = ["LazyFactory", "Provider", "load_provider", "provider_names"]
