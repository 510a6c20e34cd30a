"""What the commands that look make of a bus that anybody may write on, over a real broker."""

import asyncio
import json
import os
import signal
import time

import pytest

from cascade.connectors.mqtt import MqttConnector
from cli.program import INSTALLED
from mqtt.broker import NEEDS_BROKER, Broker
from rows import each_row

pytestmark = NEEDS_BROKER

PATIENCE = 60  # seconds after which what has not happened never will
STEERING = "e\x1b]0;owned\x07\x9b31m\u202e[/nope]\nsecond"
SHOWN = r"e\x1b]0;owned\x07\x9b31m\u202e[/nope]\nsecond"


@pytest.fixture
async def bus(tmp_path):
    with Broker(tmp_path) as broker:
        async with MqttConnector(broker.url) as connector:
            connector.url = broker.url
            yield connector


async def start(bus, *arguments, **options):
    pipes = dict.fromkeys(("stdout", "stderr"), asyncio.subprocess.PIPE)
    return await asyncio.create_subprocess_exec(
        INSTALLED,
        *arguments,
        env={**os.environ, "CASCADE_CONNECTOR": bus.url, "COLUMNS": "300"},
        **pipes | options,
    )


async def said(bus, *arguments, status=0):
    process = await start(bus, *arguments)
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == status, err
    return out.decode()


def status_of(name, **more):
    return {"engine": name, "state": "online", "time": time.time(), **more}


async def retain(bus, level, payload):
    await bus.publish(f"cascade/telemetry/{level}/status", payload, 1, retain=True)


# --- what cannot be read or steers ----------------------------------------------------------------


@each_row(
    "payload",
    [
        {"engine": "x", "state": "online"},
        {"engine": "x", "state": "online", "time": "now"},
        {"engine": ["x"], "state": "online", "time": 1},
        {"state": "online", "time": 1},
        {"engine": "x", "state": "online", "time": 1, "runs": {"a": 1}},
        {"engine": "x", "run": "y", "event": "task-started", "events": [5]},
        {"engine": "x", "run": "y", "event": "task-started"},
        [1, 2],
        "text",
        5,
    ],
)
async def test_what_is_no_report_is_called_so(bus, payload):
    await retain(bus, "odd", payload)
    line = "cascade/telemetry/odd/status is no {} of an engine\n"
    assert await said(bus, "status") == line.format("status")
    assert await said(bus, "watch", "--seconds", "0.2") == line.format("report")


async def test_nobody_steers_the_terminal_of_who_looks(bus):
    await retain(bus, "e", status_of(STEERING, runs={STEERING: STEERING}, run_count=1))
    shown = await said(bus, "status")
    assert shown.startswith(f"engine {SHOWN}: online, 1 run, ")
    assert shown.splitlines()[1:] == [f"  run {SHOWN}: {SHOWN}"]
    assert await said(bus, "watch", "--seconds", "0.2") == f"{SHOWN}: online\n"
    await bus.publish("talk", {"said": STEERING}, retain=True)
    lines = [
        await said(bus, "sub", "talk", "-n", "1"),
        await said(bus, "sub", "talk", "-n", "1", "--json"),
        await said(bus, "status", "--json"),
    ]
    for line in lines:
        assert line.endswith("\n")
        assert line[:-1].isprintable()
    assert json.loads(lines[1])["payload"] == {"said": STEERING}
    assert STEERING in json.loads(lines[2])["engines"]


async def test_a_table_is_drawn_of_names_as_they_are(bus):
    pty = pytest.importorskip("pty", reason="Windows has no such terminals")
    await retain(bus, "e", status_of(STEERING, runs={STEERING: STEERING}, run_count=1))
    ours, theirs = pty.openpty()
    process = await start(bus, "watch", "--seconds", "0.5", stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = await asyncio.wait_for(asyncio.to_thread(_read_all, ours), PATIENCE)
    assert await process.wait() == 0
    assert "[/nope]" in seen
    assert "Traceback" not in seen
    assert "\x1b]0" not in seen
    assert "\x9b" not in seen


def _read_all(descriptor):
    seen = b""
    try:
        while more := os.read(descriptor, 65536):
            seen += more
    except OSError:  # Linux says so when the last one has closed the terminal
        pass
    os.close(descriptor)
    return seen.decode()


# --- whoever stops reading ------------------------------------------------------------------------


@each_row("arguments", [["sub", "cascade/telemetry/#"], ["watch"]])
async def test_who_stops_reading_ends_the_command_without_a_word(bus, arguments):
    await retain(bus, "first", status_of("first"))
    process = await start(bus, *arguments)
    async with asyncio.timeout(PATIENCE):
        assert b"first" in await process.stdout.readline()
        process._transport.get_pipe_transport(1).close()  # as `head` does
        number = 0
        while process.returncode is None:  # it hears of it when it next writes
            number += 1
            await retain(bus, f"e{number}", status_of(f"e{number}"))
            await asyncio.sleep(0.01)
        assert await process.stderr.read() == b""
    assert process.returncode == 141


# --- engines that are gone ------------------------------------------------------------------------


async def test_an_engine_without_a_heartbeat_is_silent_until_it_is_forgotten(bus):
    await retain(bus, "dead", status_of("dead") | {"time": time.time() - 3600, "heartbeat": 5})
    await retain(bus, "calm", status_of("calm") | {"time": time.time() - 3600, "heartbeat": 7200})
    await retain(bus, "left", status_of("left") | {"state": "offline"})
    await retain(bus, "here", status_of("here", heartbeat=3600))
    await retain(bus, "odd", "text")
    shown = await said(bus, "status")
    states = dict(
        line.removeprefix("engine ").split(", ")[0].split(": ") for line in shown.splitlines()[:4]
    )
    assert states == {"dead": "silent", "calm": "online", "left": "offline", "here": "online"}
    assert await said(bus, "watch", "--seconds", "0.2") == (
        "dead: silent\ncalm: online\nleft: offline\nhere: online\n"
        "cascade/telemetry/odd/status is no report of an engine\n"
    )
    forgotten = (await said(bus, "forget")).splitlines()
    assert forgotten == [
        *("Forgotten: cascade/telemetry/odd/status", "Forgotten: dead", "Forgotten: left")
    ]
    assert [*json.loads(await said(bus, "status", "--json"))["engines"]] == ["calm", "here"]
    assert await said(bus, "forget", "here", "nobody", status=1) == "Forgotten: here\n"
    assert await said(bus, "forget", "--older", "10") == ""
    assert await said(bus, "forget", "calm") == "Forgotten: calm\n"


async def test_an_engine_that_was_killed_can_be_forgotten(bus, tmp_path):
    (tmp_path / "flow.py").write_text(
        "import cascade as cs\nhears = cs.recv('never')\n", encoding="utf-8"
    )
    process = await start(bus, "run", "flow:hears", "--telemetry", "--name", "job", cwd=tmp_path)
    async with asyncio.timeout(PATIENCE):
        while ": online, 1 run" not in await said(bus, "status"):
            await asyncio.sleep(0.1)
    shown = (await said(bus, "status")).splitlines()
    assert shown[1].startswith("  run job: ")
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    name = shown[0].removeprefix("engine ").partition(":")[0]
    assert await said(bus, "forget", name) == f"Forgotten: {name}\n"
    assert await said(bus, "status") == "No engine reports, and no constraint is in force.\n"
