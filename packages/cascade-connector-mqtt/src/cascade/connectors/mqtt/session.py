"""Keeps the connection: reaches the broker, notices when it is gone, and comes back with everything.

While the connection is away, whoever wants to publish or subscribe waits at the gate; after
``offline_timeout`` seconds they are told, those whose message is not acknowledged yet included.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import Callable

from paho.mqtt.client import MQTTMessage

from cascade.common.messaging import bus
from cascade.connectors.mqtt.backoff import Backoff
from cascade.connectors.mqtt.connection import Connection, ConnectionLostError
from cascade.connectors.mqtt.inbound import Inbound
from cascade.connectors.mqtt.settings import MqttSettings
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
        is_up: whether it is there, and every subscription with it.
    """

    def __init__(self, settings: MqttSettings, table: SubscriptionTable, inbound: Inbound) -> None:
        """Prepare, on the loop that runs now; `start` connects.

        Raises:
            OSError: a file for TLS cannot be read.
        """
        self._settings = settings
        self._table = table
        self._inbound = inbound
        self._loop = asyncio.get_running_loop()
        self.connection = inbound.connection = Connection(settings, self)
        self._waiters: list[asyncio.Future[None]] = []
        self._forgotten: set[str] = set()
        self.is_up = False
        self._fatal_error: ConnectorError | None = None  # why waiting has no sense
        self._reason = "not connected yet"
        self._returning: asyncio.Task[None] | None = None
        self._backoff = self._fresh_backoff()
        self._came_up = -math.inf  # when the last connection was made
        self._short_lived = 0  # connections in a row that did not hold
        self._offline_timer: asyncio.TimerHandle | None = None
        self.on_message: Callable[[MQTTMessage], None] = inbound.take

    # --- the first connect --------------------------------------------------------------------

    async def start(self) -> None:
        """Reach the broker, with as many attempts as there is time for.

        Raises:
            BrokerRefusedError: the broker does not want us.
            BrokerUnavailableError: no broker could be reached in time.
        """
        deadline = self._loop.time() + self._settings.connect_timeout
        while not await self._attempt(deadline):
            delay = self._backoff.delay()
            if self._loop.time() + delay >= deadline:
                raise self._unavailable("connect")
            await asyncio.sleep(delay)
        await self._say_status(b'"online"')
        self._came_up = self._loop.time()
        self.is_up = True

    def _fresh_backoff(self) -> Backoff:
        return Backoff(self._settings.retry_delay, self._settings.max_retry_delay)

    async def _attempt(self, deadline: float) -> bool:
        """Try once; False means that another attempt makes sense.

        Raises:
            BrokerRefusedError: no attempt makes sense.
            BrokerUnavailableError: the same, for the broker's certificate.
        """
        try:
            async with asyncio.timeout_at(None if math.isinf(deadline) else deadline):
                await self.connection.open()
        except ssl.SSLCertVerificationError as error:
            self._reason = str(error)
            raise self._unavailable("connect") from error
        except BrokerRefusedError as error:
            if error.code not in _TRANSIENT_CODES:
                raise
            self._reason = str(error)
        except (OSError, ConnectionLostError) as error:  # a TimeoutError is an OSError
            self._reason = f"{type(error).__name__}: {error}" if str(error) else "no answer"
        else:
            return True
        return False

    async def _say_status(self, status: bytes) -> None:
        """Say whether we are here, where otherwise the will says "offline"."""
        if not self._settings.status:
            return
        topic = self._settings.status_topic
        try:
            await self.connection.outbound.deliver(topic, status, 1, retain=True)
        except BrokerRefusedError as error:
            bus.warning("mqtt.status_refused", topic=topic, error=error)

    # --- the gate -----------------------------------------------------------------------------

    async def wait_until_up(self, action: str) -> None:
        """Wait for a lost connection to come back.

        Raises:
            BrokerUnavailableError: it did not in ``offline_timeout`` seconds.
            BrokerRefusedError: the broker does not want us any more.
        """
        while not self.is_up:
            if self._fatal_error is not None:
                raise self._fatal_error
            if self._offline_timer is None and self._settings.offline_timeout != math.inf:
                raise self._unavailable(action)
            waiter: asyncio.Future[None] = self._loop.create_future()
            self._waiters.append(waiter)
            await waiter

    def _wake_waiters(self) -> None:
        waiting, self._waiters = self._waiters, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)

    def _on_offline_timeout(self) -> None:
        """Let nobody wait any longer for this outage to end."""
        self._offline_timer = None
        self.connection.outbound.fail(self._unavailable("publish"))
        self._wake_waiters()  # whoever waits there looks again, and is told

    def _unavailable(self, action: str) -> BrokerUnavailableError:
        return BrokerUnavailableError(action, self._settings.address, self._reason)

    # --- loss and return ----------------------------------------------------------------------

    def on_lost(self, reason: str, code: int) -> None:
        """Hear of the connection that the connection is gone."""
        self.is_up = False
        self._reason = reason
        self._inbound.forget_held()
        if code == _TAKEN_OVER:  # coming back would only throw the other one out
            if self._returning is not None:
                self._returning.cancel()
                self._returning = None
            self._give_up(BrokerRefusedError("stay connected", code, reason))
            bus.error("mqtt.taken_over", client=self._settings.client_id)
            return
        bus.warning("mqtt.connection_lost", address=self._settings.address, reason=reason)
        if self.connection.lost:
            bus.warning(
                "mqtt.messages_lost", count=self.connection.lost, address=self._settings.address
            )
        self._judge_stability()
        if self._offline_timer is None:
            self._begin_outage()
        if self._returning is None:
            self._returning = asyncio.create_task(self._return())

    def _judge_stability(self) -> None:
        """Begin the back-off anew only after a connection that held.

        Two clients with one id throw each other out for ever, and not every broker says so.
        """
        if self._loop.time() - self._came_up > _STABLE_AFTER:
            self._backoff = self._fresh_backoff()
            self._short_lived = 0
            return
        self._short_lived += 1
        if self._short_lived == _FLAPPING_AFTER:
            of = self._settings
            bus.error(
                "mqtt.unsteady", address=of.address, count=_FLAPPING_AFTER, client=of.client_id
            )

    def _begin_outage(self) -> None:
        patience = self._settings.offline_timeout
        if patience == 0:
            self._on_offline_timeout()
        elif patience != math.inf:
            self._offline_timer = self._loop.call_later(patience, self._on_offline_timeout)

    def _end_outage(self) -> None:
        if self._offline_timer is not None:
            self._offline_timer.cancel()
            self._offline_timer = None
        self._wake_waiters()

    def _give_up(self, verdict: ConnectorError) -> None:
        """Stay away for good."""
        self._fatal_error = verdict
        self.connection.outbound.fail(verdict)
        self._end_outage()

    async def _return(self) -> None:
        """Come back, however long it takes, with every subscription."""
        began = self._loop.time()
        refused = False
        while not self.is_up:
            await asyncio.sleep(self._backoff.delay())
            try:
                deadline = self._loop.time() + self._settings.connect_timeout
                self.is_up = await self._attempt(deadline) and await self._restore()
            except (BrokerRefusedError, BrokerUnavailableError) as error:
                if not refused:  # say it once; it may be mended at the broker
                    bus.error("mqtt.refused", address=self._settings.address, error=error)
                refused = True
                self._reason = str(error)
        self._returning = None
        self._came_up = self._loop.time()
        seconds = self._came_up - began
        bus.info("mqtt.connection_back", address=self._settings.address, seconds=seconds)
        self._end_outage()

    async def _restore(self) -> bool:
        """Subscribe to everything again, unless the broker still knows; False: lost again meanwhile."""
        try:
            if self.connection.session_present:
                for topic_filter in self._forgotten - set(self._table.filters()):
                    self.connection.forget(topic_filter)
            else:
                for topic_filter in self._table.filters():
                    await self._restore_one(topic_filter)
            self._forgotten.clear()
            if self._settings.status:
                topic = (
                    self._settings.status_topic
                )  # QoS 0: an acknowledgement could be lost with the connection
                await self.connection.outbound.send(topic, b'"online"', retain=True)
        except ConnectionLostError:
            return False
        return self.connection.is_open

    def forget(self, topic_filter: str) -> None:
        """End a subscription at the broker: now, or once the connection is back."""
        if self.connection.is_open:
            self.connection.forget(topic_filter)
        else:
            self._forgotten.add(topic_filter)

    async def _restore_one(self, topic_filter: str) -> None:
        number = self._table.numbers.get(topic_filter)
        try:
            await self.connection.subscribe(topic_filter, number)
        except BrokerRefusedError as error:
            bus.error("mqtt.subscription_lost", topic=topic_filter, error=error)

    # --- the end ------------------------------------------------------------------------------

    async def stop(self) -> None:
        """Say goodbye to the broker, and let go of everybody who still waits."""
        if self._returning is not None:
            self._returning.cancel()
            await asyncio.wait([self._returning])
            self._returning = None
        try:
            async with asyncio.timeout(_DISCONNECT_TIMEOUT):
                if self.is_up:
                    await self._say_status(b'"offline"')
                await self.connection.close()
        except (TimeoutError, ConnectionLostError) as error:
            reason = str(error) or "no answer"
            bus.warning("mqtt.connection_lost", address=self._settings.address, reason=reason)
        finally:
            self.is_up = False
            self.connection.abandon()
            self._give_up(NotConnectedError("publish"))
