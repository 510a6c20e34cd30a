"""An engine in one process, paused and resumed by commands in others, over a real broker."""

import asyncio
import os
import signal
import time

import pytest

from cascade.connectors.mqtt import MqttConnector
from cli.program import PROGRAM
from mqtt.broker import NEEDS_BROKER, Broker
from repository.distributions import ROOT

pytestmark = [*NEEDS_BROKER, pytest.mark.slow]

PATIENCE = 30  # seconds after which what has not happened never will
BEAT = 0.02  # seconds from beat to beat of the workflow, about


async def cascade(broker, *arguments):
    return await asyncio.create_subprocess_exec(
        *PROGRAM,
        *arguments,
        cwd=ROOT / "tests",
        env={**os.environ, "CASCADE_CONNECTOR": broker.url},
        stdout=asyncio.subprocess.PIPE,
    )


async def said(broker, *arguments):
    process = await cascade(broker, *arguments)
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


async def end(process):
    process.send_signal(signal.SIGINT)
    try:
        await asyncio.wait_for(process.communicate(), PATIENCE)
    except TimeoutError:
        process.kill()
        await process.communicate()


class Reports:
    """What the engine reports, in order."""

    def __init__(self):
        self.events = []
        self.dropped = 0
        self._more = asyncio.Event()

    async def take(self, topic, payload):
        if "events" in payload and isinstance(payload["events"], list):
            kind = topic.rpartition("/")[2]
            self.events += [(kind, event) for event in payload["events"]]
            self.dropped = payload["dropped"]
            self._more.set()

    async def next_of(self, kind, after=0.0):
        """Return the time of the first event of a kind, after a time."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for found, event in self.events:
                    if found == kind and event["time"] > after:
                        return event["time"]
                self._more.clear()
                await self._more.wait()

    def starts_between(self, begin, end):
        return [e for kind, e in self.events if kind == "task-started" and begin < e["time"] < end]


async def test_no_task_starts_from_a_pause_until_it_is_resumed(tmp_path):
    with Broker(tmp_path) as broker:
        watcher = MqttConnector(broker.url)
        await watcher.connect()
        reports = Reports()
        await watcher.subscribe("cascade/telemetry/#", reports.take)
        engine = await cascade(broker, "run", "cli.flows:beats", "--name", "heart", "--telemetry")
        try:
            began = await reports.next_of("task-started")
            assert await said(broker, "pause", "run/heart") == "Paused: run/heart\n"
            held = await reports.next_of("task-throttled")
            await asyncio.sleep(20 * BEAT)
            resumed = time.time()
            assert await said(broker, "resume", "run/heart") == "Resumed: run/heart\n"
            await reports.next_of("task-started", after=resumed)
        finally:
            await end(engine)
        await watcher.disconnect()
    assert engine.returncode == 130
    assert reports.dropped == 0
    assert len(reports.starts_between(began, held)) >= 2  # so that a gap would be seen
    assert reports.starts_between(held, resumed) == []
