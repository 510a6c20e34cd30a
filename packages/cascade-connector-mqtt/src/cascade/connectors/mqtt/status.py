"""Says, retained, that a client is here and that it goes; if it dies the will says so in its place."""

from __future__ import annotations

from cascade.common.messaging import bus
from cascade.connectors.mqtt.closings import Closings
from cascade.connectors.mqtt.connection import Connection
from cascade.connectors.mqtt.requests import ConnectionLostError
from cascade.interfaces.errors import BrokerRefusedError

__all__ = ["Status"]


class Status:
    """The status of one client; who may not say it goes on without."""

    def __init__(self, topic: str | None, connection: Connection) -> None:
        """Say it on that topic; with None, say nothing."""
        self._topic = topic
        self._connection = connection
        self._closings = Closings()

    async def say_online(self, *, first: bool) -> None:
        """Say that we are here: with QoS 1 the first time.

        Later that would wait behind all that has to be sent again.

        Raises:
            ConnectionLostError: the connection is gone.
        """
        try:
            await self._say(b'"online"', qos=int(first))
        except ConnectionLostError:
            refusal = self._closings.add(f"publish on {self._topic!r}")
            if refusal is not None:
                self._give_up(refusal)
            raise

    async def say_offline(self) -> None:
        """Say that we go.

        Raises:
            ConnectionLostError: the connection is gone.
        """
        await self._say(b'"offline"', qos=0)

    async def _say(self, status: bytes, *, qos: int) -> None:
        connection, topic = self._connection, self._topic
        if topic is None:
            return
        try:
            if qos:
                saying = connection.outbound.deliver(topic, status, qos, retain=True)
                await connection.while_open(saying)
            else:
                await connection.outbound.send(topic, status, retain=True)
                await connection.requests.round_trip_barrier()
        except BrokerRefusedError as error:
            self._give_up(error)

    def _give_up(self, error: BrokerRefusedError) -> None:
        bus.warning("mqtt.status_refused", topic=self._topic, error=error)
        self._topic = None
