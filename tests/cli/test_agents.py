"""Durable agents on the command line: what is shown of them, what is decided, and real kills."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import time
from dataclasses import replace

import pytest

from cascade.cli import main
from cascade.cli.spans import seconds_from
from cascade.interfaces.store import Checkpoint, DurableAgent, Letter
from cascade.stores.sqlite import SqliteStore
from cli.program import INSTALLED, PROGRAM
from rows import each_row

PATIENCE = 60  # seconds: a bound for what goes wrong, not a measure of anything
CALL = b'{"format":1,"calls":[{"task":"shop:order","args":["lamp"]}]}'


def agent(name, **changes):
    """Return an agent as it begins; it began a day ago by the real clock."""
    then = time.time() - 86400
    plain = DurableAgent(name, start=CALL, call=CALL, created_at=then, changed_at=then)
    return replace(plain, **changes)


@pytest.fixture
def store(tmp_path):
    """Return a function that does something with a store, which is closed before anybody looks."""
    path = tmp_path / "agents.db"

    def use(work=None):
        async def run():
            store = SqliteStore(path)
            await store.open()
            try:
                return await work(store)
            finally:
                await store.aclose()

        return path if work is None else asyncio.run(run())

    return use


@pytest.fixture
def cascade(store, capsys):
    """Run a command on the store, and return what it says."""

    def run(*arguments, status=0):
        assert main(["agents", *arguments, "--store", str(store())]) == status
        out, err = capsys.readouterr()
        return err if status else out

    return run


FULL = [
    agent("a", filters=("approvals/1", "news/#"), step=3),
    agent("b", status="failed", error="ValueError: \x1b[31m no"),
    agent("c", status="finished", result=b'"done"'),
    agent("d", journal={"0:1!until": b"4102444800.5", "0:2": b"7", "0:3": b"", "0:4!until": b""}),
    agent("y", asleep=True, wake_at=4102444800.5),
]


@pytest.fixture
def some(store):
    """Fill the store; agent a has an unread signal, and d is driven."""

    async def fill(store):
        await store.create(FULL)
        await store.deliver([Letter("news/today", b'"rain"')], 5.0)
        await store.claim("engine-1", time.time(), time.time() + 3600, names=["d"])

    store(fill)


@pytest.mark.usefixtures("some")
def test_a_line_says_where_an_agent_is_and_what_it_waits_for(cascade):
    a, b, c, d, y = cascade("list").splitlines()
    assert a == (
        "a: ready, step 3 at shop:order, hears approvals/1 news/#, driven by nobody, 24 h ago"
    )
    assert b == "b: failed, step 0 at shop:order, ValueError: \\x1b[31m no, 24 h ago"
    assert c == "c: finished, step 0 at shop:order, 24 h ago"
    assert "waits until 2" in d
    assert ", driven by engine-1, " in d
    assert "waits until 2" in y
    assert ", asleep, " in y


@pytest.mark.usefixtures("some")
def test_json_has_an_object_for_each_agent(cascade):
    found = [json.loads(line) for line in cascade("list", "--json").splitlines()]
    assert [each["name"] for each in found] == ["a", "b", "c", "d", "y"]
    assert found[0]["filters"] == ["approvals/1", "news/#"]
    assert found[3]["until"] == 4102444800.5
    assert found[3]["owner"] == "engine-1"
    assert [each["asleep"] for each in found] == [False, False, False, False, True]


@each_row(
    ("options", "names"),
    [
        (["--status", "failed"], ["b"]),
        (["--prefix", "c"], ["c"]),
        (["--prefix", "z"], []),
    ],
)
def test_some_can_be_listed(cascade, some, options, names):
    shown = cascade("list", *options, "--json").splitlines()
    assert [json.loads(line)["name"] for line in shown] == names
    assert cascade("list", *options).startswith(tuple(names) or "No such agents.")


def test_more_agents_than_are_read_at_once_are_all_listed(cascade, store):
    names = [f"n{number:04}" for number in range(2001)]
    store(lambda store: store.create([agent(name) for name in names]))
    assert [line.partition(":")[0] for line in cascade("list").splitlines()] == names


@pytest.mark.usefixtures("some")
def test_one_is_shown_in_full(cascade):
    shown = json.loads(cascade("show", "d", "--json"))
    assert shown["call"] == json.loads(CALL)
    assert shown["journal"] == {"0:1!until": 4102444800.5, "0:2": 7}
    assert json.loads(cascade("show", "a", "--json"))["unread"] == 1
    assert 'value "done"' in cascade("show", "c")
    assert "journal 0:2: 7\n" in cascade("show", "d")
    assert "not taken: 1\n" in cascade("show", "a")


@pytest.mark.usefixtures("some")
def test_looking_claims_nothing_and_disturbs_nobody(cascade, store):
    before = store(lambda store: store.list())
    for command in (["list"], ["show", "a"], ["show", "d"], ["list", "--json"]):
        cascade(*command)
    assert store(lambda store: store.list()) == before


@pytest.mark.usefixtures("some")
def test_a_cancelled_agent_commits_no_more(cascade, store):
    assert cascade("cancel", "d") == "Cancelled: d\n"

    async def commit(store):
        await store.commit(Checkpoint("d", 1, 9.0))

    with pytest.raises(RuntimeError, match="lost"):
        store(commit)
    assert "has ended already: it is cancelled" in cascade("cancel", "d", status=1)


@pytest.mark.usefixtures("some")
def test_what_failed_goes_on_and_what_did_not_does_not(cascade, store):
    assert cascade("retry", "b") == "Ready: b\n"
    assert store(lambda store: store.load("b")).status == "ready"
    for name, stands in (("a", "ready"), ("c", "finished")):
        assert f"agent '{name}' is {stands}; what failed" in cascade("retry", name, status=1)


@pytest.mark.usefixtures("some")
def test_a_copy_has_the_state_and_a_name_that_was_free(cascade, store):
    assert cascade("fork", "a", "e") == "Forked: a as e\n"
    copy = store(lambda store: store.load("e"))
    assert (copy.step, copy.filters) == (3, ("approvals/1", "news/#"))
    assert "there is an agent 'b' already" in cascade("fork", "a", "b", status=1)


@pytest.mark.usefixtures("some")
def test_earlier_states_are_shown_and_copied(cascade, store):
    async def step(store):
        later = CALL.replace(b"lamp", b"chair")
        await store.commit(Checkpoint("d", 1, 9.0, call=later, history=1))

    store(step)
    (past,) = json.loads(cascade("show", "d", "--json"))["history"]
    assert past == {"step": 0, "ended_at": 9.0, "call": json.loads(CALL)}
    assert "step 0 until 1970-01-0" in cascade("show", "d")
    assert cascade("fork", "d", "e", "--step", "0") == "Forked: d as e\n"
    copy = store(lambda store: store.load("e"))
    assert (copy.step, copy.call) == (0, CALL)
    assert "no state of step 7 is kept, but of 0, 1" in cascade(
        "fork", "d", "f", "--step", "7", status=1
    )


@pytest.mark.usefixtures("some")
def test_what_ended_long_ago_is_removed(cascade):
    assert cascade("prune") == "Removed: 0 agents, 0 letters\n"
    assert cascade("prune", "--older-than", "12h") == "Removed: 2 agents, 0 letters\n"
    assert [line[0] for line in cascade("list").splitlines()] == ["a", "d", "y"]
    assert "looks like 7d" in cascade("prune", "--older-than", "soon", status=2)


@each_row(
    ("text", "seconds"), [("7d", 604800), ("12h", 43200), ("30 m", 1800), ("0s", 0), ("1.5h", 5400)]
)
def test_spans_are_read(text, seconds):
    assert seconds_from(text) == seconds


def test_a_name_that_is_not_there_brings_the_near_one(cascade, store):
    store(lambda store: store.create([agent("monday"), agent("tuesday")]))
    commands = (["show"], ["cancel"], ["retry"], ["fork", "x"])
    for command, *more in commands:
        said = cascade(command, "mondya", *more, status=1)
        assert said == "cascade: there is no agent 'mondya'. Did you mean 'monday'?\n"


def test_a_store_that_is_not_there_is_not_made(cascade, store):
    said = cascade("list", status=1)
    assert said.startswith(f"cascade: there is no store at {store()}")
    assert not store().exists()


def test_an_empty_store_has_no_agents(cascade, store):
    store(lambda store: store.create([]))
    assert cascade("list") == "No agents.\n"
    assert cascade("list", "--json") == ""


# --- real processes -------------------------------------------------------------------------------

FLOW = """
from pathlib import Path

import cascade as cs

@cs.task(mode="inline")
def pay(item: str) -> str:
    with Path("paid").open("a") as file:
        file.write(item)
    return f"paid {item}"

@cs.task
async def order(item: str, patience: float) -> str:
    return decide(pay(item), cs.recv("approvals/1", timeout=patience, default="nobody"))

@cs.task
async def decide(paid: str, by: str) -> str:
    return f"{paid}, approved by {by}"

@cs.task
async def fails(item: str) -> str:
    raise ValueError("no disk")
"""


@pytest.fixture
def shop(tmp_path):
    """Return what starts `cascade` in a folder with the workflow."""
    (tmp_path / "shop.py").write_text(FLOW, encoding="utf-8")
    environment = {**os.environ, "CASCADE_STORE": "agents.db"}

    def start(*arguments, program=(INSTALLED,)):
        return subprocess.Popen(
            [*program, *arguments],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture
def done(shop):
    def run(*arguments, status=0):
        process = shop(*arguments)
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == status, err
        return err if status else out

    return run


def order(name, patience):
    return ["run", "shop:order", "-p", "item=lamp", "-p", f"patience={patience}", "--name", name]


def parked(process, path):
    """Wait until the order waits for its approval, and return it as the command shows it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert process.poll() is None
        if path.exists():
            shown = subprocess.check_output(
                [INSTALLED, "agents", "list", "--json", "--store", path], text=True
            )
            if shown and (found := json.loads(shown))["filters"]:
                return found
    raise AssertionError("the agent did not come to where it waits")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="a system without SIGKILL")
def test_an_agent_whose_process_is_killed_goes_on_with_the_next_command(
    shop, done, store, tmp_path
):
    process = shop(*order("monday", 3600))
    with process:
        found = parked(process, tmp_path / "agents.db")
        process.kill()
    assert (found["status"], found["task"]) == ("ready", "shop:decide")
    assert done("agents", "show", "monday").startswith(
        "monday: ready, step 1 at shop:decide, hears approvals/1, waits until "
    )
    with sqlite3.connect(tmp_path / "agents.db") as file:  # the time of its lease has passed
        file.execute("UPDATE owners SET until = 0")
    file.close()
    assert f", left by {found['owner']}, " in done("agents", "list")
    store(lambda store: store.deliver([Letter("approvals/1", b'"Ann"')], time.time()))
    for _ in range(2):
        assert done(*order("monday", 3600)) == "'paid lamp, approved by Ann'\n"
    assert (tmp_path / "paid").read_text() == "lamp"


@pytest.mark.slow
def test_an_interrupted_agent_is_left_to_others_at_once(shop, done, tmp_path):
    process = shop(*order("monday", 3600), program=PROGRAM)
    with process:
        parked(process, tmp_path / "agents.db")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, err) == (130, "")
    assert ", driven by nobody, " in done("agents", "list")
    done("agents", "cancel", "monday")
    said = done(*order("monday", 3600), status=1)
    assert "the agent 'monday' is cancelled" in said


@pytest.mark.slow
def test_a_name_that_began_otherwise_is_refused_and_can_be_attached_to(done):
    assert done(*order("monday", 0.01)) == "'paid lamp, approved by nobody'\n"
    said = done(*order("monday", 0.02), status=1)
    assert "there is an agent 'monday' already" in said
    assert "--attach" in said
    assert done(*order("monday", 0.02), "--attach") == "'paid lamp, approved by nobody'\n"


@pytest.mark.slow
def test_a_failure_is_told_with_the_line_of_the_user_and_how_to_go_on(done):
    said = done("run", "shop:fails", "-p", "item=lamp", "--name", "monday", status=1)
    assert "cascade agents retry NAME --store FILE" in said
    assert "shop.py" in said
    assert "evaluator.py" not in said
    assert "monday: failed, step 0 at shop:fails, ValueError: no disk" in done("agents", "list")
    assert done("agents", "retry", "monday") == "Ready: monday\n"


@pytest.mark.slow
@each_row(
    ("options", "said"),
    [
        (["--store", "agents.db"], "--store needs a --name"),
        (["--name", "monday", "--attach"], "--attach needs the --store"),
    ],
)
def test_what_a_durable_run_needs_is_said(tmp_path, options, said):
    (tmp_path / "shop.py").write_text(FLOW, encoding="utf-8")
    given = [INSTALLED, "run", "shop:order", "-p", "item=lamp", "-p", "patience=1", *options]
    done = subprocess.run(given, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_run_drives_the_agent_of_its_name_alone(tmp_path, monkeypatch, capsys):
    (tmp_path / "alone.py").write_text(
        "import cascade as cs\n\n\n@cs.task\nasync def count(n: int) -> int:\n    return n\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    of_others = agent("theirs")

    async def enter():
        store = SqliteStore(tmp_path / "agents.db")
        await store.open()
        await store.create([of_others])
        await store.aclose()

    asyncio.run(enter())
    arguments = ["run", "alone:count", "-p", "n=3", "--store", "agents.db", "--name", "mine"]
    assert main(arguments) == 0
    assert capsys.readouterr().out == "3\n"
    assert main(["agents", "list", "--store", "agents.db"]) == 0
    mine, theirs = capsys.readouterr().out.splitlines()
    assert mine.startswith("mine: finished")
    assert theirs.startswith("theirs: ready")
