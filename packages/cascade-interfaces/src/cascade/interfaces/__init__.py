"""What everything else agrees on: protocols, errors, topics. Standard library only.

Imports inside: `protocols` and `topics` use `errors`; nothing here imports any other part of Cascade.
"""

from cascade.interfaces.errors import CascadeError
from cascade.interfaces.protocols import Clock, Connector, Executor, LazyFactory, SubscriptionHandle

__all__ = ["CascadeError", "Clock", "Connector", "Executor", "LazyFactory", "SubscriptionHandle"]
