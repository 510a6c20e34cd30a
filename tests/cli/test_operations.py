"""The commands that run, draw, steer and watch; on a bus in memory that plays the far one."""

import asyncio
import json
import re

import pytest

import cascade as cs
import cascade.runtime.plugins
from cascade.cli import main
from cascade.connectors.local import LocalBusConnector
from cascade.runtime.observation.telemetry import TelemetrySettings
from cascade.runtime.plugins import Plugin
from rows import each_row


@pytest.fixture(autouse=True)
def bus(monkeypatch):
    """Let memory:// be the process-wide broker."""

    def make(url):
        if "broken" in url:
            raise ValueError(f"{url} is not a valid URL")
        return LocalBusConnector()

    offered = {"memory": Plugin("memory", "cascade-test", lambda: make)}
    others = cascade.runtime.plugins.plugins
    monkeypatch.setattr(
        cascade.runtime.plugins,
        "plugins",
        lambda group: offered if group == "cascade.connectors" else others(group),
    )
    LocalBusConnector._reset_broker_state()
    yield
    LocalBusConnector._reset_broker_state()


AT = ["--connector", "memory://"]


def said(capsys, *arguments, status=0):
    """Run a command and return what it wrote to standard output and to standard error."""
    assert main(list(arguments)) == status
    return capsys.readouterr()


# --- run ------------------------------------------------------------------------------------------


def test_run_prints_the_value_of_a_lazy_a_list_and_a_task_with_parameters(capsys):
    assert said(capsys, "run", "cli.flows:total").out == "10\n"
    assert said(capsys, "run", "cli.flows:several", "--json").out == "[2, 4]\n"
    parameters = ["-p", "x=21", "--param", "by=2"]
    assert said(capsys, "run", "cli.flows:scaled", *parameters, "--json").out == '{"value": 42}\n'


def test_run_takes_what_is_no_json_as_text(capsys):
    assert said(capsys, "run", "cli.flows:double", "-p", "x=ha").out == "'haha'\n"


def test_a_run_that_fails_is_one_sentence_and_status_1(capsys):
    out, err = said(capsys, "run", "cli.flows:fails", status=1)
    assert out == ""
    assert re.fullmatch(
        r"cascade: ValueError: not today \(in task 'fails' of run 'run-1', \S*flows.py:\d+\)\n", err
    )


@each_row("task", ["fails", "fails_to_read"])
def test_a_traceback_that_was_asked_for_shows_the_workflow_alone(capsys, task):
    _, err = said(capsys, "run", f"cli.flows:{task}", "--traceback", status=1)
    *trace, sentence = err.splitlines()
    files = [line for line in trace if line.startswith("  File ")]
    assert len(files) == 1
    assert "flows.py" in files[0]
    assert f", in {task}" in files[0]
    assert sentence.startswith("cascade: ")
    assert "not today" in sentence


WRONG = ["gpu", "=2", "gpu=", "gpu=many", "gpu=0", "gpu=-1", "gpu=inf", "gpu=nan"]


@each_row(
    ("arguments", "reason"),
    [
        (["cli.flows"], "a target is module:name"),
        (["no_such_module:x"], "there is no module 'no_such_module'"),
        (["cli.flows:totl"], "Did you mean 'total'?"),
        (["cli.flows:nothing_to_run"], "is int; a target is a task"),
        (["cli.flows:double", "-p", "x"], "a parameter is key=value, not 'x'"),
        *((["cli.flows:total", "-c", text], "a capacity is name=units") for text in WRONG),
        (["cli.flows:total", "--telemetry"], "--telemetry needs a --connector"),
        (["cli.flows:total", "--connector", "far://x"], "no connector for 'far://…'"),
        (["cli.flows:total", "--connector", "memory://broken"], "is not a valid URL"),
    ],
)
def test_what_cannot_be_run_is_one_sentence_and_status_2(arguments, reason, capsys):
    out, err = said(capsys, "run", *arguments, status=2)
    assert out == ""
    assert reason in err
    assert len(err.splitlines()) == 1


def test_a_run_hears_over_the_connector(capsys):
    said(capsys, "pub", "go", '{"now": true}', "--retain", *AT)
    assert said(capsys, "run", "cli.flows:hears", *AT).out == "{'now': True}\n"


# --- pub and sub ----------------------------------------------------------------------------------


def test_sub_shows_what_is_retained_and_ends_after_the_count(capsys):
    for topic, payload in [("a/1", "5"), ("a/2", "just text"), ("b", "null")]:
        said(capsys, "pub", topic, payload, "-r", *AT)
    assert said(capsys, "sub", "a/+", "-n", "2", *AT).out == 'a/1 5\na/2 "just text"\n'
    shown = said(capsys, "sub", "a/2", "c", "--json", "-n", "1", *AT).out
    assert json.loads(shown) == {"topic": "a/2", "payload": "just text"}


def test_sub_that_hears_too_little_in_time_is_status_1(capsys):
    assert said(capsys, "sub", "never", "--timeout", "0.01", *AT, status=1) == ("", "")


def test_an_invalid_topic_is_one_sentence_and_status_1(capsys):
    out, err = said(capsys, "pub", "a/+", "1", *AT, status=1)
    assert out == ""
    assert err == ("cascade: invalid topic 'a/+' at level 2: a published topic has no wildcards\n")


# --- constraints ---------------------------------------------------------------------------------------


def test_an_engine_is_paused_and_resumed_from_outside(capsys):
    @cs.task
    async def work():
        return "done"

    async def start():
        running = asyncio.create_task(cs.run_async(work(), connector=LocalBusConnector()))
        for _ in range(10):
            await asyncio.sleep(0)
        done = running.done()
        running.cancel()
        return done

    assert said(capsys, "pause", "task/work", *AT).out == "Paused: task/work\n"
    assert asyncio.run(start()) is False
    assert said(capsys, "resume", "task/work", *AT).out == "Resumed: task/work\n"
    assert asyncio.run(start()) is True


def test_constraints_are_what_engines_understand(capsys):
    said(capsys, "limit", "-n", "3", *AT)
    said(capsys, "limit", "run/a", "--rate", "20/s", "--burst", "5", "--expires", "60", *AT)
    constraints = json.loads(said(capsys, "status", "--json", *AT).out)["constraints"]
    assert constraints["global"] == {"id": "cli", "type": "concurrency", "n": 3, "burst": 1}
    assert {k: v for k, v in constraints["run/a"].items() if k != "expires_at"} == {
        "id": "cli",
        "type": "rate_limit",
        "rate": "20/s",
        "burst": 5,
    }
    said(capsys, "resume", *AT)
    assert list(json.loads(said(capsys, "status", "--json", *AT).out)["constraints"]) == ["run/a"]


def test_both_limits_of_a_target_hold_together(capsys):
    assert said(capsys, "limit", "-n", "2", "--rate", "5/s", *AT).out == (
        "Limited: global to 2 and 5/s\n"
    )
    constraints = json.loads(said(capsys, "status", "--json", *AT).out)["constraints"]
    assert constraints["global"] == [
        {"id": "cli", "type": "concurrency", "n": 2, "burst": 1},
        {"id": "cli-rate", "type": "rate_limit", "rate": "5/s", "burst": 1},
    ]
    said(capsys, "resume", *AT)
    assert "no constraint is in force" in said(capsys, "status", *AT).out


@each_row(
    ("arguments", "reason"),
    [
        (["limit"], "-n, --rate, or both"),
        (["limit", "--rate", "often"], "a rate looks like '20/s'"),
        (["limit", "-n", "1", "--expires", "inf"], "expires_at is a Unix time"),
        (["pause", "--expires", "inf"], "expires_at is a Unix time"),
        (["pause", "--id", ""], "a constraint needs an id"),
        (["pause", "everything"], "a target of a constraint is global, task/<name> or run/<id>"),
    ],
)
def test_a_constraint_that_makes_no_sense_is_one_sentence_and_status_2(arguments, reason, capsys):
    out, err = said(capsys, *arguments, *AT, status=2)
    assert out == ""
    assert reason in err


# --- status and watch -----------------------------------------------------------------------------


def test_status_tells_of_engines_and_constraints(capsys):
    assert said(capsys, "status", *AT).out == "No engine reports, and no constraint is in force.\n"
    said(capsys, "run", "cli.flows:total", "--telemetry", *AT)
    said(capsys, "pause", *AT)
    first, second = said(capsys, "status", *AT).out.splitlines()
    assert first.startswith("engine engine-")
    assert ": offline, 0 runs, " in first
    assert second == 'constraint global: {"id": "cli", "type": "pause", "burst": 1}'


def test_watch_tells_line_by_line_where_there_is_no_terminal(capsys, simulated_time):
    async def both():
        from rich.console import Console

        from cascade.cli.watch_command import _watch

        watching = asyncio.create_task(_watch("memory://", 0.5, Console()))
        await asyncio.sleep(0.05)
        engine = cs.Engine(connector=LocalBusConnector(), name="mill", telemetry=True)
        await engine.run(cs.wait(0.01), name="job")
        await watching

    simulated_time(both())
    assert capsys.readouterr().out.splitlines() == [
        "mill: online",
        "mill job run-started",
        "mill job task-started wait",
        "mill job task-finished wait succeeded",
        "mill job run-finished succeeded",
        "mill: offline",
    ]


def test_watch_shows_runs_that_began_before_it(simulated_time):
    import io

    from rich.console import Console

    from cascade.cli.watch_command import _watch

    screen = io.StringIO()

    async def both():
        connector = LocalBusConnector()
        telemetry = TelemetrySettings(heartbeat=0.01)
        async with cs.Engine(connector=connector, name="mill", telemetry=telemetry) as engine:
            run = asyncio.create_task(engine.run(cs.recv("go"), name="job"))
            await asyncio.sleep(0.1)
            await _watch("memory://", 0.3, Console(file=screen, force_terminal=True, width=100))
            await connector.publish("go", 1)
            await run

    simulated_time(both())
    assert "job" in screen.getvalue()


def test_watch_draws_a_table_on_a_terminal(simulated_time):
    import io

    from rich.console import Console

    from cascade.cli.watch_command import _watch

    screen = io.StringIO()

    async def both():
        console = Console(file=screen, force_terminal=True, width=100)
        watching = asyncio.create_task(_watch("memory://", 0.6, console))
        await asyncio.sleep(0.05)
        engine = cs.Engine(connector=LocalBusConnector(), name="mill", telemetry=True)
        await engine.run(cs.wait(0.01), name="job")
        await watching

    simulated_time(both())
    assert "succeeded" in screen.getvalue()
    assert "job" in screen.getvalue()
