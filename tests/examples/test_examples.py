"""The programs in examples/: killed in the middle, they go on, and do nothing twice."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from cascade.stores.sqlite import SqliteStore
from repository.distributions import ROOT

PATIENCE = 120  # seconds: a bound for what goes wrong, not a measure of anything
FOLDER = ROOT / "examples"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="a system without SIGKILL"),
]


@pytest.fixture
def example(tmp_path):
    """Return what starts an example in a folder of the test's own."""

    def start(name, *arguments):
        return subprocess.Popen(
            [sys.executable, FOLDER / name / f"{name}.py", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture
def run(example):
    """Return what runs an example to its end."""

    def to_its_end(name, *arguments):
        process = example(name, *arguments)
        out, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, err) == (0, "")
        return out

    return to_its_end


def agents_in(path):
    async def load():
        store = SqliteStore(path)
        await store.open()
        try:
            return await store.list(limit=10_000)
        finally:
            await store.aclose()

    return asyncio.run(load())


def kill_when(process, path, condition):
    """Kill a program once an agent in its store is as wanted, and let the time of its lease pass."""
    end = time.monotonic() + PATIENCE
    with process:
        while not (path.exists() and condition(agents_in(path))):
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < end
            time.sleep(0.02)
        process.kill()
    with sqlite3.connect(path) as file:
        file.execute("UPDATE owners SET until = 0")
    file.close()


def hears(*filters):
    return lambda agents: any(set(filters) <= set(each.filters) for each in agents)


def test_an_order_waits_for_payment_and_approval_through_kills(example, run, tmp_path):
    place = ("order", "place", "order-1", "a lamp")
    waits = hears("orders/order-1/paid", "orders/order-1/approved")
    for _ in range(2):
        kill_when(example(*place), tmp_path / "orders.db", waits)
    run("order", "pay", "order-1", "49.5")
    run("order", "pay", "order-1", "49.5")  # the same payment, which is made once
    run("order", "approve", "order-1", "Ann")
    assert run(*place) == "order-1: a lamp is on its way, 49.5 paid, approved by Ann\n"
    (reserved,) = (tmp_path / "reservations.txt").read_text().splitlines()
    assert reserved.endswith(" order-1 a lamp")


def test_timers_that_were_killed_ring_all_the_same_and_once(example, run, tmp_path):
    def some_rang(agents):
        return len(agents) == 500 and any(each.status == "finished" for each in agents)

    kill_when(example("timers", "500", "5"), tmp_path / "timers.db", some_rang)
    assert run("timers", "500", "5").startswith("started\n500 timers rang, ")
    assert {each.step for each in agents_in(tmp_path / "timers.db")} == {1}


@pytest.mark.parametrize(("word", "end"), [("yes", "Paid."), ("no", "I may not pay.")])
def test_an_assistant_waits_for_its_human_and_pays_for_no_answer_twice(
    example, run, tmp_path, word, end
):
    kill_when(example("assistant", "ask"), tmp_path / "assistant.db", hears("approval"))
    run("assistant", "approve", word)
    assert run("assistant", "ask") == f"{end}\n"
    answers = ["0 messages", "2 messages", *(["4 messages"] if word == "yes" else [])]
    assert (tmp_path / "bill.txt").read_text().splitlines() == answers
