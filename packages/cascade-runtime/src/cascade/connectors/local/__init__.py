"""The in-memory connector: MQTT semantics without a broker process, a socket or a wait.

A message goes down this list, and imports go the same way:

* `connector`: what users hold; publishes and subscribes
* `broker`: who subscribes to what (`filters`: who stands under which filter, `share`: groups that
  share one, `retained`: the last payload of each topic, `tap`: who watches it all)
* `subscription`: the handle that ends one; no message passes through it
* `dispatcher`: delivers on one event loop, in one total order
* `callback_task`: runs the callback, or queues the message while the callback waits (`callback`: what
  is one, `turn`: what a publisher waits for that does not deliver itself)
* `recipient`: what both of these are to the dispatcher
* `message`: what is delivered
"""

from cascade.connectors.local.broker import LocalBroker
from cascade.connectors.local.callback import checked_callback
from cascade.connectors.local.connector import LocalBusConnector, connector_from
from cascade.connectors.local.recipient import AnyRecipient, Recipients
from cascade.connectors.local.subscription import Subscription

__all__ = [
    "AnyRecipient",
    "LocalBroker",
    "LocalBusConnector",
    "Recipients",
    "Subscription",
    "checked_callback",
    "connector_from",
]
