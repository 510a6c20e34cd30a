"""A connection to a scheduler, in a thread with an event loop of its own.

So an executor is used from any event loop, or several, and none of them is held up by what Dask does::

    event loop ──▶ inbox ──▶ session's loop ◀──▶ scheduler ◀──▶ workers
        ▲                          │
        └────── settled futures ◀──┘
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from distributed import Client

from cascade.executors.dask.address import Address
from cascade.executors.dask.calls import Call, deliver
from cascade.executors.dask.traffic import Traffic
from cascade.executors.dask.workers import check_versions
from cascade.interfaces.errors import ExecutorError

__all__ = ["Session"]

_GATHERED_FOR = 0.005  # seconds: what comes within them is sent together, but for the first


class Session:
    """One connection, from when it is made until it is closed or lost."""

    def __init__(self, address: Address, patience: float, uploads: Sequence[str]) -> None:
        """Begin to connect; workers are given the files of modules that they may lack."""
        self._address = address
        self._patience = patience
        self._uploads = uploads
        self._inbox: deque[Call] = deque()
        self._lock = threading.Lock()
        self._is_over = False
        self._is_awake = False
        self._loop = asyncio.new_event_loop()
        self._wake = asyncio.Event()
        self._close = asyncio.Event()
        self._traffic: Traffic | None = None
        self._thread = threading.Thread(target=self._work, name="cascade-dask", daemon=True)
        self._thread.start()

    def submit(self, call: Call) -> bool:
        """Send a call as soon as there is a connection; return False where the session is over."""
        with self._lock:
            if self._is_over:
                return False
            self._inbox.append(call)
            if not self._is_awake:
                self._is_awake = True
                self._loop.call_soon_threadsafe(self._wake.set)
            return True

    def cancel(self, call: Call) -> None:
        """Take note that nobody waits for a call any more."""
        with suppress(RuntimeError):  # the loop has been closed: nothing is under way any more
            self._loop.call_soon_threadsafe(self._cancel, call)

    def close(self) -> None:
        """Fail what is under way, disconnect, and end the thread; wait for that."""
        with suppress(RuntimeError):  # the loop has been closed already
            self._loop.call_soon_threadsafe(self._close.set)
        self._thread.join()

    # --- in the thread ---------------------------------------------------------------------------

    def _work(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._be_connected())

    def _cancel(self, call: Call) -> None:
        if self._traffic is not None:
            self._traffic.cancel(call)

    async def _be_connected(self) -> None:
        text, why = self._address.text, ""
        try:
            why = await self._serve()
        except ExecutorError as error:
            why = str(error)
        except (OSError, TimeoutError, ValueError) as error:
            why = f"the scheduler at {text} cannot be reached: {error}"
        finally:
            with self._lock:
                self._is_over = True
            reason = why or f"the connection to the scheduler at {text} has ended"
            deliver((call, None, ExecutorError(reason)) for call in self._inbox)

    async def _serve(self) -> str:
        """Connect and pass calls on; return why that came to its end."""
        address = self._address
        async with Client(
            address.text,
            security=address.security,
            timeout=self._patience,
            asynchronous=True,
            set_as_default=False,
        ) as client:
            await check_versions(client)
            for path in self._uploads:
                await client.upload_file(path)
            traffic = self._traffic = Traffic(client, self._patience)
            sending = asyncio.create_task(self._send(traffic))
            ends = [asyncio.create_task(each.wait()) for each in (self._close, traffic.is_lost)]
            await asyncio.wait([sending, *ends], return_when=asyncio.FIRST_COMPLETED)
            noticed = f" ({traffic.why})" if traffic.why else ""
            why = f"the scheduler at {address.text} has gone away{noticed}; run it again when it is back"
            if self._close.is_set():
                why = "the executor was closed before the function had ended"
            for each in (sending, *ends):
                each.cancel()
            await traffic.aclose(why)
        return why

    async def _send(self, traffic: Traffic) -> None:
        while True:
            await self._wake.wait()
            with self._lock:
                self._wake.clear()
                self._is_awake = False
                calls = [self._inbox.popleft() for _ in range(len(self._inbox))]
            traffic.send(calls)
            await asyncio.sleep(_GATHERED_FOR)
