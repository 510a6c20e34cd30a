"""``cascade worker``: processes that share a store, drive what is theirs, and leave it in good order."""

import asyncio
import contextlib
import importlib
import signal
import subprocess
import sys
import time

import pytest

import cascade as cs
from cascade.cli import main
from cascade.connectors.mqtt import MqttConnector
from cli.program import PROGRAM
from mqtt.broker import NEEDS_BROKER, Broker
from stores.postgres import NEEDS_POSTGRES, Postgres

PATIENCE = 60  # seconds: a bound for what goes wrong, not a measure of anything

FLOW = """
import asyncio
import time
from pathlib import Path

import cascade as cs

@cs.task
async def count(n: int, total: int = 0) -> int:
    return count(n - 1, total + n) if n else total

@cs.task
def slow(folder: str) -> str:
    with Path(folder, "began").open("a") as file:
        file.write("x")
    while not Path(folder, "may go on").exists():
        time.sleep(0.01)
    return after(folder)

@cs.task
async def after(folder: str) -> str:
    return heard(cs.recv(cs.agent("slow")))

@cs.task
async def heard(word: str) -> str:
    return word

@cs.task
async def tell(word: str) -> None:
    return cs.send(cs.agent("slow"), word)

@cs.task
async def for_ever(folder: str) -> None:
    Path(folder, "began").touch()
    await asyncio.Event().wait()

@cs.task
async def rounds(n: int, heard: int = 0, slept: None = None) -> int:
    return rounds(n - 1, heard + 1, cs.wait(0.05)) if n else heard
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Work in a folder with a module of tasks."""
    (tmp_path / "flow.py").write_text(FLOW)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("flow", None)


@pytest.fixture
def start(folder):
    """Return what starts a worker and waits until it is ready."""
    with contextlib.ExitStack() as stack:

        def begin(*arguments):
            command = [*PROGRAM, "worker", "flow", *map(str, arguments)]
            process = subprocess.Popen(
                command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            stack.callback(process.communicate)
            stack.callback(process.kill)
            assert process.stdout.readline().startswith("Ready: "), process.stderr.read()
            return process

        yield begin


def flow():
    return importlib.import_module("flow")


def end(process, number=signal.SIGTERM, status=0):
    """Tell a worker to stop, and return what it said."""
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == status, err
    return out


def in_store(place, work):
    """Do something with a store, driving no agent of it."""

    async def run():
        engine = cs.Engine(store=place)
        engine.agents.settings.takes_up_all = False
        async with engine:
            return await work(engine.agents)

    return asyncio.run(run())


def started(place, label="", **agents):
    in_store(place, lambda found: found.start(agents, label=label))


def agents_in(place):
    return {each.name: each for each in in_store(place, lambda found: found.list())}


def until(condition):
    limit = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < limit
        time.sleep(0.02)
    return found


def has_ended(place, *names):
    found = agents_in(place)
    return all(found[each].status == "finished" for each in names) and found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_drives_agents_to_their_ends_and_stops_with_status_0(folder, start, number):
    started("agents.db", one=flow().count(10), other=flow().count(4))
    worker = start("--store", "agents.db", "--name", "w1")
    found = until(lambda: has_ended("agents.db", "one", "other"))
    assert (found["one"].result, found["other"].result) == (b"55", b"10")
    assert end(worker, number) == "Left: w1\n"


def test_a_step_under_way_comes_to_its_commit_and_no_other_agent_is_begun(folder, start):
    started("agents.db", slow=flow().slow(str(folder)))
    worker = start("--store", "agents.db")
    until((folder / "began").exists)
    worker.send_signal(signal.SIGTERM)
    started("agents.db", late=flow().count(1))
    (folder / "may go on").touch()
    assert worker.stdout.readline().startswith("Left: ")
    assert worker.wait(PATIENCE) == 0
    left = agents_in("agents.db")
    assert [(each.status, each.owner) for each in left.values()] == [("ready", None)] * 2
    assert (left["slow"].step, left["late"].step) == (1, 0)
    other = start("--store", "agents.db")
    started("agents.db", teller=flow().tell("word"))
    found = until(lambda: has_ended("agents.db", "slow", "late"))
    assert found["slow"].result == b'"word"'
    assert (folder / "began").read_text() == "x"
    end(other)


def test_a_second_signal_cancels_the_steps_under_way(folder, start):
    started("agents.db", slow=flow().for_ever(str(folder)))
    worker = start("--store", "agents.db")
    until((folder / "began").exists)
    worker.send_signal(signal.SIGINT)
    time.sleep(0.2)  # it leaves no sign of having been told
    assert worker.poll() is None
    end(worker, status=128 + signal.SIGTERM)
    assert agents_in("agents.db")["slow"].owner is None


def test_labels_say_which_agents_are_a_worker_s(folder, start):
    started("agents.db", plain=flow().count(2))
    started("agents.db", label="gpu", heavy=flow().count(3))
    started("agents.db", label="disk", large=flow().count(4))
    worker = start("--store", "agents.db", "--label", "gpu", "--label", "disk", "-c", "gpu=2")
    until(lambda: has_ended("agents.db", "heavy", "large"))
    end(worker)
    assert agents_in("agents.db")["plain"].status == "ready"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["nowhere", "--store", "agents.db"], "there is no module 'nowhere'"),
        (["flow", "--store", "agents.db", "--connector", "nowhere://x"], "nowhere"),
        (["flow", "--store", "agents.db", "--telemetry"], "--telemetry needs a --connector"),
        (["flow", "--store", "agents.db", "-c", "gpu"], "a capacity is name=units"),
        (["flow"], "--store"),
    ],
)
def test_what_is_wrong_is_one_sentence(folder, capsys, monkeypatch, arguments, why):
    monkeypatch.delenv("CASCADE_STORE", raising=False)
    assert main(["worker", *arguments]) == 2
    assert why in capsys.readouterr().err
    assert not (folder / "agents.db").exists()


@pytest.mark.parametrize("marks", [pytest.param(None, marks=[*NEEDS_BROKER, *NEEDS_POSTGRES])])
def test_workers_share_agents_on_a_database_and_a_broker_and_outlive_one(folder, start, marks):
    with Broker(folder) as broker, Postgres() as server:
        user = server.url.rpartition("user=")[2]
        store = f"postgresql://{user}@/postgres?host={server.folder}"
        names = [f"a{number}" for number in range(30)]
        started(store, **{name: flow().rounds(40) for name in names})
        at = ("--store", store, "--connector", broker.url)
        workers = [start(*at, "--name", f"w{number}") for number in range(3)]
        until(lambda: sum(each.step > 0 for each in agents_in(store).values()) == 30)
        workers[0].kill()
        until(lambda: asyncio.run(states(broker.url)).get("w0") == "lost")
        found = until(lambda: has_ended(store, *names))
        assert {each.result for each in found.values()} == {b"40"}
        assert asyncio.run(states(broker.url))["w1"] == "online"
        assert [end(each) for each in workers[1:]] == ["Left: w1\n", "Left: w2\n"]
        assert asyncio.run(states(broker.url)) == {"w0": "lost", "w1": "offline", "w2": "offline"}


async def states(url):
    """Return what is retained of each engine."""
    found = {}

    async def take(_topic, payload):
        found[payload["engine"]] = payload["state"]

    async with MqttConnector(url) as connector:
        await connector.subscribe("cascade/telemetry/+/status", take)
    return found
