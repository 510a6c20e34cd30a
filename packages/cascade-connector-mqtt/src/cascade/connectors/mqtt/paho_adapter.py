"""Gives a paho client its turns of the event loop: reading, writing, and the keep-alive.

paho is written for loops of other people: it asks to be told when its socket can be read or written,
and once in a while what time it is. Only reaching the host blocks, so that is done in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from paho.mqtt.client import Client

from cascade.interfaces.errors import UnsuitableLoopError

__all__ = ["PahoAdapter"]

_READ_SLICE = 64  # packets that one turn of the loop reads at most
_HIGH_WATER = 256 * 1024  # bytes that wait for the network before a publisher has to
_PACKET_OVERHEAD = 64  # bytes, about: header, topic, and what paho keeps beside a payload


class PahoAdapter:
    """Drives one paho client on the event loop that runs now.

    paho holds locks while it calls back, so its callbacks must only `defer` what is to be done;
    what was deferred is carried out, in the order of the wire, as soon as paho has returned.

    Attributes:
        lost: messages of QoS 0, at most, that were not written when the last connection ended.
    """

    def __init__(self, client: Client, keep_alive: float, on_broken: Callable[[str], None]) -> None:
        """Take a client that is not connected; ``on_broken`` hears of what paho cannot go on after."""
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._on_broken = on_broken
        self._tick = min(1.0, keep_alive / 2)  # seconds between two looks at the keep-alive
        self._deferred: list[Callable[[], None]] = []
        self._dialing: asyncio.Future[object] | None = None
        self._socket: Any = None  # what paho reads and writes, while it is watched
        self._timer: asyncio.TimerHandle | None = None
        self._writing = False
        self._unsent = 0  # bytes since everything was last written
        self._unsent_messages = 0
        self.lost = 0
        self._room: list[asyncio.Future[None]] = []
        client.on_socket_register_write = self._want_write
        client.on_socket_close = self._unwatch

    def defer(self, what: Callable[[], None]) -> None:
        """Defer a function until paho has returned."""
        self._deferred.append(what)

    # --- the connection -----------------------------------------------------------------------

    async def dial(self, connect: Callable[[], object]) -> None:
        """Run a blocking connect in a thread, then watch the socket.

        Raises:
            OSError: the host cannot be reached, or its certificate is not accepted.
            UnsuitableLoopError: this event loop cannot watch a socket.
        """
        if self._dialing is not None:  # a thread that somebody gave up; two would use one client
            await asyncio.wait([self._dialing])
        self._dialing = dialing = self._loop.run_in_executor(None, connect)
        try:
            await asyncio.shield(dialing)
        except asyncio.CancelledError:
            dialing.add_done_callback(self._hang_up)  # the thread cannot be stopped
            raise
        self._socket = self._client.socket()
        try:
            self._loop.add_reader(self._socket, self._read)
        except NotImplementedError:
            self._socket = None
            self.abandon()
            raise UnsuitableLoopError from None
        self._timer = self._loop.call_later(self._tick, self._look_at_time)
        self._write()

    def _hang_up(self, dialing: asyncio.Future[object]) -> None:
        if not dialing.cancelled() and dialing.exception() is None:
            self.abandon()

    def abandon(self) -> None:
        """Close the socket without a word to the broker; doing so again changes nothing."""
        connection = self._client.socket()
        self._unwatch()
        if connection is not None:
            connection.close()

    def _unwatch(self, *_paho: object) -> None:
        """Leave a socket that is about to be closed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        watched, self._socket = self._socket, None
        if watched is not None and not self._loop.is_closed():
            self._loop.remove_reader(watched)
            self._loop.remove_writer(watched)
        self._writing = False
        self.lost = self._unsent_messages
        self._release_room()

    def _look_at_time(self) -> None:
        self._timer = self._loop.call_later(self._tick, self._look_at_time)
        self._turn(self._client.loop_misc)

    # --- reading ------------------------------------------------------------------------------

    def _read(self) -> None:
        for _ in range(_READ_SLICE):
            if not self._turn(self._client.loop_read) and not self._has_decrypted():
                return
        if self._has_decrypted():  # the loop sees the socket, not what TLS has read already
            self._loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        if self._socket is not None:
            self._read()

    def _has_decrypted(self) -> bool:
        pending = getattr(self._socket, "pending", None)  # a TLS socket, or paho's WebSocket
        return pending is not None and pending() > 0

    def _turn(self, turn: Callable[[], object]) -> bool:
        """Call into paho, then run what was deferred; return whether there was anything."""
        try:
            turn()
        except Exception as error:  # noqa: BLE001 - whatever the network makes paho stumble over
            reason = f"{type(error).__name__}: {error}"
            self.abandon()
            self._on_broken(reason)
        deferred, self._deferred = self._deferred, []
        for what in deferred:
            what()
        return bool(deferred)

    # --- writing ------------------------------------------------------------------------------

    def _want_write(self, *_paho: object) -> None:
        """Write in the next turn of the loop, all that has come together by then."""
        if self._socket is not None:  # else the thread that dials asks, and `dial` will write
            self._loop.call_soon(self._write)

    def _write(self) -> None:
        self._turn(self._client.loop_write)
        waits = self._client.want_write() and self._socket is not None
        if waits and not self._writing:
            self._writing = True
            self._loop.add_writer(self._socket, self._write)
        elif not waits:
            if self._writing:
                self._writing = False
                self._loop.remove_writer(self._socket)
            self._release_room()

    async def wait_for_capacity(self, size: int) -> None:
        """Count bytes that were just handed to paho; wait where the network is behind."""
        self._unsent += size + _PACKET_OVERHEAD
        self._unsent_messages += 1
        if self._unsent < _HIGH_WATER:
            return
        self._write()
        if self._unsent < _HIGH_WATER:
            await asyncio.sleep(0)  # a publisher that never waits would keep the loop from reading
            return
        room = self._loop.create_future()
        self._room.append(room)
        await room

    async def written(self) -> None:
        """Wait until everything handed to paho is written, or the connection is gone."""
        self._write()
        while self._socket is not None and self._client.want_write():
            room = self._loop.create_future()
            self._room.append(room)
            await room

    def _release_room(self) -> None:
        self._unsent = self._unsent_messages = 0
        waiting, self._room = self._room, []
        for room in waiting:
            if not room.done():
                room.set_result(None)
