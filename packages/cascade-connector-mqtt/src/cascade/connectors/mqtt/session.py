"""Keeps the connection: reaches the broker, notices when it is gone, and comes back with everything.

While the connection is away, whoever wants to publish or subscribe waits at the `gate`; after
``offline_timeout`` seconds they are told, those whose message is not acknowledged yet included.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import Callable
from functools import partial

from paho.mqtt.client import MQTTMessage

from cascade.common.messaging import bus
from cascade.connectors.mqtt.backoff import Backoff
from cascade.connectors.mqtt.closings import Closings
from cascade.connectors.mqtt.connection import Connection
from cascade.connectors.mqtt.gate import Gate
from cascade.connectors.mqtt.inbound import Inbound
from cascade.connectors.mqtt.requests import ConnectionLostError
from cascade.connectors.mqtt.settings import MqttSettings
from cascade.connectors.mqtt.status import Status
from cascade.connectors.mqtt.subscription_table import SubscriptionTable
from cascade.interfaces.errors import (
    BrokerRefusedError,
    BrokerUnavailableError,
    ConnectorError,
    NotConnectedError,
)

__all__ = ["Session"]

_TAKEN_OVER = 0x8E  # MQTT 5.0 §2.4
_TRANSIENT_CODES = {
    0x88,
    0x89,
    0x97,
    0x9F,
}  # unavailable, busy, over quota, too fast: worth another attempt
_DISCONNECT_TIMEOUT = 5.0  # seconds that an orderly disconnect may take
_STABLE_AFTER = 5.0  # seconds after which a connection counts as one that holds
_FLAPPING_AFTER = (
    3  # connections in a row that did not hold, after which somebody is told why that may be
)


class Session:
    """The life of one connector's connection, from connect to disconnect.

    Attributes:
        connection: the connection.
        gate: where others wait for it.
    """

    def __init__(
        self, settings: MqttSettings, table: SubscriptionTable, inbound: Inbound, max_queued: int
    ) -> None:
        """Prepare, on the loop that runs now; `start` connects.

        A lasting session takes at most ``max_queued`` messages that are not acknowledged.

        Raises:
            OSError: a file for TLS cannot be read.
        """
        self._settings = settings
        self._table = table
        self._inbound = inbound
        self._loop = asyncio.get_running_loop()
        self.connection = inbound.connection = Connection(settings, self, max_queued)
        self.gate = Gate(settings.offline_timeout, self._unavailable, self._fail_outbound)
        self._forgotten: set[str] = set()
        self._reason = "not connected yet"
        self._started = False
        self._returning: asyncio.Task[None] | None = None
        self._backoff = self._fresh_backoff()
        self._opened_at = -math.inf  # when the last connection was made
        self._short_lived = 0  # connections in a row that did not hold
        self._status = Status(settings.status_topic if settings.status else None, self.connection)
        self._closings = Closings()

    # --- the first connect --------------------------------------------------------------------

    async def start(self) -> None:
        """Reach the broker, with as many attempts as there is time for.

        Raises:
            BrokerRefusedError: the broker does not want us.
            BrokerUnavailableError: no broker could be reached in time.
        """
        deadline = self._loop.time() + self._settings.connect_timeout
        while not await self._come_up(deadline):
            delay = self._backoff.delay()
            if self._loop.time() + delay >= deadline:
                raise self._unavailable("connect")
            await asyncio.sleep(delay)
        self._started = True
        self.gate.open()

    def _fresh_backoff(self) -> Backoff:
        return Backoff(self._settings.retry_delay, self._settings.max_retry_delay)

    async def _come_up(self, deadline: float) -> bool:
        """Try once to be where we were; False means that another attempt makes sense.

        Raises:
            BrokerRefusedError: no attempt makes sense.
            BrokerUnavailableError: the same, for the broker's certificate.
        """
        try:
            async with asyncio.timeout_at(None if math.isinf(deadline) else deadline) as patience:
                await self.connection.open()
                self._opened_at = self._loop.time()
                if self._started:  # much may have to come back: the keep-alive is limit enough
                    patience.reschedule(None)
                await self._restore()
        except ssl.SSLCertVerificationError as error:
            self._reason = str(error)
            raise self._unavailable("connect") from error
        except BrokerRefusedError as error:
            if error.code not in _TRANSIENT_CODES:
                raise
            self._reason = str(error)
        except (OSError, ConnectionLostError) as error:  # a TimeoutError is an OSError
            self._reason = f"{type(error).__name__}: {error}" if str(error) else "no answer"
            self.connection.abandon()
        else:
            return self.connection.is_open
        return False

    def _unavailable(self, action: str) -> BrokerUnavailableError:
        return BrokerUnavailableError(action, self._settings.address, self._reason)

    def _fail_outbound(self) -> None:
        self.connection.outbound.fail(self._unavailable("publish"))

    # --- what belongs to a connection -----------------------------------------------------------

    async def _restore(self) -> None:
        """Subscribe to everything again, say that we are here, and begin to send again what was lost.

        Raises:
            ConnectionLostError: the connection is lost again.
        """
        self._table.begin_anew()
        if self.connection.session_present:
            for topic_filter in self._forgotten - set(self._table.filters()):
                self.forget(topic_filter)
        else:
            for topic_filter in self._table.filters():
                await self._restore_one(topic_filter)
        self._forgotten.clear()
        await self._status.say_online(first=not self._started)
        await self.connection.while_open(self.connection.outbound.resume())

    async def _restore_one(self, topic_filter: str) -> None:
        if topic_filter not in self._table:  # it ended meanwhile
            return
        action = f"subscribe to {topic_filter!r}"
        if self._closings.verdict(action):
            return
        refusal = None
        options, number = self._table.options(topic_filter), self._table.number(topic_filter)
        try:
            await self.connection.requests.subscribe(topic_filter, options, number)
        except BrokerRefusedError as error:
            refusal = error
        except ConnectionLostError:
            refusal = self._closings.add(action)
            raise
        else:
            self._closings.forgive(action)
        finally:
            self._table.refuse(topic_filter, refused=refusal is not None)
            if refusal is not None:
                bus.error("mqtt.subscription_lost", topic=topic_filter, error=refusal)

    def forget(self, topic_filter: str) -> None:
        """End a subscription at the broker: now, or once the connection is back."""
        if self.connection.is_open:
            on_ended = partial(self._table.left, topic_filter)
            self.connection.requests.forget(topic_filter, on_ended)
        else:
            self._forgotten.add(topic_filter)

    # --- loss and return ----------------------------------------------------------------------

    def on_open(self) -> None:
        """Hear of the connection that it was made."""
        self._inbound.resume(session_present=self.connection.session_present)

    def on_message(self, message: MQTTMessage) -> None:
        """Hear of the connection what has come."""
        self._inbound.take(message)

    def on_lost(self, reason: str, code: int | None) -> None:
        """Hear of the connection that it is gone."""
        self._reason = reason
        self._inbound.forget_held()
        if not self._started:  # `start` notices, and tries again
            return
        self.gate.close()
        if code == _TAKEN_OVER:  # coming back would only throw the other one out
            refusal = BrokerRefusedError("stay connected", code, reason)
            self._stay_away(lambda _action: refusal)
            bus.error("mqtt.taken_over", client=self._settings.client_id)
            return
        bus.warning("mqtt.connection_lost", address=self._settings.address, reason=reason)
        if self.connection.lost:
            bus.warning(
                "mqtt.messages_lost", count=self.connection.lost, address=self._settings.address
            )
        self._judge_stability()
        if self._returning is None:
            self._returning = asyncio.create_task(self._return())

    def _judge_stability(self) -> None:
        """Begin the back-off anew only after a connection that held.

        Two clients with one id throw each other out for ever, and not every broker says so.
        """
        if self._loop.time() - self._opened_at > _STABLE_AFTER:
            self._backoff = self._fresh_backoff()
            self._short_lived = 0
            return
        self._short_lived += 1
        if self._short_lived == _FLAPPING_AFTER:
            of = self._settings
            bus.error(
                "mqtt.unsteady", address=of.address, count=_FLAPPING_AFTER, client=of.client_id
            )

    async def _return(self) -> None:
        """Come back, however long it takes, with every subscription."""
        began = self._loop.time()
        refused = came_up = False
        while not came_up:
            await asyncio.sleep(self._backoff.delay())
            try:
                came_up = await self._come_up(self._loop.time() + self._settings.connect_timeout)
            except (BrokerRefusedError, BrokerUnavailableError) as error:
                if not refused:  # say it once; it may be mended at the broker
                    bus.error("mqtt.refused", address=self._settings.address, error=error)
                refused = True
                self._reason = str(error)
        self._returning = None
        seconds = self._loop.time() - began
        bus.info("mqtt.connection_back", address=self._settings.address, seconds=seconds)
        self.gate.open()

    def _stay_away(self, why: Callable[[str], ConnectorError]) -> None:
        """Try nothing more, and let go of everybody who still waits."""
        if self._returning is not None:
            self._returning.cancel()
            self._returning = None
        self.connection.outbound.fail(why("publish"))
        self.gate.shut(why)

    # --- the end ------------------------------------------------------------------------------

    async def stop(self) -> None:
        """Say goodbye to the broker, as far as there is time; then `abandon`."""
        try:
            if self.gate.is_open:
                async with asyncio.timeout(_DISCONNECT_TIMEOUT):
                    await self._status.say_offline()
                    await self.connection.close()
        except (TimeoutError, ConnectionLostError) as error:
            reason = str(error) or "no answer"
            bus.warning("mqtt.connection_lost", address=self._settings.address, reason=reason)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Leave without a word; the broker then publishes the will."""
        self._started = False
        self.connection.abandon()
        self._stay_away(NotConnectedError)
