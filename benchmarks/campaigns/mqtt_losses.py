"""``python -m benchmarks.campaigns.mqtt_losses``: messages of QoS 1 through losses of six kinds, none lost.

A publisher here, a consumer with a lasting session in a process of its own, and a Mosquitto between. While
messages go through, the lines of both are cut, a line falls silent, the broker stands still or is
restarted, and the consumer is killed and started again. The consumer writes down each message that it has
handled. The verdict, and the exit status: every message handled at least once, in bounded time.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.campaigns.line import Line, line_to
from benchmarks.mosquitto import HOST, PATIENCE, program
from cascade.common.messaging import bus
from cascade.connectors.mqtt import MqttConnector

__all__ = ["Verdict", "campaign"]

_TOPIC = "campaign"
_LENGTH = 9  # bytes of a line in the consumer's book
_AT_ONCE = 500  # messages that the publisher has on their way
_SILENCE = 2.5  # seconds: more than twice the keep-alive
_STANDSTILL = 1.5  # seconds that the broker does nothing
_OPTIONS: dict[str, Any] = {
    "session_expiry": 3600,
    "clean_start": False,
    "keep_alive": 1,
    "retry_delay": 0.05,
    "max_retry_delay": 1.0,
    "offline_timeout": 60.0,
    "status": False,
}


@dataclass(frozen=True)
class Verdict:
    """What became of the messages."""

    published: int
    handled: int
    """Different messages that were handled."""

    twice: int
    """How often one was handled again."""

    in_order: bool
    """Whether the first times came in the order of publishing."""

    losses: int
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether no message was lost."""
        return self.handled == self.published

    def __str__(self) -> str:
        """Return it as a sentence."""
        return (
            f"{'held' if self.holds else 'BROKEN'}: {self.published:,} published, {self.handled:,} handled, "
            f"{self.published - self.handled:,} lost, {self.twice:,} handled twice, "
            f"{'in order' if self.in_order else 'out of order'}, "
            f"through {self.losses} losses in {self.seconds:.1f} s"
        )


# --- the consumer, in a process of its own -------------------------------------------------------------


async def _consume(port: int, book: str) -> None:
    """Write every message down once it is handled, for ever."""
    written = os.open(book, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def handle(_topic: str, number: int) -> None:
        if number % 64 == 0:
            await asyncio.sleep(0)  # so that some wait when the process is killed
        os.write(written, b"%8d\n" % number)

    with bus.divert(lambda _message: None):
        async with MqttConnector(
            host=HOST, port=port, client_id="consumer", **_OPTIONS
        ) as connector:
            await connector.subscribe(_TOPIC, handle)
            await asyncio.Event().wait()


class _Consumer:
    """The process of the consumer."""

    def __init__(self, port: int, book: Path) -> None:
        self._command = [sys.executable, "-m", __spec__.name, "--consume", str(port), str(book)]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, cwd=Path(__file__).parents[2])

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


class _Broker:
    """A Mosquitto that keeps sessions when it is restarted; it queues without limit, as the docs advise."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port: int = probe.getsockname()[1]
        self._settings = folder / "mosquitto.conf"
        self._settings.write_text(
            f"listener {self.port} {HOST}\nallow_anonymous true\nlog_dest none\nmax_queued_messages 0\n"
            f"persistence true\npersistence_location {folder}/\nuser {os.environ.get('USER', 'root')}\n",
            encoding="utf-8",
        )
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen([program() or "mosquitto", "-c", str(self._settings)])
        end = perf_counter() + PATIENCE
        while True:
            try:
                socket.create_connection((HOST, self.port), 1).close()
            except OSError:
                if perf_counter() > end:
                    raise
            else:
                return

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)

    def tell(self, number: signal.Signals) -> None:
        self._process.send_signal(number)


# --- what breaks ---------------------------------------------------------------------------------------


class _Losses:
    """The six kinds, in turn."""

    def __init__(self, broker: _Broker, consumer: _Consumer, lines: tuple[Line, Line]) -> None:
        self._broker = broker
        self._consumer = consumer
        self._publishing, self._consuming = lines
        self.kinds: list[Callable[[], Coroutine[Any, Any, None]]] = [
            self._cut_publisher,
            self._cut_consumer,
            self._fall_silent,
            self._kill_consumer,
            self._stand_still,
            self._restart_broker,
        ]

    async def _cut_publisher(self) -> None:
        self._publishing.cut()

    async def _cut_consumer(self) -> None:
        self._consuming.cut()

    async def _fall_silent(self) -> None:
        for line in (self._publishing, self._consuming):
            line.freeze()
        await asyncio.sleep(_SILENCE)
        for line in (self._publishing, self._consuming):
            line.thaw()

    async def _kill_consumer(self) -> None:
        await asyncio.to_thread(self._consumer.kill)
        self._consumer.start()

    async def _stand_still(self) -> None:
        self._broker.tell(signal.SIGSTOP)
        await asyncio.sleep(_STANDSTILL)
        self._broker.tell(signal.SIGCONT)

    async def _restart_broker(self) -> None:
        await asyncio.to_thread(self._broker.stop)
        await asyncio.to_thread(self._broker.start)


# --- the campaign --------------------------------------------------------------------------------------


async def _publish(connector: MqttConnector, count: int) -> None:
    free = asyncio.Semaphore(_AT_ONCE)

    async def publish(number: int) -> None:
        try:
            await connector.publish(_TOPIC, number, qos=1)
        finally:
            free.release()

    async with asyncio.TaskGroup() as group:
        for number in range(count):
            await free.acquire()
            group.create_task(publish(number))


def _read(book: Path) -> list[int]:
    data = book.read_bytes() if book.exists() else b""
    whole = len(data) // _LENGTH * _LENGTH  # a line that a kill cut short is no line
    return [int(line) for line in data[:whole].split(b"\n")[:-1]]


def _written(book: Path) -> int:
    return book.stat().st_size // _LENGTH if book.exists() else 0


async def _break(losses: _Losses, count: int, messages: int, book: Path) -> None:
    """Break something each time that another part of the messages is handled."""
    for number in range(count):
        due = (number + 1) * messages // (count + 2)
        while _written(book) < due:
            await asyncio.sleep(0.005)
        await losses.kinds[number % len(losses.kinds)]()


async def _until_all(book: Path, messages: int) -> None:
    while _written(book) < messages or len(set(_read(book))) < messages:
        await asyncio.sleep(0.1)


@asynccontextmanager
async def _cast(folder: Path, book: Path) -> AsyncIterator[tuple[MqttConnector, _Losses]]:
    """Yield the publisher, and what can break; all of it ends with the context."""
    broker = _Broker(folder)
    try:
        async with line_to(broker.port) as publishing, line_to(broker.port) as consuming:
            consumer = _Consumer(consuming.port, book)
            try:
                at = {"host": HOST, "port": publishing.port, "client_id": "publisher"}
                async with MqttConnector(**at, **_OPTIONS) as connector:
                    yield connector, _Losses(broker, consumer, (publishing, consuming))
            finally:
                consumer.kill()
    finally:
        broker.stop()


async def campaign(messages: int, losses: int, timeout: float) -> Verdict:
    """Send messages through losses; give up after ``timeout`` seconds, and count what arrived until then."""
    folder = Path(tempfile.mkdtemp())
    book = folder / "handled"
    began = perf_counter()
    try:
        with bus.divert(lambda _message: None):
            async with _cast(folder, book) as (connector, breaking):
                await _await_consumer(connector, book)
                try:
                    async with asyncio.timeout(timeout), asyncio.TaskGroup() as group:
                        group.create_task(_publish(connector, messages))
                        group.create_task(_break(breaking, losses, messages, book))
                        group.create_task(_until_all(book, messages))
                except TimeoutError:
                    pass  # the verdict says it
        handled = _read(book)
    finally:
        shutil.rmtree(folder)
    first_times = list(dict.fromkeys(handled))
    return Verdict(
        published=messages,
        handled=len(first_times),
        twice=len(handled) - len(first_times),
        in_order=first_times == sorted(first_times),
        losses=losses,
        seconds=perf_counter() - began,
    )


async def _await_consumer(connector: MqttConnector, book: Path) -> None:
    """Wait until the consumer's session is there: what nobody has subscribed to yet is nobody's."""
    async with asyncio.timeout(PATIENCE):
        while not _written(book):
            await connector.publish(_TOPIC, 0, qos=1)
            await asyncio.sleep(0.05)


def main() -> int:
    """Run the campaign, or be its consumer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--losses", type=int, default=50)
    parser.add_argument("--timeout", type=float, default=1_800.0, help="seconds")
    parser.add_argument("--consume", nargs=2, metavar=("PORT", "BOOK"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.consume:
        port, book = options.consume
        asyncio.run(_consume(int(port), book))
        return 0
    verdict = asyncio.run(campaign(options.messages, options.losses, options.timeout))
    print(verdict)
    return 0 if verdict.holds else 1


if __name__ == "__main__":
    sys.exit(main())
