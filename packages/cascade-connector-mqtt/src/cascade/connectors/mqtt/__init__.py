"""The place of the MQTT connector, which is not in this release.

The import path is taken so that it cannot come to mean something else later. Nothing here talks
to a broker. Until the connector is there, use ``cascade.connectors.local.LocalBusConnector``,
which keeps the same contract within one process.
"""

from typing import NoReturn

__all__ = ["MqttConnector"]


class MqttConnector:
    """A stand-in that cannot be made, so that nobody mistakes it for a working connector."""

    def __init__(self, *args: object, **kwargs: object) -> NoReturn:
        """Refuse.

        Args:
            *args: Taken only so that every call gets the same clear answer.
            **kwargs: The same.

        Raises:
            NotImplementedError: Always.
        """
        del args, kwargs
        raise NotImplementedError(
            "The MQTT connector is not in this release of Cascade. "
            "Use cascade.connectors.local.LocalBusConnector, which works within one process."
        )
