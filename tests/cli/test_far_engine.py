"""An engine in one process, steered, watched and killed from others, over a real broker."""

import asyncio
import os
import signal
import time

import pytest

from cascade.common.messaging.testing import capture
from cascade.connectors.mqtt import MqttConnector, Will
from cascade.runtime.engine import Engine
from cascade.runtime.observation.telemetry import TelemetrySettings
from cli.program import PROGRAM
from mqtt.broker import HOST, NEEDS_BROKER, Broker
from mqtt.proxy import line_to
from repository.distributions import ROOT
from rows import each_row

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


# --- engines that die -------------------------------------------------------------------------------


async def stands(broker, state):
    """Wait until the one engine is shown so, and return the line."""
    async with asyncio.timeout(PATIENCE):
        while f": {state}, " not in (shown := await said(broker, "status")):
            await asyncio.sleep(0.05)
    return shown.splitlines()[0]


async def test_an_engine_that_is_killed_is_lost_by_the_word_of_its_broker(tmp_path):
    with Broker(tmp_path) as broker:
        engine = await cascade(broker, "run", "cli.flows:beats", "--name", "heart", "--telemetry")
        await stands(broker, "online")
        engine.kill()
        await engine.communicate()
        line = await stands(broker, "lost")
        assert ", 0 runs, connected " in line
        name = line.removeprefix("engine ").partition(":")[0]
        assert await said(broker, "forget") == f"Forgotten: {name}\n"


async def test_an_engine_that_ends_says_goodbye_and_is_not_lost(tmp_path):
    with Broker(tmp_path) as broker:
        engine = await cascade(broker, "run", "cli.flows:beats", "--name", "heart", "--telemetry")
        await stands(broker, "online")
        await end(engine)
        assert ": offline, " in await said(broker, "status")


async def test_an_engine_whose_line_breaks_is_lost_and_comes_back(tmp_path):
    states = []

    async def hear(_topic, payload):
        states.append(payload["state"])

    async def until(state):
        async with asyncio.timeout(PATIENCE):
            while state not in states:
                await asyncio.sleep(0.02)
        states.clear()

    with Broker(tmp_path) as broker, capture():
        async with MqttConnector(broker.url) as watcher, line_to(broker) as line:
            await watcher.subscribe("cascade/telemetry/+/status", hear)
            connector = MqttConnector(host=HOST, port=line.port, retry_delay=0.05)
            settings = TelemetrySettings(heartbeat=0.1)
            async with Engine(connector=connector, telemetry=settings):
                await until("online")
                line.cut()
                await until("lost")
                await until("online")
            await until("offline")


@each_row(
    "options",
    [
        {"client_id": "mill", "status": True},
        {"will": Will("wills/mill", "gone")},
    ],
)
async def test_a_connector_keeps_its_own_will(tmp_path, options):
    with Broker(tmp_path) as broker, capture():
        async with MqttConnector(broker.url) as watcher, line_to(broker) as line:
            heard, dead = [], asyncio.Event()

            async def hear(topic, payload):
                heard.append((topic, payload))
                if payload in {"gone", "offline"}:
                    dead.set()

            await watcher.subscribe(["wills/#", "cascade/status/#"], hear)
            connector = MqttConnector(host=HOST, port=line.port, retry_delay=0.05, **options)
            async with Engine(connector=connector, telemetry=True):
                line.cut()
                async with asyncio.timeout(PATIENCE):
                    await dead.wait()


async def test_a_will_that_was_offered_is_for_the_next_connection_alone(tmp_path):
    with Broker(tmp_path) as broker, capture():
        async with MqttConnector(broker.url) as watcher, line_to(broker) as line:
            heard = []

            async def hear(topic, payload):
                heard.append(payload)

            await watcher.subscribe("wills/#", hear)
            connector = MqttConnector(host=HOST, port=line.port, retry_delay=0.05)
            connector.offer_will("wills/first", "first")
            async with connector:
                pass
            connector.offer_will("wills/second", "second")
            async with connector:
                line.cut()
                async with asyncio.timeout(PATIENCE):
                    while not heard:
                        await asyncio.sleep(0.02)
                    await connector.publish("back", 1, 1)  # or the broker would miss its goodbye
            async with connector:
                line.cut()
                await connector.publish("wills/end", "end", 1)
                async with asyncio.timeout(PATIENCE):
                    while "end" not in heard:
                        await asyncio.sleep(0.02)
    assert heard == ["second", "end"]
