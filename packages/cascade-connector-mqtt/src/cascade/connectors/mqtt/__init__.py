"""Agents on a real broker: the Connector contract over MQTT 5, or 3.1.1.

`connector` is what users hold. Under it `session` keeps the connection (first connect, reconnect), `gate` is
where others wait for it, `connection` is the client on the event loop, with `requests` and `outbound` for what
it asks and publishes, and `inbound` hands what arrives to the callbacks, through an in-memory
broker of its own.
`subscription_table` knows which filters the broker is asked for, `pending_subscription` gathers what is
retained for a new one. `codec` and `settings` stand at the bottom; imports go down.
"""

from cascade.connectors.mqtt.arrival import Message
from cascade.connectors.mqtt.connector import MqttConnector
from cascade.connectors.mqtt.settings import MqttSettings
from cascade.connectors.mqtt.will import Will

__all__ = ["Message", "MqttConnector", "MqttSettings", "Will"]
