"""The in-memory connector: MQTT's meaning without a broker, a socket or a wait.

A message goes `connector` (publish) → `broker` (who gets it) → `dispatcher` (hands it out on this
loop) → `subscription` (runs the callback), and imports go the other way.
"""

from cascade.connectors.local.broker import LocalBroker
from cascade.connectors.local.connector import LocalBusConnector

__all__ = ["LocalBroker", "LocalBusConnector"]
